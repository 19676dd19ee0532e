/*
 * What was committed goes to everyone who watches. The last messages are kept, so that a reader who was away a moment gets what it missed,
 * each once. Nobody is waited for: a reader that cannot keep up is dropped and comes back with its id.
 *
 * Every node numbers its own messages and hears those of the others; the id of a message says how far each of them had come
 * (`positions.ts`). So a reader resumes at any node that heard the same. Where messages of a node were missed, readers are told `reset`.
 */

import { formatPositions } from './positions.ts';
import type { Positions } from './positions.ts';
import { jsonOf, Ring } from './ring.ts';

export type Topic = 'request' | 'transaction' | 'delivery' | 'endpoint';

export interface News {
  readonly topic: Topic;
  readonly merchant: string;
  /** About how many characters the row takes; bounds what is kept. */
  readonly weight: number;
  /** The row as JSON text; asked for once at most, and only where somebody watches. */
  json(): string;
}

/** One reader's connection. */
export interface Outlet {
  write(text: string): void;
  /** Bytes that the reader has not taken yet. */
  backlog(): number;
  /** Calls back once, when the backlog is gone. */
  drained(resume: () => void): void;
  drop(): void;
}

export interface Wish {
  /** Null: of all merchants. */
  readonly merchant: string | null;
  readonly topics: ReadonlySet<Topic>;
  /** The last id seen; null: from now on. */
  readonly since: string | null;
}

export interface HubBounds {
  readonly keepMessages: number;
  readonly keepWeight: number;
  readonly maxReaders: number;
  readonly maxBacklogBytes: number;
}

export const HUB_BOUNDS: HubBounds = { keepMessages: 20_000, keepWeight: 24 * 1_048_576, maxReaders: 1_000, maxBacklogBytes: 1_048_576 };
/** Written at once to a reader that catches up. */
const CATCH_UP_CHARACTERS = 256 * 1_024;
interface Reader {
  readonly outlet: Outlet;
  readonly wish: Wish;
  /** Position of the last message that was written or passed over. */
  at: number;
  /** What it had seen elsewhere; null once this node has come as far. */
  seen: Positions | null;
  catchingUp: boolean;
}

export class Hub {
  /** Hears what this node and the others made. */
  readonly ring: Ring;
  readonly #bounds: HubBounds;
  readonly #later: (run: () => void) => void;
  readonly #readers = new Set<Reader>();
  #flushed = 0;
  #waiting = false;
  dropped = 0;
  /** Called after each message of this node, and for each reader that comes. */
  onNews: () => void = () => undefined;
  onReader: () => void = () => undefined;

