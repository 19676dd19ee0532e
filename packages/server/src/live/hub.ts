/*
 * What was committed goes to everyone who watches. Messages carry ids `EPOCH-N`; the last ones are kept, so that a reader who was
 * away a moment gets what it missed, each once. Nobody is waited for: a reader that cannot keep up is dropped and comes back with its id.
 */

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

interface Message {
  readonly news: News;
  frame: string | null;
}

interface Reader {
  readonly outlet: Outlet;
  readonly wish: Wish;
  /** Number of the last message that was written or passed over. */
  at: number;
  catchingUp: boolean;
}

export class Hub {
  readonly #epoch: string;
  readonly #bounds: HubBounds;
  readonly #later: (run: () => void) => void;
  readonly #readers = new Set<Reader>();
  /** Message n lies at `n % keepMessages`; those from `#oldest` to `#head` are kept. */
  readonly #kept: (Message | undefined)[] = [];
  #oldest = 1;
  #head = 0;
  #weight = 0;
  #flushed = 0;
  #waiting = false;
  dropped = 0;

  constructor(epoch: string, bounds: Partial<HubBounds> = {}, later: (run: () => void) => void = setImmediate) {
    this.#epoch = epoch;
    this.#bounds = { ...HUB_BOUNDS, ...bounds };
    this.#later = later;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** The id of the newest message. */
  get lastId(): string {
    return `${this.#epoch}-${this.#head}`;
  }

  publish(news: News): void {
    if (this.#head - this.#oldest + 1 >= this.#bounds.keepMessages) this.#forget();
    const n = ++this.#head;
    this.#kept[n % this.#bounds.keepMessages] = { news, frame: null };
    this.#weight += news.weight;
    while (this.#weight > this.#bounds.keepWeight && this.#oldest < this.#head) this.#forget();
    if (this.#waiting || this.#readers.size === 0) return;
    this.#waiting = true;
    this.#later(() => {
      this.#waiting = false;
      this.#flush();
    });
  }

  /** True: as many watch as may. */
  get isFull(): boolean {
    return this.#readers.size >= this.#bounds.maxReaders;
  }

  /** The answer ends it. */
  subscribe(wish: Wish, outlet: Outlet): () => void {
    const from = wish.since === null ? this.#head : this.#numberOf(wish.since);
    const reader: Reader = { outlet, wish, at: from ?? this.#head, catchingUp: false };
    this.#readers.add(reader);
    outlet.write(from === null ? this.#reset() : `id: ${this.#epoch}-${reader.at}\n\n`);
    if (reader.at < this.#head) this.#catchUp(reader);
    return () => void this.#readers.delete(reader);
  }

  /** A comment that keeps connections open, with the newest id: readers of quiet topics must not grow old. */
  beat(): void {
    this.#flush();
    for (const reader of this.#readers) {
      if (!reader.catchingUp) this.#send(reader, `: still here\nid: ${this.lastId}\n\n`);
    }
  }

  /** Ends every stream. */
  close(): void {
    for (const reader of this.#readers) reader.outlet.drop();
    this.#readers.clear();
  }

  #forget(): void {
    const slot = this.#oldest++ % this.#bounds.keepMessages;
    this.#weight -= this.#kept[slot]?.news.weight ?? 0;
    this.#kept[slot] = undefined;
  }

  /** Null where it is of another process, in the future or too old. */
  #numberOf(id: string): number | null {
    const match = /^([A-Za-z0-9]+)-(\d{1,15})$/.exec(id);
    const n = Number(match?.[2]);
    return match?.[1] === this.#epoch && n <= this.#head && n >= this.#oldest - 1 ? n : null;
  }

  #reset(): string {
    return `event: reset\nid: ${this.lastId}\ndata: {}\n\n`;
  }

  #flush(): void {
    const from = this.#flushed;
    this.#flushed = this.#head;
    if (from === this.#head || this.#readers.size === 0) return;
    const texts = new Map<string, string>();
    for (const reader of this.#readers) {
      if (reader.catchingUp || reader.at >= this.#head) continue;
      if (reader.at < this.#oldest - 1 || reader.at !== from) {
        this.#catchUp(reader);
        continue;
      }
      const key = `${reader.wish.merchant ?? '*'} ${[...reader.wish.topics].join()}`;
      let text = texts.get(key);
      if (text === undefined) {
        text = this.#frames(reader.wish, from, Infinity).text;
        texts.set(key, text);
      }
      reader.at = this.#head;
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
    if (reader.at < this.#oldest - 1) {
      reader.at = this.#head;
      reader.outlet.write(this.#reset());
    }
    const { text, last } = this.#frames(reader.wish, reader.at, CATCH_UP_CHARACTERS);
    reader.at = last;
    if (text !== '') reader.outlet.write(text);
    if (reader.at < this.#head) reader.outlet.drained(() => this.#catchUp(reader));
    else reader.catchingUp = false;
  }

  #frames(wish: Wish, from: number, most: number): { readonly text: string; readonly last: number } {
    let text = '';
    let n = from;
    while (n < this.#head && text.length < most) {
      const message = this.#kept[++n % this.#bounds.keepMessages];
      if (message === undefined || !wanted(wish, message.news)) continue;
      text += message.frame ??= `id: ${this.#epoch}-${n}\nevent: ${message.news.topic}\ndata: ${oneLine(message.news.json())}\n\n`;
    }
    return { text, last: n };
  }
}

const wanted = (wish: Wish, news: News): boolean =>
  wish.topics.has(news.topic) && (wish.merchant === null || wish.merchant === news.merchant);
/** A line end inside would end the field. JSON text has none in its strings. */
const oneLine = (json: string): string => (json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]/g, ' ') : json);
