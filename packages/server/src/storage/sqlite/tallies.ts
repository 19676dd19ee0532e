import type { DatabaseSync } from 'node:sqlite';
import { SLOT_MS, STANDING } from '../../ledger/tally.ts';
import type { Tally } from '../../ledger/tally.ts';
import type { MoneyCount, Stats, StatsQuery } from '../contract.ts';

/** Adds the sums of one commit to the stored lines; amounts are added here, because they outgrow 64 bits. */
export function tallyWriter(db: DatabaseSync) {
  const key =
    'merchant = ? AND slot = ? AND name = ? AND provider = ? AND kind = ? AND status = ? AND rail = ? AND currency = ? AND exponent = ?';
  const read = db.prepare(`SELECT count, value, last_at AS lastAt FROM tallies WHERE ${key}`);
  const insert = db.prepare(
    `INSERT INTO tallies (merchant, slot, name, provider, kind, status, rail, currency, exponent, count, value, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(`UPDATE tallies SET count = ?, value = ?, last_at = ? WHERE ${key}`);
  return {
    write(tally: Tally): void {
      for (const line of tally.lines.values()) {
        if (line.count === 0 && line.value === 0n) continue;
        const at = [
          line.merchant,
          line.slot,
          line.name,
          line.provider,
          line.kind,
          line.status,
          line.rail,
          line.currency,
          line.exponent,
        ] as const;
        const before = read.get(...at) as { count: number; value: string; lastAt: number } | undefined;
        if (before === undefined) insert.run(...at, line.count, String(line.value), line.lastAt);
        else update.run(before.count + line.count, String(BigInt(before.value) + line.value), Math.max(before.lastAt, line.lastAt), ...at);
      }
    },
  };
}

interface Row {
  slot: number;
  name: string;
  provider: string;
  kind: string;
  status: string;
  rail: string;
  currency: string;
  exponent: number;
  count: number;
  value: string;
  last_at: number;
}

/** Counts and money of a window, from the tallies alone: its cost grows with the window, never with history. */
export function statsOperations(db: DatabaseSync) {
  return {
    stats(query: StatsQuery): Stats {
      const merchant = query.merchant === null ? '' : 'AND merchant = ?';
      const tenant = query.merchant === null ? [] : [query.merchant];
      const rows = db
        .prepare(`SELECT * FROM tallies WHERE slot >= ? AND slot <= ? ${merchant}`)
        .all(Math.floor(query.from / SLOT_MS), Math.floor(query.to / SLOT_MS), ...tenant) as unknown as Row[];
      const standing = db.prepare(`SELECT * FROM tallies WHERE slot = ${STANDING} ${merchant}`).all(...tenant) as unknown as Row[];
      const money = sum(rows.filter((row) => row.name === 'money'));
      return {
        money,
        standing: sum(standing.filter((row) => row.name === 'money')),
        series: series(rows, query),
        providers: providers(rows),
        deliveries: {
          pending: pending(db, query.merchant),
          succeeded: total(rows, 'succeeded'),
          failed: total(rows, 'failed'),
          failedTries: total(rows, 'failed_try'),
        },
      };
    },
  };
}

function total(rows: readonly Row[], name: string): number {
  return rows.reduce((sum, row) => (row.name === name ? sum + row.count : sum), 0);
}

function pending(db: DatabaseSync, merchant: string | null): number {
  const where = merchant === null ? '' : 'merchant = ? AND ';
  const row = db
    .prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM deliveries WHERE ${where} status = 'pending' LIMIT 100000)`)
    .get(...(merchant === null ? [] : [merchant]));
  return Number(row?.['n'] ?? 0);
}

function sum(rows: readonly Row[]): MoneyCount[] {
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

function series(rows: readonly Row[], { from, to, bucketMs }: StatsQuery): Stats['series'] {
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
