import type { MoneyCount, Stats, StatsQuery } from '../storage/contract.ts';
import { SLOT_MS } from './tally.ts';

/** A line of the tallies as a store gives it back. */
export interface StoredTally {
  readonly slot: number;
  readonly name: string;
  readonly provider: string;
  readonly kind: string;
  readonly status: string;
  readonly rail: string;
  readonly currency: string;
  readonly exponent: number;
  readonly count: number;
  /** Base units. */
  readonly value: string;
  readonly last_at: number;
}

/** Pending deliveries are counted as far as this: the figures of the dashboard must not cost more the more there are. */
export const MOST_PENDING = 20_000;

/** What the dashboard shows of a window, from its tally lines, those that stand now, and the number of pending deliveries. */
export function statsOf(
  found: { rows: readonly StoredTally[]; standing: readonly StoredTally[]; pending: number },
  query: StatsQuery,
): Stats {
  const { rows, standing, pending } = found;
  return {
    money: sum(rows.filter((row) => row.name === 'money')),
    standing: sum(standing.filter((row) => row.name === 'money')),
    series: series(rows, query),
    providers: providers(rows),
    deliveries: { pending, succeeded: total(rows, 'succeeded'), failed: total(rows, 'failed'), failedTries: total(rows, 'failed_try') },
  };
}

function total(rows: readonly StoredTally[], name: string): number {
  return rows.reduce((sum, row) => (row.name === name ? sum + row.count : sum), 0);
}

function sum(rows: readonly StoredTally[]): MoneyCount[] {
  const sums = new Map<string, { -readonly [K in keyof MoneyCount]: MoneyCount[K] }>();
  for (const row of rows) {
    const key = `${row.currency}\n${row.exponent}\n${row.kind}\n${row.status}\n${row.provider}\n${row.rail}`;
    const known = sums.get(key);
    if (known === undefined) {
      const { currency, exponent, kind, status, provider, count, value } = row;
      sums.set(key, { currency, exponent, kind, status, provider, rail: row.rail === '' ? null : row.rail, count, value });
    } else {
      known.count += row.count;
      known.value = String(BigInt(known.value) + BigInt(row.value));
    }
  }
  return [...sums.values()].filter((line) => line.count !== 0 || line.value !== '0');
}

const SERIES = {
  accepted: 'requests',
  rejected: 'rejected',
  duplicate: 'duplicates',
  events: 'events',
  succeeded: 'succeeded',
  failed: 'failed',
  failed_try: 'failedTries',
} as const;

function series(rows: readonly StoredTally[], { from, to, bucketMs }: StatsQuery): Stats['series'] {
  const start = Math.floor(from / bucketMs) * bucketMs;
  const buckets = Array.from({ length: Math.floor((to - start) / bucketMs) + 1 }, (_, index) => ({
    at: start + index * bucketMs,
    requests: 0,
    rejected: 0,
    duplicates: 0,
    events: 0,
    succeeded: 0,
    failed: 0,
    failedTries: 0,
  }));
  for (const row of rows) {
    const bucket = buckets[Math.floor((row.slot * SLOT_MS - start) / bucketMs)];
    const name = SERIES[row.name as keyof typeof SERIES];
    if (bucket === undefined || name === undefined) continue;
    bucket[name] += row.count;
    // Every request that came in counts as one, whatever became of it.
    if (name === 'rejected' || name === 'duplicates') bucket.requests += row.count;
  }
  return buckets;
}

function providers(rows: readonly StoredTally[]): Stats['providers'] {
  const byProvider = new Map<string, { provider: string; requests: number; rejected: number; duplicates: number; lastAt: number | null }>();
  for (const row of rows) {
    if (row.name !== 'accepted' && row.name !== 'rejected' && row.name !== 'duplicate') continue;
    const line = byProvider.get(row.provider) ?? { provider: row.provider, requests: 0, rejected: 0, duplicates: 0, lastAt: null };
    line.requests += row.count;
    if (row.name === 'rejected') line.rejected += row.count;
    if (row.name === 'duplicate') line.duplicates += row.count;
    line.lastAt = Math.max(line.lastAt ?? 0, row.last_at);
    byProvider.set(row.provider, line);
  }
  return [...byProvider.values()];
}
