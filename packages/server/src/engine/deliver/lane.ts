import type { LeasedDelivery } from '../../storage/contract.ts';

/** How far ahead of its sending an endpoint may hold leases: as many as it answers in this time. */
const AHEAD_MS = 4_000;
const MOST_AHEAD = 8_000;
/** Weight of the newest second in the measured rate. */
const RATE_WEIGHT = 0.5;
const RATE_MS = 250;

/**
 * One endpoint's own queue and cap: what hangs here holds up nobody else.
 *
 * reserved (in a commit) -> queued (leased, here) -> in flight -> settled. What finds no room stays in the store and is claimed later.
 */
export class Lane {
  readonly endpoint: string;
  readonly queue: LeasedDelivery[] = [];
  inFlight = 0;
  reserved = 0;
  /** When the store holds something due for this endpoint, as far as this process knows; null: nothing. */
  dueAt: number | null = null;
  /** True while the lane stands in the line of those that may send. */
  inLine = false;
  /** True from a 410 until the endpoint is saved as disabled: nothing is sent in between. */
  gone = false;
  #perSecond = 0;
  #ended = 0;
  #since = 0;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** How many more leases this process may hold for the endpoint now. */
  room(cap: number): number {
    const ahead = Math.min(MOST_AHEAD, Math.max(cap, Math.floor((this.#perSecond * AHEAD_MS) / 1000)));
    return cap + ahead - this.inFlight - this.queue.length - this.reserved;
  }

  /** Counts an answered call into the rate. */
  ended(now: number): void {
    this.#ended += 1;
    const passed = now - this.#since;
    if (passed < RATE_MS) return;
    const measured = this.#since === 0 ? 0 : (this.#ended * 1000) / passed;
    this.#perSecond = this.#perSecond * (1 - RATE_WEIGHT) + measured * RATE_WEIGHT;
    this.#ended = 0;
    this.#since = now;
  }

  /** Notes that something is due at `at`; answers whether that is earlier than known. */
  due(at: number): boolean {
    if (this.dueAt !== null && this.dueAt <= at) return false;
    this.dueAt = at;
    return true;
  }
}
