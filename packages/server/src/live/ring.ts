import type { News, Topic } from './hub.ts';
import { parsePositions } from './positions.ts';
import type { Positions } from './positions.ts';

/** An id may be ahead of what this node has heard of another one, but not by more. */
const MOST_AHEAD = 100_000;

/** One node's messages, as far as they are known here. */
interface Origin {
  readonly epoch: string;
  /** Number of the newest. */
  head: number;
  /** From this number on all are kept here. */
  floor: number;
  /** True: its node is gone, and what it made is told nobody any more. */
  gone: boolean;
}

export interface Message {
  readonly origin: Origin;
  readonly n: number;
  /** Null: messages of this origin were missed here, up to this number. */
  readonly news: News | null;
  json: string | null;
}

export interface OwnNews {
  /** Number of the first of `rows`. */
  readonly from: number;
  readonly rows: readonly { readonly topic: Topic; readonly merchant: string; readonly json: string }[];
  /** Position to go on from. */
  readonly at: number;
}

/** The newest messages of all nodes in the order in which they came here, at positions that only count up. */
export class Ring {
  readonly #own: Origin;
  readonly #origins = new Map<string, Origin>();
  readonly #most: { readonly messages: number; readonly weight: number };
  /** The message at position p lies at `p % most`; those from `oldest` to `head` are kept. */
  readonly #kept: (Message | undefined)[] = [];
  #weight = 0;
  oldest = 1;
  head = 0;

  constructor(epoch: string, most: { readonly messages: number; readonly weight: number }) {
    this.#own = this.#origin(epoch, 0);
    this.#most = most;
  }

  /** How many messages this node has made. */
  get made(): number {
    return this.#own.head;
  }

  /** How far each node has come. */
  heads(): Map<string, number> {
    return new Map([...this.#origins.values()].map(({ epoch, head }) => [epoch, head]));
  }

  at(position: number): Message | undefined {
    const message = this.#kept[position % this.#most.messages];
    return message?.origin.gone === true ? undefined : message;
  }

  add(news: News): void {
    this.#append(this.#own, this.#own.head + 1, news);
  }

  /** A message of another node; false where it was heard before. */
  hear(epoch: string, n: number, news: News): boolean {
    const origin = this.#origin(epoch, n - 1);
    if (n <= origin.head) return false;
    this.#append(origin, n, news);
    return true;
  }

  /** How far another node has come, as far as is known here. */
  heard(epoch: string): number | null {
    return this.#origins.get(epoch)?.head ?? null;
  }

  /** Another node has come so far without being heard here; answers whether that is news. `mark`: those who read from here on are to know. */
  missed(epoch: string, upTo: number, mark: boolean): boolean {
    const before = this.heard(epoch);
    const origin = this.#origin(epoch, upTo);
    if (upTo <= (before ?? 0)) return false;
    origin.floor = upTo + 1;
    if (mark) this.#append(origin, upTo, null);
    origin.head = upTo;
    return true;
  }

  /** A node that is gone. */
  forget(epoch: string): void {
    const origin = this.#origins.get(epoch);
    if (origin === undefined || origin === this.#own) return;
    // Who comes back knows nothing of it, and would take all of it for new.
    origin.gone = true;
    this.#origins.delete(epoch);
  }

  /** This node's own messages behind a position, about as many characters as told. */
  ownBehind(position: number, most: number): OwnNews {
    const rows: { topic: Topic; merchant: string; json: string }[] = [];
    let from = this.#own.head + 1;
    let at = Math.max(position, this.oldest - 1);
    for (let characters = 0; at < this.head && characters < most;) {
      const message = this.at(++at);
      if (message?.origin !== this.#own || message.news === null) continue;
      if (rows.length === 0) from = message.n;
      const json = jsonOf(message, message.news);
      characters += json.length;
      rows.push({ topic: message.news.topic, merchant: message.news.merchant, json });
    }
    return { from, rows, at };
  }

  /** How far the reader with this id was; null where the id is of a node that is not known here, in the future, or too old. */
  resumable(id: string): Positions | null {
    const seen = parsePositions(id);
    if (seen === null || [...seen.keys()].some((epoch) => !this.#origins.has(epoch))) return null;
    for (const origin of this.#origins.values()) {
      const n = seen.get(origin.epoch) ?? 0;
      const most = origin === this.#own ? origin.head : origin.head + MOST_AHEAD;
      if (n > most || n + 1 < origin.floor) return null;
    }
    return seen;
  }

  /** The position behind which all lies that such a reader has not seen. */
  before(seen: Positions): number {
    for (let at = this.oldest; at <= this.head; at++) {
      const message = this.at(at);
      if (message !== undefined && message.n > (seen.get(message.origin.epoch) ?? 0)) return at - 1;
    }
    return this.head;
  }

  /** How far each node had come at a position. Before a gap it says more than that: what is resumed from there is too old. */
  positionsAt(position: number): Map<string, number> {
    const positions = this.heads();
    for (let later = this.head; later > position; later--) {
      const message = this.at(later);
      if (message !== undefined && positions.has(message.origin.epoch)) positions.set(message.origin.epoch, message.n - 1);
    }
    return positions;
  }

  #origin(epoch: string, head: number): Origin {
    let origin = this.#origins.get(epoch);
    if (origin === undefined) this.#origins.set(epoch, (origin = { epoch, head, floor: head + 1, gone: false }));
    return origin;
  }

  #append(origin: Origin, n: number, news: News | null): void {
    if (this.head - this.oldest + 1 >= this.#most.messages) this.#forgetOldest();
    this.#kept[++this.head % this.#most.messages] = { origin, n, news, json: null };
    origin.head = n;
    this.#weight += news?.weight ?? 0;
    while (this.#weight > this.#most.weight && this.oldest < this.head) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const slot = this.oldest++ % this.#most.messages;
    const message = this.#kept[slot];
    this.#kept[slot] = undefined;
    if (message === undefined) return;
    this.#weight -= message.news?.weight ?? 0;
    message.origin.floor = Math.max(message.origin.floor, message.n + 1);
  }
}

/** A line end inside would end the field. JSON text has none in its strings. */
const oneLine = (json: string): string => (json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]/g, ' ') : json);
export const jsonOf = (message: Message, news: News): string => (message.json ??= oneLine(news.json()));
