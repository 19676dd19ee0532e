import { CAUSES } from './causes.ts';
import type { Cause } from './causes.ts';

/** It is worth a write when it has failed for so long. */
const KEPT_AFTER_MS = 60_000;
/** The operator is told of an endpoint that is up and refuses everything after this time. */
const TOLD_AFTER_MS = 3_600_000;
/** Deliveries that have failed: one alone may fail for weeks, as some schedules go, and says nothing about the others. */
const LEAST_DELIVERIES = 5;

/** What is kept of it over a restart. */
export interface Kept {
  readonly since: number;
  readonly failures: number;
  readonly told: boolean;
}

export interface Heard {
  readonly cause: Cause;
  readonly delivery: string;
  readonly now: number;
  /** True: its breaker is closed. */
  readonly closed: boolean;
  /** Null: never. */
  readonly disableAfterMs: number | null;
}

/** How an endpoint has been doing: since when it has done nothing but fail, and whether the operator knows. */
export class Standing {
  #since: number | null = null;
  #failures = 0;
  /** The first few of those that failed. */
  readonly #deliveries = new Set<string>();
  #told = false;
  #kept: Kept | null = null;

  /** Of the first failure after the last success; null: the last answer was a success, or there was none. */
  get since(): number | null {
    return this.#since;
  }

  /** Whether the operator was told that it fails, and not yet that it is back. */
  get told(): boolean {
    return this.#told;
  }

  /** Failures since then. */
  get failures(): number {
    return this.#failures;
  }

  /** Takes an attempt in; answers with what the operator is to be told, or that it has failed for long enough. */
  heard({ cause, delivery, now, closed, disableAfterMs }: Heard): 'failing' | 'recovered' | 'disable' | null {
    // What Paybell itself could not do is not the endpoint's failure.
    if (CAUSES[cause].blames === 'paybell') return null;
    if (cause === 'ok') {
      this.renew();
      if (!this.#told || !closed) return null;
      this.#told = false;
      return 'recovered';
    }
    this.#since ??= now;
    this.#failures += 1;
    if (this.#deliveries.size < LEAST_DELIVERIES) this.#deliveries.add(delivery);
    const several = this.#deliveries.size >= LEAST_DELIVERIES;
    const lasted = now - this.#since;
    if (disableAfterMs !== null && lasted >= disableAfterMs && several) return 'disable';
    if (this.#told || (closed && (lasted < TOLD_AFTER_MS || !several))) return null;
    this.#told = true;
    return 'failing';
  }

  /** Somebody changed the endpoint, or it was found to have succeeded after all: it begins anew. */
  renew(): void {
    this.#since = null;
    this.#failures = 0;
    this.#deliveries.clear();
  }

  /** What is to be written now, so that a restart forgets nothing; undefined: it stands already. Flapping costs nothing. */
  change(now: number): Kept | null | undefined {
    const since = this.#since;
    const kept =
      since !== null && (this.#told || now - since >= KEPT_AFTER_MS) ? { since, failures: this.#failures, told: this.#told } : null;
    if (kept?.since === this.#kept?.since && kept?.told === this.#kept?.told) return undefined;
    this.#kept = kept;
    return kept;
  }

  /** As it was when the process before ended. */
  restore(kept: Kept): void {
    this.#kept = kept;
    this.#since = kept.since;
    this.#failures = kept.failures;
    this.#told = kept.told;
  }
}