  constructor(epoch: string, bounds: Partial<HubBounds> = {}, later: (run: () => void) => void = setImmediate) {
    this.#bounds = { ...HUB_BOUNDS, ...bounds };
    this.ring = new Ring(epoch, { messages: this.#bounds.keepMessages, weight: this.#bounds.keepWeight });
    this.#later = later;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** The id of the newest message. */
  get lastId(): string {
    return formatPositions(this.ring.heads());
  }

  publish(news: News): void {
    this.ring.add(news);
    this.#flushLater();
    this.onNews();
  }

  /** Messages of another node, numbered from `from`. What was heard before is passed over; where some are missing, readers are told. */
  receive(epoch: string, from: number, news: readonly News[]): void {
    this.missed(epoch, from - 1);
    for (const [index, one] of news.entries()) this.ring.hear(epoch, from + index, one);
    this.#flushLater();
  }

  /** Another node has come so far: where it was not heard, readers are told to load anew. */
  missed(epoch: string, upTo: number): void {
    if (this.ring.missed(epoch, upTo, this.#readers.size > 0)) this.#flushLater();
  }

  /** Another node is gone, and what it made last may never have come here: readers are told to load anew, once. */
  lost(epoch: string): void {
    if (this.ring.heard(epoch) === null) return;
    this.#flush();
    this.ring.forget(epoch);
    for (const reader of this.#readers) {
      reader.at = this.ring.head;
      reader.seen = null;
      this.#send(reader, this.#reset());
    }
  }

  /** True: as many watch as may. */
  get isFull(): boolean {
    return this.#readers.size >= this.#bounds.maxReaders;
  }

  /** The answer ends it. */
  subscribe(wish: Wish, outlet: Outlet): () => void {
    const seen = wish.since === null ? null : this.ring.resumable(wish.since);
    const reader: Reader = { outlet, wish, at: seen === null ? this.ring.head : this.ring.before(seen), seen, catchingUp: false };
    this.#readers.add(reader);
    this.onReader();
    outlet.write(wish.since !== null && seen === null ? this.#reset() : `id: ${formatPositions(seen ?? this.ring.heads())}\n\n`);
    if (reader.at < this.ring.head || seen !== null) this.#catchUp(reader);
    return () => void this.#readers.delete(reader);
  }

  /** A comment that keeps connections open, with the newest id: readers of quiet topics must not grow old. */
  beat(): void {
    this.#flush();
    for (const reader of this.#readers) {
      if (!reader.catchingUp && reader.seen === null) this.#send(reader, `: still here\nid: ${this.lastId}\n\n`);
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const reader of this.#readers) reader.outlet.drop();
    this.#readers.clear();
  }

  #flushLater(): void {
    if (this.#waiting || this.#readers.size === 0) return;
    this.#waiting = true;
    this.#later(() => {
      this.#waiting = false;
      this.#flush();
    });
  }

  #reset(id = this.lastId): string {
    return `event: reset\nid: ${id}\ndata: {}\n\n`;
  }

  #flush(): void {
    const from = this.#flushed;
    this.#flushed = this.ring.head;
    if (from === this.ring.head || this.#readers.size === 0) return;
    const texts = new Map<string, string>();
    for (const reader of this.#readers) {
      if (reader.catchingUp || reader.at >= this.ring.head) continue;
      if (reader.at < this.ring.oldest - 1 || reader.at !== from || reader.seen !== null) {
        this.#catchUp(reader);
        continue;
      }
      const key = `${reader.wish.merchant ?? '*'} ${[...reader.wish.topics].join()}`;
      let text = texts.get(key);
      if (text === undefined) {
        text = this.#frames(reader, Infinity).text;
        texts.set(key, text);
      }
      reader.at = this.ring.head;
      if (text !== '') this.#send(reader, text);
    }
  }

  #send(reader: Reader, text: string): void {
    if (reader.outlet.backlog() > this.#bounds.maxBacklogBytes) {
      this.#readers.delete(reader);
      this.dropped++;
      reader.outlet.drop();
      return;
    }
    reader.outlet.write(text);
  }

  /** Writes what was missed piece by piece, each when the one before was taken. */
  #catchUp(reader: Reader): void {
    reader.catchingUp = true;
    if (!this.#readers.has(reader)) return;
    if (reader.at < this.ring.oldest - 1) {
      reader.at = this.ring.head;
      reader.outlet.write(this.#reset());
    }
    const { text, last } = this.#frames(reader, CATCH_UP_CHARACTERS);
    reader.at = last;
    if (text !== '') reader.outlet.write(text);
    if (reader.at < this.ring.head) return reader.outlet.drained(() => this.#catchUp(reader));
    reader.catchingUp = false;
    const { seen } = reader;
    if (seen !== null && [...seen].every(([epoch, n]) => (this.ring.heard(epoch) ?? n) >= n)) reader.seen = null;
  }

  #frames({ wish, at: from, seen }: Reader, most: number): { readonly text: string; readonly last: number } {
    const positions = this.ring.positionsAt(from);
    if (seen !== null) for (const [epoch, n] of seen) positions.set(epoch, Math.max(n, positions.get(epoch) ?? 0));
    let text = '';
    let at = from;
    while (at < this.ring.head && text.length < most) {
      const message = this.ring.at(++at);
      if (message === undefined || message.n <= (seen?.get(message.origin.epoch) ?? 0)) continue;
      const { origin, n, news } = message;
      if (positions.has(origin.epoch)) positions.set(origin.epoch, n);
      if (news === null) text += this.#reset(formatPositions(positions));
      else if (wanted(wish, news)) text += `id: ${formatPositions(positions)}\nevent: ${news.topic}\ndata: ${jsonOf(message, news)}\n\n`;
    }
    return { text, last: at };
  }
}

const wanted = (wish: Wish, news: News): boolean =>
  wish.topics.has(news.topic) && (wish.merchant === null || wish.merchant === news.merchant);
