import type { Socket } from 'node:net';
import { causeOfBreak, type Cause } from './faults.ts';
import { ResponseReader } from './response.ts';

/** How long a body may still drip after its head; the head has decided already. */
const BODY_MS = 2_000;
/** Most servers close idle connections after 5 s: leaving earlier keeps webhooks out of that race. */
const IDLE_MS = 4_000;

export interface Exchanged {
  readonly cause: Cause;
  readonly reader: ResponseReader;
  /** From the request's last byte handed to the network to the first byte of the answer. */
  readonly firstByteMs: number | null;
  /** It broke without a byte of an answer: on a reused connection, the server may have closed it before it saw the request. */
  readonly unanswered: boolean;
}

/** One connection, one call at a time. */
export class Connection {
  /** By `performance.now()`: beyond it, it must not be used again. */
  idleUntil = 0;

  readonly #socket: Socket;
  readonly #onFree: (connection: Connection) => void;
  #current: {
    readonly reader: ResponseReader;
    readonly resolve: (outcome: Exchanged) => void;
    readonly sentAt: number;
    readonly due: number;
  } | null = null;
  #firstByteMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** `onFree` is told after each answer that leaves the connection fit for another call. */
  constructor(socket: Socket, onFree: (connection: Connection) => void) {
    this.#socket = socket;
    this.#onFree = onFree;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onGone(true));
    socket.on('error', (error) => this.#onGone(false, error));
    socket.on('close', () => this.#onGone(false));
  }

  get usable(): boolean {
    return this.#current === null && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Sends the bytes of one request and reads its answer; never throws. `due` by `performance.now()`. */
  exchange(request: Buffer, due: number): Promise<Exchanged> {
    return new Promise((resolve) => {
      const sentAt = performance.now();
      this.#current = { reader: new ResponseReader(), resolve, sentAt, due };
      this.#firstByteMs = null;
      this.#arm(due - sentAt);
      this.#socket.write(request);
      // A destroyed socket swallows writes without a word.
      if (this.#socket.destroyed) this.#onGone(false);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    const current = this.#current;
    // Bytes that nobody asked for would be taken for the answer to the next call.
    if (current === null) return this.destroy();
    this.#firstByteMs ??= performance.now() - current.sentAt;
    const headBefore = current.reader.head;
    const reading = current.reader.feed(chunk);
    if (reading === 'over') this.#finish(null);
    else if (reading === 'flooded') this.#socket.pause();
    else if (headBefore === null && current.reader.head !== null) this.#arm(Math.min(BODY_MS, current.due - performance.now()));
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onDue(), Math.max(0, ms));
    this.#timer.unref();
  }

  #onDue(): void {
    this.#current?.reader.end(false);
    this.#finish(this.#current?.reader.begun === true ? 'headers_timeout' : 'timeout');
  }

  #onGone(cleanly: boolean, error?: Error): void {
    const current = this.#current;
    if (current !== null) {
      current.reader.end(cleanly);
      this.#finish(cleanly ? (current.reader.begun ? 'protocol_error' : 'empty_response') : causeOfBreak(error));
    }
    this.destroy();
  }

  /** `unanswered`: the cause if no whole head has come. */
  #finish(unanswered: Cause | null): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    clearTimeout(this.#timer);
    const { reader } = current;
    const cause = reader.fault ?? reader.head?.cause ?? unanswered ?? 'protocol_error';
    const broke = unanswered !== null && unanswered !== 'timeout' && unanswered !== 'headers_timeout';
    const firstByteMs = this.#firstByteMs;
    this.#release(reader);
    current.resolve({ cause, reader, firstByteMs, unanswered: broke && !reader.begun });
  }

  /** An answer that came before the request was wholly sent leaves the rest of that request in the pipe. */
  #release(reader: ResponseReader): void {
    if (!reader.reusable || this.#socket.writableLength > 0) return this.destroy();
    const toldMs = reader.head?.keepAliveS == null ? IDLE_MS : (reader.head.keepAliveS - 1) * 1_000;
    this.idleUntil = performance.now() + Math.min(IDLE_MS, toldMs);
    this.#onFree(this);
  }
}
