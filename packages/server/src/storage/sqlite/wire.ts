import type { Movement } from '@paybell/sdk';
import type { Arrival, NewDelivery, NewEvent, NewRequest } from '../contract.ts';

/**
 * What goes to the writing thread often and in numbers: one flat list of plain values and one block of bytes. Handing over the objects
 * themselves cost the accepting thread a sixth of its time, because every key and every small buffer is copied one by one.
 */
export interface Packed {
  readonly values: unknown[];
  readonly bytes: Uint8Array;
}

export type Write = (value: unknown) => void;
export type Read = () => unknown;
export type WriteBytes = (bytes: Uint8Array) => void;
export type ReadBytes = () => Uint8Array;

/** What `fill` writes, as one list and one block. */
export function packed(fill: (write: Write, bytes: WriteBytes) => void): Packed {
  const values: unknown[] = [];
  const blocks: Uint8Array[] = [];
  fill(
    (value) => values.push(value),
    (block) => {
      values.push(block.byteLength);
      blocks.push(block);
    },
  );
  return { values, bytes: joined(blocks) };
}

/** Reads it again, in the order in which it was written. */
export function unpacked<Result>({ values, bytes: block }: Packed, take: (read: Read, bytes: ReadBytes) => Result): Result {
  let at = 0;
  let from = 0;
  return take(
    () => values[at++],
    () => block.subarray(from, (from += values[at++] as number)),
  );
}

export function pack(arrivals: readonly Arrival[]): Packed {
  return packed((write, bytes) => {
    write(arrivals.length);
    for (const { request, events } of arrivals) {
      write(request !== null);
      if (request !== null) packRequest(request, write, bytes);
      write(events.length);
      for (const event of events) packEvent(event, write, bytes);
    }
  });
}

export function unpack(message: Packed): Arrival[] {
  return unpacked(message, (read, bytes) =>
    Array.from({ length: read() as number }, () => {
      const request = read() === true ? unpackRequest(read, bytes) : null;
      const events = Array.from({ length: read() as number }, () => unpackEvent(read, bytes));
      return { request, events };
    }),
  );
}

function joined(bodies: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(bodies.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const body of bodies) {
    block.set(body, at);
    at += body.byteLength;
  }
  return block;
}

function packRequest(r: NewRequest, write: Write, bytes: WriteBytes): void {
  write(r.id);
  write(r.merchant);
  write(r.source);
  write(r.provider);
  write(r.receivedAt);
  write(r.verdict);
  write(r.reason);
  write(r.diagnosis);
  write(r.headers);
  write(r.sha256);
  write(r.known === true);
  bytes(r.body);
}

function unpackRequest(read: Read, bytes: ReadBytes): NewRequest {
  return {
    id: read() as string,
    merchant: read() as string,
    source: read() as string,
    provider: read() as string,
    receivedAt: read() as number,
    verdict: read() as NewRequest['verdict'],
    reason: read() as string | null,
    diagnosis: read() as string | null,
    headers: read() as string,
    sha256: read() as string,
    known: read() as boolean,
    body: bytes(),
  };
}

function packEvent(e: NewEvent, write: Write, bytes: WriteBytes): void {
  write(e.id);
  write(e.merchant);
  write(e.provider);
  write(e.source);
  write(e.request);
  write(e.item);
  write(e.type);
  write(e.dedupeKey);
  write(e.digest);
  write(e.sequence);
  write(e.occurredAt);
  write(e.recordedAt);
  write(e.state);
  write(e.note);
  write(e.transaction);
  write(e.parent);
  write(e.movement === null ? null : JSON.stringify(e.movement));
  write(e.data);
  write(e.deliveries.length);
  for (const delivery of e.deliveries) packDelivery(delivery, write, bytes);
}

/** An event whose movement is still at hand as the text it came in, to be stored as it is. */
export interface UnpackedEvent extends NewEvent {
  readonly movementText: string | null;
}

function unpackEvent(read: Read, bytes: ReadBytes): UnpackedEvent {
  const event = unpackFields(read);
  return { ...event, deliveries: Array.from({ length: read() as number }, () => unpackDelivery(read, bytes)) };
}

function unpackFields(read: Read): UnpackedEvent {
  let movementText: string | null = null;
  return {
    id: read() as string,
    merchant: read() as string,
    provider: read() as string,
    source: read() as string | null,
    request: read() as string | null,
    item: read() as number,
    type: read() as string,
    dedupeKey: read() as string,
    digest: read() as string,
    sequence: read() as number | null,
    occurredAt: read() as number | null,
    recordedAt: read() as number,
    state: read() as NewEvent['state'],
    note: read() as string | null,
    transaction: read() as string | null,
    parent: read() as string | null,
    movement: movementOf((movementText = read() as string | null)),
    data: read() as string | null,
    movementText,
    deliveries: [],
  };
}

function movementOf(text: string | null): Movement | null {
  return text === null ? null : (JSON.parse(text) as Movement);
}

function packDelivery(d: NewDelivery, write: Write, bytes: WriteBytes): void {
  write(d.id);
  write(d.endpoint);
  write(d.format);
  write(d.lease?.owner ?? null);
  write(d.lease?.until ?? 0);
  write(d.orderedWait ?? null);
  write(d.forced === true);
  write(d.body !== null);
  if (d.body !== null) bytes(d.body);
}

function unpackDelivery(read: Read, bytes: ReadBytes): NewDelivery {
  const [id, endpoint, format, owner, until] = [read(), read(), read(), read(), read()] as [string, string, string, string | null, number];
  const orderedWait = read() as number | null;
  const forced = read() === true;
  const body = read() === true ? bytes() : null;
  const order = orderedWait === null ? {} : { orderedWait };
  return { id, endpoint, format, body, ...order, forced, lease: owner === null ? null : { owner, until } };
}
