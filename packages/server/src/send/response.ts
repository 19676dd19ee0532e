import { ChunkedReader } from './chunked.ts';
import { readHead, type BadHead, type Head } from './head.ts';
import type { Cause } from './faults.ts';

/** The largest head that is read; also of all interim answers together. */
export const MAX_HEAD_BYTES = 16_384;
/** What is kept of a body for the attempt log. */
export const MAX_KEPT_BYTES = 16_384;
/** Beyond this a body is not even read to keep the connection. */
export const MAX_READ_BYTES = 65_536;
const MAX_INTERIM_BYTES = 65_536;

/** `flooded`: interim answers without end; reading on is a waste, the deadline will tell. `over`: nothing more is wanted. */
export type Reading = 'more' | 'flooded' | 'over';

/** Reads one answer from the bytes of a connection, however they are cut. Memory stays under 64 KiB. */
export class ResponseReader {
  /** A byte of an answer has come. */
  begun = false;
  fault: Cause | null = null;
  status: number | null = null;
  head: Head | null = null;
  /** More was sent, or announced, than is kept. */
  truncated = false;
  /** The next answer on this connection can be told apart from this one. */
  reusable = false;

  #pending: Buffer = EMPTY;
  #interimBytes = 0;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #seenBytes = 0;
  #chunked: ChunkedReader | null = null;

  feed(chunk: Buffer): Reading {
    this.begun = true;
    return this.head === null ? this.#feedHead(chunk) : this.#feedBody(chunk);
  }

  /** The connection is gone. `cleanly`: by FIN, which is how a body without length ends. */
  end(cleanly: boolean): void {
    if (this.head !== null && !(cleanly && this.head.body === 'until_close')) this.truncated = true;
  }

  get body(): Uint8Array {
    return this.#kept.length === 1 ? (this.#kept[0] ?? EMPTY) : Buffer.concat(this.#kept);
  }

  #feedHead(chunk: Buffer): Reading {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = EMPTY;
    while (bytes.length > 0) {
      const other = otherProtocol(bytes);
      if (other !== null) return this.#fail(other);
      const text = bytes.toString('latin1', 0, MAX_HEAD_BYTES);
      const end = endOfHead(text);
      if (end === -1) {
        if (bytes.length >= MAX_HEAD_BYTES) return this.#fail('headers_overflow');
        // A copy: a slice would hold the socket's whole 64 KiB buffer for the sake of a few bytes.
        this.#pending = Buffer.from(bytes);
        return 'more';
      }
      const head = readHead(text.slice(0, end));
      bytes = bytes.subarray(end);
      if (head !== 'interim') return this.#begin(head, bytes);
      this.#interimBytes += end;
      if (this.#interimBytes > MAX_INTERIM_BYTES) return 'flooded';
    }
    return 'more';
  }

  #begin(head: Head | BadHead, rest: Buffer): Reading {
    this.status = head.status;
    if ('fault' in head) return this.#fail(head.fault);
    this.head = head;
    if (head.body === 'chunked') this.#chunked = new ChunkedReader();
    return this.#feedBody(rest);
  }

  #feedBody(bytes: Buffer): Reading {
    const length = this.head?.body;
    if (this.#chunked !== null) return this.#feedChunked(this.#chunked, bytes);
    if (typeof length !== 'number') {
      this.#keep(bytes);
      return this.#seenBytes > MAX_READ_BYTES ? this.#cut() : 'more';
    }
    const wanted = bytes.subarray(0, length - this.#seenBytes);
    this.#keep(wanted);
    if (this.#seenBytes === length) return this.#complete(wanted.length === bytes.length);
    return this.#seenBytes > MAX_READ_BYTES ? this.#cut() : 'more';
  }

  #feedChunked(chunked: ChunkedReader, bytes: Buffer): Reading {
    const used = chunked.feed(bytes, (data) => this.#keep(data));
    if (chunked.state === 'done') return this.#complete(used === bytes.length);
    return chunked.state === 'broken' || this.#seenBytes > MAX_READ_BYTES ? this.#cut() : 'more';
  }

  #keep(data: Buffer): void {
    this.#seenBytes += data.length;
    const room = MAX_KEPT_BYTES - this.#keptBytes;
    if (data.length > room) this.truncated = true;
    if (data.length === 0 || room === 0) return;
    const kept = Buffer.from(data.subarray(0, room));
    this.#kept.push(kept);
    this.#keptBytes += kept.length;
  }

  #complete(nothingFollows: boolean): Reading {
    this.reusable = nothingFollows && this.head?.reusable === true;
    return 'over';
  }

  #cut(): Reading {
    this.truncated = true;
    return 'over';
  }

  #fail(fault: Cause): Reading {
    this.fault = fault;
    return 'over';
  }
}

const EMPTY = Buffer.alloc(0);
const OPENING = 'HTTP/1.';
const HTTP2_SETTINGS = 4;
const HTTP2_GOAWAY = 7;

/** A server that speaks something else is told from its first bytes: it may well never send an empty line. */
function otherProtocol(bytes: Buffer): Cause | null {
  if (bytes[0] === 0) {
    if (bytes.length < 4) return null;
    return bytes[3] === HTTP2_SETTINGS || bytes[3] === HTTP2_GOAWAY ? 'http2_only' : 'protocol_error';
  }
  const size = Math.min(bytes.length, OPENING.length);
  return bytes.toString('latin1', 0, size) === OPENING.slice(0, size) ? null : 'protocol_error';
}

function endOfHead(text: string): number {
  const crlf = text.indexOf('\n\r\n');
  const lf = text.indexOf('\n\n');
  if (lf !== -1 && (crlf === -1 || lf < crlf)) return lf + 2;
  return crlf === -1 ? -1 : crlf + 3;
}
