import type { DatabaseSync } from 'node:sqlite';
import { MOST_PENDING, statsOf } from '../../ledger/stats.ts';
import type { StoredTally } from '../../ledger/stats.ts';
import { SLOT_MS, STANDING } from '../../ledger/tally.ts';
import type { Tally } from '../../ledger/tally.ts';
import type { Stats, StatsQuery } from '../contract.ts';

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

/** Counts and money of a window, from the tallies alone: its cost grows with the window, never with history. */
export function statsOperations(db: DatabaseSync) {
  return {
    stats(query: StatsQuery): Stats {
      const merchant = query.merchant === null ? '' : 'AND merchant = ?';
      const tenant = query.merchant === null ? [] : [query.merchant];
      const rows = db
        .prepare(`SELECT * FROM tallies WHERE slot >= ? AND slot <= ? ${merchant}`)
        .all(Math.floor(query.from / SLOT_MS), Math.floor(query.to / SLOT_MS), ...tenant) as unknown as StoredTally[];
      const standing = db.prepare(`SELECT * FROM tallies WHERE slot = ${STANDING} ${merchant}`).all(...tenant) as unknown as StoredTally[];
      return statsOf({ rows, standing, pending: pending(db, query.merchant) }, query);
    },
  };
}

function pending(db: DatabaseSync, merchant: string | null): number {
  const where = merchant === null ? '' : `merchant = ? AND status <> 'succeeded' AND `;
  const index = merchant === null ? 'INDEXED BY deliveries_due' : 'INDEXED BY deliveries_open';
  const row = db
    .prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM deliveries ${index} WHERE ${where} status = 'pending' LIMIT ${MOST_PENDING})`)
    .get(...(merchant === null ? [] : [merchant]));
  return Number(row?.['n'] ?? 0);
}
