import type { LedgerEvent } from './transaction.ts';

// Four-digit years only, so that times compare as text.
const EARLIEST_MS = Date.parse('0000-01-01T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

// Events of one commit share their times: the last text is kept.
let lastMs = 0;
let lastText = new Date(0).toISOString();

/** RFC 3339 in UTC; a number of milliseconds that no such time has becomes 1970. */
export function rfc3339(ms: number): string {
  if (ms === lastMs) return lastText;
  lastText = new Date(isTime(ms) ? ms : 0).toISOString();
  lastMs = ms;
  return lastText;
}

/** When an event happened as the provider says, else when it was recorded. */
export function eventTime({ occurredAt, recordedAt }: LedgerEvent): string {
  return rfc3339(occurredAt !== null && isTime(occurredAt) ? occurredAt : recordedAt);
}

function isTime(ms: number): boolean {
  return ms >= EARLIEST_MS && ms <= LATEST_MS;
}
