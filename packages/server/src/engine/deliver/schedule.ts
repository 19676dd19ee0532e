import type { RetryPolicy } from '../../storage/contract.ts';
import { parseDuration } from './durations.ts';
import { parseRetryAfter } from './retry-after.ts';

/** Every retry policy comes down to one list: the wait before each try, the first always 0. */
export interface RetrySchedule {
  readonly delaysMs: readonly number[];
  /** Fraction by which a wait may be shorter or longer: 0.2 is plus or minus 20 %. */
  readonly jitter: number;
}

export type SchedulePlan = { readonly ok: true; readonly schedule: RetrySchedule } | { readonly ok: false; readonly problem: string };

const MAX_TRIES = 100;
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * A printed schedule is a promise to the merchant ("again after 5 minutes"), and its waits already spread calls over
 * time, so it is kept exactly unless jitter is set. A formula promises no times and gets jitter of its own.
 */
const LIST_JITTER = 0;
const FORMULA_JITTER = 0.2;

/** Reads a retry policy; on a bad one, a sentence that says what to change. */
export function planRetries(policy: RetryPolicy): SchedulePlan {
  const jitter = policy.jitter ?? ('delays' in policy ? LIST_JITTER : FORMULA_JITTER);
  if (!(jitter >= 0 && jitter <= 1)) return problem('"jitter" is a fraction from 0 to 1.');
  return 'delays' in policy ? planList(policy.delays, jitter) : planFormula(policy, jitter);
}

function planList(delays: readonly string[], jitter: number): SchedulePlan {
  if (delays.length === 0) return problem('"delays" needs at least one entry: "0s" is a single try.');
  if (delays.length > MAX_TRIES) return problem(`"delays" has ${delays.length} entries; at most ${MAX_TRIES} tries are made.`);
  const delaysMs: number[] = [];
  for (const [index, text] of delays.entries()) {
    const ms = parseDuration(text);
    if (ms === null) return problem(`Entry ${index + 1} of "delays" is not a duration such as "30s", "5m" or "20h".`);
    delaysMs.push(ms);
  }
  if (delaysMs[0] !== 0) return problem('The first entry of "delays" is the wait before the first try and must be "0s".');
  return { ok: true, schedule: { delaysMs, jitter } };
}

function planFormula(policy: Exclude<RetryPolicy, { delays: unknown }>, jitter: number): SchedulePlan {
  const first = parseDuration(policy.first);
  const cap = parseDuration(policy.cap);
  const window = parseDuration(policy.window);
  if (first === null || cap === null || window === null)
    return problem('"first", "cap" and "window" are durations such as "30s", "5m" or "20h".');
  if (!(policy.factor >= 1 && policy.factor <= 100)) return problem('"factor" is a number from 1 to 100.');
  if (first < 1_000) return problem('"first" is at least "1s".');
  if (cap < first) return problem('"cap" is at least as long as "first".');
  const delaysMs = [0];
  let wait = first;
  for (let sum = wait; sum <= window; sum += wait) {
    if (delaysMs.length === MAX_TRIES)
      return problem(`This makes more than ${MAX_TRIES} tries: use a longer "first" or "cap", a larger "factor" or a shorter "window".`);
    delaysMs.push(wait);
    wait = Math.min(cap, Math.round(wait * policy.factor));
  }
  return { ok: true, schedule: { delaysMs, jitter } };
}

function problem(text: string): SchedulePlan {
  return { ok: false, problem: text };
}

export interface NextTry {
  readonly schedule: RetrySchedule;
  /** Tries that failed so far: 0 before the first. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The header as the endpoint sent it. */
  readonly retryAfter?: string | undefined;
  /** From 0 to below 1. */
  readonly random: number;
}

/**
 * When the next try is due, in milliseconds since 1970. `Retry-After` can only make it later, by 24 hours at most, and
 * never adds a try.
 */
export function nextTry({ schedule, failures, now, retryAfter, random }: NextTry): { readonly at: number } | 'exhausted' {
  const delay = schedule.delaysMs[failures];
  if (delay === undefined) return 'exhausted';
  const backoff = Math.round(delay * (1 + schedule.jitter * (2 * random - 1)));
  const asked = retryAfter === undefined ? null : parseRetryAfter(retryAfter, now);
  return { at: now + Math.max(backoff, Math.min(asked ?? 0, MAX_RETRY_AFTER_MS)) };
}
