import { Problem } from './problems.ts';

/** Milliseconds since 1970 as RFC 3339 UTC. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();
export const maybeTime = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));

/** What a field that takes a time says of anything else. */
export const AS_TIME = 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z.';
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds of an RFC 3339 time, or of milliseconds since 1970 as digits; null for anything else. */
export function readTime(text: string): number | null {
  const ms = /^\d{10,15}$/.test(text) ? Number(text) : RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 && ms <= 8_640_000_000_000_000 ? ms : null;
}

/** As `readTime`; throws a problem that names the field. */
export function timeOf(text: string, path: string, code: 'invalid_query' | 'invalid_body' = 'invalid_query'): number {
  const ms = readTime(text);
  if (ms === null) {
    throw new Problem(code, `${path}: ${AS_TIME}`, { errors: [{ path, message: AS_TIME }] });
  }
  return ms;
}
