import type { Pool } from 'pg';
import type { StoredTally } from '../../ledger/stats.ts';
import { MOST_PENDING, statsOf } from '../../ledger/stats.ts';
import { SLOT_MS, STANDING } from '../../ledger/tally.ts';
import type { TallyLine } from '../../ledger/tally.ts';
import type { Stats, StatsQuery } from '../contract.ts';
import { typedRowsOf } from './arrays.ts';
import { WAITING } from './claim.ts';
import { ask, ofMerchant } from './page.ts';
import { stepOver } from './steps.ts';
import type { Step } from './steps.ts';

const LINES = typedRowsOf('tally_row', {
  shard: 'int8',
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

const ADD = stepOver('tallies', {
  rows: LINES,
  text: (
    rows,
  ) => `counted AS (INSERT INTO tallies AS t (shard, slot, count, last_at, exponent, value, merchant, name, provider, kind, status, rail, currency)
    SELECT shard, slot, count, last_at, exponent, value::numeric, merchant, name, provider, kind, status, rail, currency FROM ${rows}
    ORDER BY slot, merchant, name, provider, kind, status, rail, currency, exponent
    ON CONFLICT (${KEY}) DO UPDATE SET count = t.count + excluded.count, value = t.value + excluded.value, last_at = greatest(t.last_at, excluded.last_at))`,
});

/** Adds the sums of one commit to lines of its own. */
export function writeTallies(lines: readonly TallyLine[], shard: number): Step[] {
  return ADD(
    lines.flatMap((line) => {
      const { slot, count, exponent, value, merchant, name, provider, kind, status, rail, currency } = line;
      if (count === 0 && value === 0n) return [];
      return [
        {
          shard,
          slot,
          count,
          last_at: line.lastAt,
          exponent,
          value: String(value),
          merchant,
          name,
          provider,
          kind,
          status,
          rail,
          currency,
        },
      ];
    }),
  );
}

const PENDING = `SELECT count(*) AS n FROM (SELECT 1 FROM open_deliveries WHERE status = 'pending' LIMIT ${MOST_PENDING}) p`;

// By way of the endpoints with work, each of which is of one merchant: what waits for the others is not looked through. The order keeps
// the planner on the index.
const PENDING_OF = `WITH RECURSIVE ${WAITING} SELECT count(*) AS n FROM (SELECT 1 FROM waiting w
    CROSS JOIN LATERAL (SELECT merchant FROM open_deliveries WHERE endpoint = w.endpoint AND status = 'pending' ORDER BY turn, due_at LIMIT 1) m
    CROSS JOIN LATERAL (SELECT 1 FROM open_deliveries o WHERE o.endpoint = w.endpoint AND o.status = 'pending' ORDER BY turn, due_at LIMIT ${MOST_PENDING}) o
    WHERE m.merchant = ? LIMIT ${MOST_PENDING}) p`;

/** Counts and money of a window, from the tallies alone: its cost grows with the window, never with history. */
export function statsOperations(reads: Pool) {
  return {
    async stats(query: StatsQuery): Promise<Stats> {
      const { sql, values } = ofMerchant(query.merchant);
      const select = `SELECT slot, name, provider, kind, status, rail, currency, exponent, sum(count)::bigint AS count, sum(value)::text AS value, max(last_at) AS last_at FROM tallies`;
      const lines = (where: string, bounds: readonly number[]): Promise<StoredTally[]> =>
        ask<StoredTally>(
          reads,
          `${select} WHERE ${where} AND ${sql} GROUP BY slot, name, provider, kind, status, rail, currency, exponent`,
          [...bounds, ...values],
        );
      const [rows, standing, waiting] = await Promise.all([
        lines('slot >= ? AND slot <= ?', [Math.floor(query.from / SLOT_MS), Math.floor(query.to / SLOT_MS)]),
        lines('slot = ?', [STANDING]),
        ask<{ n: number }>(reads, query.merchant === null ? PENDING : PENDING_OF, values),
      ]);
      return statsOf({ rows, standing, pending: waiting[0]?.n ?? 0 }, query);
    },
  };
}
