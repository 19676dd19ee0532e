/** Calls at once to an endpoint of which nothing is known, or that does not answer. */
const FIRST_LIMIT = 4;
/** Answers may take this long, whatever is usual, without anything being wrong. */
const QUICK_MS = 250;
const SLOW_MS = 1_000;
const HOLDS = 2;
const WORSE = 4;
/** Weight of one answer in what is recent, and of one round of answers in what is usual. */
const RECENT = 0.1;
/** Few calls at once take as long as the endpoint needs; many may wait for each other, which must not become usual soon. */
const USUAL_OF_FEW = 0.2;
const USUAL_RISING = 0.002;
const USUAL_FALLING = 0.5;
const CUT = 0.5;
const EASED = 0.9;

export interface Answered {
  readonly startedAt: number;
  readonly now: number;
  readonly durationMs: number;
  /** `slower`: it asks for, or shows that it needs, fewer calls at once. */
  readonly how: 'ok' | 'slower' | 'failed';
  /** True: as many calls were in flight as allowed. Else the answer says nothing about more. */
  readonly full: boolean;
  /** The endpoint's `maxInFlight`. */
  readonly cap: number;
}

/**
 * How many calls an endpoint gets at once: it doubles from round to round until it is too much, then grows by one a round (additive
 * increase) while answers take about as long as usual, and halves when the endpoint asks for less or stops answering in time
 * (multiplicative decrease), once a round. Answers under 250 ms are quick whatever is usual: a fast endpoint is never slowed down.
 * Answers that merely take much longer than usual cost it a tenth a round, and never the first few calls.
 */
export class Pace {
  #limit = FIRST_LIMIT;
  #doubling = true;
  #cutAt = -Infinity;
  #recentMs: number | null = null;
  #usualMs = 0;
  #answeredAt = -Infinity;

  /** Calls at once now. `busySince`: since when calls have been in flight without a break; null: none are. */
  limit(cap: number, now: number, busySince: number | null): number {
    const limit = Math.max(1, Math.min(cap, Math.floor(this.#limit)));
    if (busySince === null) return limit;
    const silentMs = now - Math.max(this.#answeredAt, busySince);
    return silentMs < Math.max(SLOW_MS, WORSE * this.#usualMs) ? limit : Math.min(limit, FIRST_LIMIT);
  }

  ended({ startedAt, now, durationMs, how, full, cap }: Answered): void {
    this.#answeredAt = now;
    if (how === 'slower') {
      this.#shrink({ factor: CUT, least: 1 }, startedAt, now);
      return;
    }
    if (how === 'failed') return;
    this.#measure(durationMs);
    const recent = this.#recentMs ?? 0;
    if (recent > Math.max(SLOW_MS, WORSE * this.#usualMs)) this.#shrink({ factor: EASED, least: FIRST_LIMIT }, startedAt, now);
    else if (full && recent <= Math.max(QUICK_MS, HOLDS * this.#usualMs))
      this.#limit = Math.min(Math.max(this.#limit, cap), this.#limit + (this.#doubling ? 1 : 1 / this.#limit));
  }

  /** Calls that were in flight when it was cut tell of the time before. */
  #shrink({ factor, least }: { factor: number; least: number }, startedAt: number, now: number): void {
    this.#doubling = false;
    if (startedAt < this.#cutAt) return;
    this.#cutAt = now;
    this.#limit = Math.min(this.#limit, Math.max(least, this.#limit * factor));
  }

  #measure(ms: number): void {
    if (this.#recentMs === null) {
      this.#recentMs = this.#usualMs = ms;
      return;
    }
    this.#recentMs += (ms - this.#recentMs) * RECENT;
    const weight = ms < this.#usualMs ? USUAL_FALLING : this.#limit <= FIRST_LIMIT ? USUAL_OF_FEW : USUAL_RISING;
    this.#usualMs += ((ms - this.#usualMs) * weight) / Math.max(1, this.#limit);
  }
}
