const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longer than any schedule in use; keeps sums far from overflow. */
const MAX_MS = 366 * 86_400_000;

/** Milliseconds of `"500ms"`, `"30s"`, `"5m"`, `"20h"` or `"3d"`; null for anything else, a fraction or more than 366 days. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return null;
  const ms = Number(match[1]) * unit;
  return ms <= MAX_MS ? ms : null;
}
