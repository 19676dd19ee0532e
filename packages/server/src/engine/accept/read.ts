import { hash } from 'node:crypto';
import { parseJson, stringifyJson, transactionId } from '@paybell/sdk';
import type { Fact, Headers, JsonValue, Movement, Provider } from '@paybell/sdk';
import type { NewEvent, NewRequest } from '../../storage/contract.ts';
import type { Source } from '../faces.ts';
import type { IdPrefix } from '../ids.ts';

/** An event that has no deliveries yet, with its data at hand for routing. */
export interface ReadEvent {
  readonly event: NewEvent;
  readonly data: JsonValue;
  /** The body in the provider's own format where it was made already. */
  readonly body?: Uint8Array;
}

export interface Reading {
  readonly provider: Provider;
  readonly source: Source;
  readonly request: NewRequest;
  /** The bytes that were vouched for. */
  readonly bytes: Uint8Array;
  readonly headers: Headers;
  readonly newId: (prefix: IdPrefix) => string;
}

/** The type of an event whose body cannot be read. */
export const UNREADABLE = 'unreadable';

/** The events of a verified request, at least one: what cannot be read is kept as `unmapped` and passed on. */
export function readEvents(reading: Reading): readonly ReadEvent[] {
  const { request } = reading;
  let facts: readonly Fact[];
  try {
    facts = factsOf(reading.provider, reading.bytes, { digest: request.sha256, headers: reading.headers, options: reading.source.options });
  } catch (error) {
    return [eventOf(reading, unreadable(request, reading.bytes, error), 0, request.sha256)];
  }
  if (facts.length === 0) return [eventOf(reading, unreadable(request, reading.bytes, 'It holds no event.'), 0, request.sha256)];
  const [only] = facts;
  if (facts.length === 1 && only !== undefined) return [eventOf(reading, only, 0, request.sha256)];
  return facts.map((fact, item) => eventOf(reading, fact, item, hash('sha256', `${fact.type}\n${stringifyJson(fact.data)}`)));
}

/** What a body says, as its provider reads it. Throws where it cannot be read. */
export function factsOf(
  provider: Provider,
  bytes: Uint8Array,
  context: { digest: string; headers: Headers; options: Source['options'] },
): readonly Fact[] {
  const { digest, headers, options } = context;
  return provider.read(parseJson(bytes), { digest, headers, ...(options === null ? {} : { options }) });
}

function unreadable(request: NewRequest, bytes: Uint8Array, error: unknown): Fact {
  return {
    type: UNREADABLE,
    dedupeKey: request.sha256,
    sequence: null,
    occurredAt: null,
    data: new TextDecoder().decode(bytes.subarray(0, 64 * 1024)),
    movement: null,
    unmapped: error instanceof Error ? error.message : String(error),
  };
}

function eventOf({ provider, source, request, newId }: Reading, fact: Fact, item: number, digest: string): ReadEvent {
  const event: NewEvent = {
    id: newId('evt'),
    merchant: source.merchant,
    provider: provider.id,
    source: source.id,
    request: request.id,
    item,
    type: fact.type,
    dedupeKey: fact.dedupeKey,
    digest,
    sequence: fact.sequence,
    occurredAt: fact.occurredAt,
    recordedAt: request.receivedAt,
    ...touching(source.merchant, provider.id, fact.movement),
    note: fact.unmapped ?? null,
    data: null,
    deliveries: [],
  };
  return { event, data: fact.data };
}

/** Which transaction an event touches, and what it says of it. */
export function touching(
  merchant: string,
  provider: string,
  movement: Movement | null,
): Pick<NewEvent, 'state' | 'transaction' | 'parent' | 'movement'> {
  if (movement === null) return { state: 'unmapped', transaction: null, parent: null, movement: null };
  const { kind, key, parent } = movement;
  return {
    state: 'recorded',
    transaction: transactionId(merchant, provider, kind, key),
    parent: parent === undefined ? null : transactionId(merchant, provider, parent.kind, parent.key),
    movement,
  };
}
