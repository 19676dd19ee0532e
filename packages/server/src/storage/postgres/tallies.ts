import type { Pool, PoolClient } from 'pg';
import { SLOT_MS, STANDING } from '../../ledger/tally.ts';
import type { TallyLine } from '../../ledger/tally.ts';
import type { MoneyCount, Stats, StatsQuery } from '../contract.ts';
import { rowsOf } from './arrays.ts';
import { ask, ofMerchant } from './page.ts';

const LINES = rowsOf({
  slot: 'int8',
  count: 'int8',
  last_at: 'int8',
  exponent: 'int8',
  value: 'text',
  merchant: 'text',
  name: 'text',
  provider: 'text',
  kind: 'text',
  status: 'text',
  rail: 'text',
  currency: 'text',
});

const KEY = 'slot, merchant, name, provider, kind, status, rail, currency, exponent, shard';

const ADD = {
  name: 'add_tallies',
  text: `INSERT INTO tallies AS t (shard, slot, count, last_at, exponent, value, merchant, name, provider, kind, status, rail, currency)
    SELECT $1, slot, count, last_at, exponent, value::numeric, merchant, name, provider, kind, status, rail, currency FROM ${LINES.unnest(2)}
    ORDER BY slot, merchant, name, provider, kind, status, rail, currency, exponent
    ON CONFLICT (${KEY}) DO UPDATE SET count = t.count + excluded.count, value = t.value + excluded.value, last_at = greatest(t.last_at, excluded.last_at)`,
};

/** Adds the sums of one commit to the lines of this process. */
export function writeTallies(client: PoolClient, lines: readonly TallyLine[], shard: number): Promise<unknown> {
  const rows = lines.flatMap((line) => {
    const { slot, count, exponent, value, merchant, name, provider, kind, status, rail, currency } = line;
    if (count === 0 && value === 0n) return [];
    return [{ slot, count, last_at: line.lastAt, exponent, value: String(value), merchant, name, provider, kind, status, rail, currency }];
  });
  return client.query({ ...ADD, values: [shard, ...LINES.bind(rows)] });
}

interface Row {
  readonly slot: number;
  readonly name: string;
  readonly provider: string;
  readonly kind: string;
  readonly status: string;
  readonly rail: string;
  readonly currency: string;
  readonly exponent: number;
  readonly count: number;
  readonly value: string;
  readonly last_at: number;
}

const MOST_COUNTED = 100_000;

/** Counts and money of a window, from the tallies alone: its cost grows with the window, never with history. */
export function statsOperations(reads: Pool) {
  return {
    async stats(query: StatsQuery): Promise<Stats> {
      const { sql, values } = ofMerchant(query.merchant);
      const select = `SELECT slot, name, provider, kind, status, rail, currency, exponent, sum(count)::bigint AS count, sum(value)::text AS value, max(last_at) AS last_at FROM tallies`;
      const lines = (where: string, bounds: readonly number[]): Promise<Row[]> =>
        ask<Row>(reads, `${select} WHERE ${where} AND ${sql} GROUP BY slot, name, provider, kind, status, rail, currency, exponent`, [
          ...bounds,
          ...values,
        ]);
      const pending = `SELECT count(*) AS n FROM (SELECT 1 FROM open_deliveries WHERE status = 'pending' AND ${sql} LIMIT ${MOST_COUNTED}) p`;
      const [rows, standing, waiting] = await Promise.all([
        lines('slot >= ? AND slot <= ?', [Math.floor(query.from / SLOT_MS), Math.floor(query.to / SLOT_MS)]),
        lines('slot = ?', [STANDING]),
        ask<{ n: number }>(reads, pending, values),
      ]);
      return {
        money: sum(rows.filter((row) => row.name === 'money')),
        standing: sum(standing.filter((row) => row.name === 'money')),
        series: series(rows, query),
        providers: providers(rows),
        deliveries: {
          pending: waiting[0]?.n ?? 0,
          succeeded: total(rows, 'succeeded'),
          failed: total(rows, 'failed'),
          failedTries: total(rows, 'failed_try'),
        },
      };
    },
  };
}

function total(rows: readonly Row[], name: string): number {
  return rows.reduce((count, row) => (row.name === name ? count + row.count : count), 0);
}

function sum(rows: readonly Row[]): MoneyCount[] {
  const sums = new Map<string, { -readonly [K in keyof MoneyCount]: MoneyCount[K] }>();
  for (const row of rows) {
    const { currency, exponent, kind, status, provider, count, value } = row;
    const key = `${currency}\n${exponent}\n${kind}\n${status}\n${provider}\n${row.rail}`;
    const known = sums.get(key);
    if (known === undefined) {
      sums.set(key, { currency, exponent, kind, status, provider, rail: row.rail === '' ? null : row.rail, count, value });
    } else {
      known.count += count;
      known.value = String(BigInt(known.value) + BigInt(value));
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

function series(rows: readonly Row[], { from, to, bucketMs }: StatsQuery): Stats['series'] {
  const start = Math.floor(from / bucketMs) * bucketMs;
  const empty = { requests: 0, rejected: 0, duplicates: 0, events: 0, succeeded: 0, failed: 0, failedTries: 0 };
  const buckets = Array.from({ length: Math.floor((to - start) / bucketMs) + 1 }, (_, index) => ({
    at: start + index * bucketMs,
    ...empty,
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

function providers(rows: readonly Row[]): Stats['providers'] {
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
