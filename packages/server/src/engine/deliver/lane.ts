import type { LeasedDelivery, Turn } from '../../storage/contract.ts';
import { Breaker } from './breaker.ts';
import { Fifo } from './fifo.ts';
import { Pace } from './pace.ts';
import { Standing } from './standing.ts';

/** How far ahead of its sending an endpoint may hold leases of each turn: as many as it answers in this time, and no more than so many. */
const AHEAD_MS = [4_000, 500, 500] as const;
const MOST_AHEAD = [20_000, 1_000, 1_000] as const;
/** As many first tries while nobody knows how fast it is: what finds no room is claimed later, which costs as much again as recording it. */
const UNKNOWN_AHEAD = 4_000;
/** Bytes of bodies that this process holds ahead of their sending, for all endpoints together; beyond, only what is sent at once. */
const MOST_BYTES_AHEAD = 64 * 1024 * 1024;
/** Weight of the newest second in the measured rate. */
const RATE_WEIGHT = 0.5;
const RATE_MS = 250;
/**
 * What waits goes after so many calls that went before it, whatever else waits: one call in nine is a retry's, one in 33 bulk's. A strict
 * order would starve them for as long as an endpoint is busy; these shares cost the first tries less than one call in six.
 */
const PATIENCE = [Infinity, 8, 32] as const;

export const FIRST: Turn = 0;
export const RETRY: Turn = 1;
const BULK: Turn = 2;
export const TURNS: readonly Turn[] = [FIRST, RETRY, BULK];

/**
 * One endpoint's own queues, pace and breaker: what hangs here holds up nobody else.
 *
 * reserved (in a commit) -> queued (leased, here) -> in flight -> settled. What finds no room stays in the store and is claimed later.
 * First tries, retries and bulk queue apart: the later turns never take the whole cap nor the room of those before them.
 */
export class Lane {
  readonly endpoint: string;
  readonly merchant: string;
  /** First tries in a commit that is not on disk yet. */
  reserved = 0;
  /** True while the lane stands in the line of those that may send. */
  inLine = false;
  /** True from the moment it is to be disabled until it is saved so: nothing is sent in between. */
  closing = false;
  breaker = new Breaker();
  pace = new Pace();
  readonly standing = new Standing();
  /** What the lanes of a process hold together. */
  readonly #held: { bytes: number };
  readonly #queues = TURNS.map(() => new Fifo<LeasedDelivery>());
  readonly #flying = [0, 0, 0];
  /** How many calls went before the oldest of each turn since one of it went. */
  readonly #passedOver = [0, 0, 0];
  readonly #dueAt: (number | null)[] = [null, null, null];
  #busySince: number | null = null;
  /** Null: nobody knows. */
  #perSecond: number | null = null;
  #ended = 0;
  #since = 0;

  constructor(endpoint: string, merchant: string, held = { bytes: 0 }) {
    this.endpoint = endpoint;
    this.merchant = merchant;
    this.#held = held;
  }

