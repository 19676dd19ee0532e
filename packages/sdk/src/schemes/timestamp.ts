import type { Verdict } from '../provider.ts';
import { refuse } from './secret.ts';

/** How far a signed time may lie from the arrival, in seconds, either way. */
const TOLERANCE_SECONDS = 300;

const SECONDS = /^\d{1,12}$/;

/** Judges a signed time in Unix seconds against the arrival (milliseconds); null where it is right. Strict: digits only. */
export function judgeTimestamp(text: string, now: number): Verdict | null {
  if (!SECONDS.test(text)) return refuse('timestamp_malformed', 'The timestamp is not a number of seconds.');
  const age = now / 1000 - Number(text);
  if (age > TOLERANCE_SECONDS) return refuse('timestamp_too_old', `It was signed more than ${TOLERANCE_SECONDS} s before it arrived.`);
  if (age < -TOLERANCE_SECONDS) return refuse('timestamp_too_new', `It was signed more than ${TOLERANCE_SECONDS} s after it arrived.`);
  return null;
}

export function unixSeconds(now: number): string {
  return String(Math.floor(now / 1000));
}