  get queued(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.length, 0);
  }

  get inFlight(): number {
    return this.#flying[0]! + this.#flying[1]! + this.#flying[2]!;
  }

  /** Calls at once that the endpoint gets now. */
  limit(maxInFlight: number, now: number): number {
    return Math.min(this.pace.limit(maxInFlight, now, this.#busySince), this.breaker.ceiling(now));
  }

  push(job: LeasedDelivery): void {
    this.#held.bytes += job.body.byteLength;
    this.#queues[job.turn]!.push(job);
  }

  /** Whether something here may be sent now; `cap`, here and below: calls at once as of now. */
  ready(cap: number): boolean {
    return this.#whose(cap) !== null;
  }

  /** Takes out what goes next. */
  next(cap: number): LeasedDelivery | undefined {
    const chosen = this.#whose(cap);
    if (chosen === null) return undefined;
    for (const turn of TURNS) {
      if (turn === chosen || this.#queues[turn]!.length === 0) this.#passedOver[turn] = 0;
      else this.#passedOver[turn]! += 1;
    }
    return this.#take(chosen);
  }

  /** Takes out all that is queued. */
  drain(): LeasedDelivery[] {
    const all: LeasedDelivery[] = [];
    for (const turn of TURNS) for (let job = this.#take(turn); job !== undefined; job = this.#take(turn)) all.push(job);
    return all;
  }

  #take(turn: Turn): LeasedDelivery | undefined {
    const job = this.#queues[turn]!.shift();
    if (job !== undefined) this.#held.bytes -= job.body.byteLength;
    return job;
  }

  started(job: LeasedDelivery, now: number): void {
    if (this.inFlight === 0) this.#busySince = now;
    this.#flying[job.turn]! += 1;
  }

  /** The call's result is written; it counts into the rate. */
  ended(job: LeasedDelivery, now: number): void {
    this.#flying[job.turn]! -= 1;
    if (this.inFlight === 0) this.#busySince = null;
    this.#ended += 1;
    const passed = now - this.#since;
    if (passed < RATE_MS) return;
    if (this.#since > 0) {
      const measured = (this.#ended * 1000) / passed;
      this.#perSecond = this.#perSecond === null ? measured : this.#perSecond * (1 - RATE_WEIGHT) + measured * RATE_WEIGHT;
    }
    this.#ended = 0;
    this.#since = now;
  }

  /** How many more leases of that turn this process may hold for the endpoint now. */
  room(turn: Turn, cap: number): number {
    const held = turn === FIRST ? this.inFlight + this.reserved : this.#flying[turn]!;
    return this.#most(turn, cap) - held - this.#queues[turn]!.length;
  }

  /** How many a claim of that turn should bring; a claim is a commit: while there is something to send it waits until it is worth one. */
  wants(turn: Turn, cap: number): number {
    const room = this.room(turn, cap);
    return room < (this.#queues[turn]!.length > 0 ? this.#most(turn, cap) / 2 : 1) ? 0 : room;
  }

  /**
   * When to ask the store for something of that turn, as far as this process knows what it holds: not before the breaker lets one
   * through. Null: nothing is due.
   */
  askAt(turn: Turn): number | null {
    const at = this.#dueAt[turn]!;
    return at === null ? null : Math.max(at, this.breaker.parkedUntil);
  }

  isDue(turn: Turn, now: number): boolean {
    const at = this.askAt(turn);
    return at !== null && at <= now;
  }

  isAnyDue(now: number): boolean {
    return TURNS.some((turn) => this.isDue(turn, now));
  }

  /** Notes that something is due at `at`; answers whether that is earlier than known. */
  due(turn: Turn, at: number): boolean {
    if (this.#dueAt[turn] !== null && this.#dueAt[turn]! <= at) return false;
    this.#dueAt[turn] = at;
    return true;
  }

  /** The store is asked: what it answers counts. */
  asked(turn: Turn): void {
    this.#dueAt[turn] = null;
  }

  /** Takes it for an endpoint of which nothing is known; where it was down, one call finds out before the others burn their tries. */
  renew(now: number): void {
    const down = this.breaker.state(now) !== 'closed';
    this.breaker = new Breaker();
    if (down) this.breaker.suspect(now);
    this.slowDown();
  }

  /** Forgets how fast it was: it is down. */
  slowDown(): void {
    this.pace = new Pace();
    this.#perSecond = 0;
    this.#since = 0;
  }

  #most(turn: Turn, cap: number): number {
    if (cap === 0) return 0;
    // Of an endpoint that is down, only what is sent at once: all else would be held here for nothing.
    if (this.breaker.parkedUntil > 0 || this.#held.bytes > MOST_BYTES_AHEAD) return capOf(turn, cap);
    const unknown = turn === FIRST ? UNKNOWN_AHEAD : 0;
    const ahead = this.#perSecond === null ? unknown : Math.floor((this.#perSecond * AHEAD_MS[turn]) / 1000);
    return capOf(turn, cap) + Math.min(MOST_AHEAD[turn], Math.max(cap, ahead));
  }

  /** The turn that may send now: the first that waits, or the last whose patience is over. */
  #whose(cap: number): Turn | null {
    if (this.inFlight >= cap) return null;
    let chosen: Turn | null = null;
    for (const turn of TURNS) {
      if (this.#queues[turn]!.length === 0 || !this.#mayFly(turn, cap)) continue;
      if (chosen === null || this.#passedOver[turn]! >= PATIENCE[turn]) chosen = turn;
    }
    return chosen;
  }

  #mayFly(turn: Turn, cap: number): boolean {
    if (turn === FIRST) return true;
    const late = this.#flying[RETRY]! + this.#flying[BULK]!;
    return late < capOf(RETRY, cap) && (turn === RETRY || this.#flying[BULK]! < capOf(BULK, cap));
  }
}

/** Calls of a turn in flight at most, so that a first try finds a free one though the others hang: retries leave an eighth, bulk half. */
function capOf(turn: Turn, cap: number): number {
  if (turn === FIRST) return cap;
  return Math.max(1, cap - Math.ceil(cap / (turn === RETRY ? 8 : 2)));
}
