import type { Pool } from 'pg';
import type { Resendable, ResendFilter, ResendWalk } from '../contract.ts';
import { EVENT_AT, EVENT_CONTENT, isKept } from './contents.ts';
import { BODY_COLUMNS, EVENT_COLUMNS, withBody } from './events.ts';
import type { EventBodyRow } from './events.ts';
import { ask, condition } from './page.ts';
import type { Condition, Value } from './page.ts';

/** Rows of the log that one call looks at: bounds how long it takes. */
const SCAN = 2_000;
/** Rows stand in the order of their commits, which is that of their times but for so much. */
const DISORDER_MS = 60_000;
const NEVER = 8_640_000_000_000_000;

interface Log {
  readonly table: 'events' | 'deliveries';
  readonly time: 'recorded_at' | 'created_at';
  /** What leads through it by number. */
  readonly from: string;
  readonly seq: string;
  /** What the index is narrowed by. */
  readonly within: readonly Condition[];
}

/** Which rows to go through: events, or where it counts how they stand with an endpoint, deliveries. What is open has a small table. */
function logOf(merchant: string, { status, endpoint }: ResendFilter): Log {
  if (status === null || status === 'missing')
    return {
      table: 'events',
      time: 'recorded_at',
      from: 'events e',
      seq: 'e.seq',
      within: [{ sql: 'e.merchant = ?', values: [merchant] }],
    };
  const of = { table: 'deliveries', time: 'created_at' } as const;
  if (status !== 'succeeded')
    return { ...of, from: 'open_deliveries o', seq: 'o.seq', within: [{ sql: 'o.status = ?', values: [status] }] };
  const within = endpoint === null ? { sql: 'd.merchant = ?', values: [merchant] } : { sql: 'd.endpoint = ?', values: [endpoint] };
  return { ...of, from: 'deliveries d', seq: 'd.seq', within: [within] };
}

/** Of the deliveries of one event to one endpoint the last with this status, and none that stands better: one row for the two of them. */
function standing(merchant: string, { status, endpoint }: ResendFilter): (Condition | null)[] {
  if (status === null) return [];
  if (status === 'missing')
    return [{ sql: 'NOT EXISTS (SELECT 1 FROM deliveries x WHERE x.event = e.id AND x.endpoint = ?)', values: [endpoint] }];
  const better = { failed: `y.id IS NULL OR y.status = 'pending' OR`, pending: 'y.id IS NULL OR', succeeded: '' }[status];
  const same = status === 'succeeded' ? 'y.id IS NULL' : 'y.status = o.status';
  return [
    status === 'succeeded' ? { sql: 'NOT EXISTS (SELECT 1 FROM open_deliveries o WHERE o.id = d.id)', values: [] } : null,
    // What was left unsent on purpose has not failed.
    status === 'failed' ? { sql: `o.cause IS DISTINCT FROM 'superseded'`, values: [] } : null,
    condition('d.merchant = ?', merchant),
    condition('d.endpoint = ?', endpoint ?? undefined),
    {
      sql: `NOT EXISTS (SELECT 1 FROM deliveries x LEFT JOIN open_deliveries y ON y.id = x.id
        WHERE x.event = d.event AND x.endpoint = d.endpoint AND x.id <> d.id AND (${better} (${same} AND x.seq > d.seq)))`,
      values: [],
    },
  ];
}

/** Goes through the log by the number of its rows: nothing is sorted, and no call reads more than a bounded part. */
export function walker(reads: Pool) {
  /** The first row of that time or later: halves the log instead of reading it. */
  async function firstAt({ table, time }: Log, at: number): Promise<number> {
    const probe = `(SELECT ${time} FROM ${table} WHERE seq >= (low + high) / 2 ORDER BY seq LIMIT 1)`;
    const [row] = await ask<{ low: number }>(
      reads,
      `WITH RECURSIVE halves (low, high) AS (
         SELECT coalesce((SELECT min(seq) FROM ${table}), 0), coalesce((SELECT max(seq) FROM ${table}), 0) + 1
         UNION ALL
         SELECT CASE WHEN earlier THEN (low + high) / 2 + 1 ELSE low END, CASE WHEN earlier THEN high ELSE (low + high) / 2 END
         FROM (SELECT low, high, coalesce(${probe} < ?, false) AS earlier FROM halves WHERE low < high OFFSET 0) h)
       SELECT low FROM halves WHERE low >= high`,
      [at],
    );
    return row?.low ?? 0;
  }

  /** Where it begins, and the last row that it is about: what is made on the way is not found again. */
  async function bounds(log: Log, { since, until }: ResendFilter): Promise<{ after: number; upto: number }> {
    const [first, beyond] = await Promise.all([
      firstAt(log, Math.max(0, since - DISORDER_MS)),
      firstAt(log, log.table === 'events' ? Math.min(NEVER, until + DISORDER_MS) : NEVER),
    ]);
    return { after: first - 1, upto: beyond - 1 };
  }

  return async ({ merchant, filter, cursor, limit, bodies }: ResendWalk): Promise<{ rows: Resendable[]; cursor: string | null }> => {
    const log = logOf(merchant, filter);
    const { after, upto } = cursor === null ? await bounds(log, filter) : parse(cursor);
    const { seq, from } = log;
    const between = `${seq} > ? AND ${seq} <= ?`;
    const inPart = [...log.within, { sql: between, values: [after, upto] }];
    const [scanned] = await ask<{ last: number | null; n: number }>(
      reads,
      `SELECT max(seq) AS last, count(*)::int AS n FROM (SELECT ${seq} FROM ${from} ${where(inPart)} ORDER BY ${seq} LIMIT ?) s`,
      [...valuesOf(inPart), SCAN],
    );
    const last = scanned?.last ?? null;
    if (last === null) return { rows: [], cursor: null };
    const asked = [
      ...log.within,
      { sql: between, values: [after, last] },
      condition('e.recorded_at >= ?', filter.since),
      condition('e.recorded_at <= ?', filter.until),
      condition('e.source = ?', filter.source ?? undefined),
      condition('e.transaction_id = ?', filter.transaction ?? undefined),
      // What has expired cannot be sent again.
      { sql: isKept('contents', EVENT_AT), values: [] },
      ...standing(merchant, filter),
    ].filter((one) => one !== null);
    const joined =
      log.table === 'events' ? '' : `${from.startsWith('open') ? 'JOIN deliveries d ON d.id = o.id' : ''} JOIN events e ON e.id = d.event`;
    const found = await ask<Found>(
      reads,
      `SELECT ${EVENT_COLUMNS}, ${bodies ? BODY_COLUMNS : 'NULL AS data, NULL AS body, NULL AS headers'}, ${seq} AS at,
         ${log.table === 'events' ? 'NULL' : 'd.endpoint'} AS endpoint
       FROM ${from} ${joined} LEFT JOIN requests q ON q.id = e.request ${EVENT_CONTENT} ${where(asked)} ORDER BY ${seq} LIMIT ?`,
      [...valuesOf(asked), limit],
    );
    const full = found.length === limit;
    const next = full ? (found.at(-1)?.at ?? last) : last;
    const ended = next >= upto || (!full && (scanned?.n ?? 0) < SCAN);
    return { rows: found.map(resendable), cursor: ended ? null : `${next} ${upto}` };
  };
}

type Found = EventBodyRow & { readonly seq?: number; readonly at: number; readonly endpoint: string | null };

function resendable({ seq: _seq, at: _at, endpoint, ...row }: Found): Resendable {
  return { found: withBody(row), endpoint };
}

const where = (conditions: readonly Condition[]): string => `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
const valuesOf = (conditions: readonly Condition[]): Value[] => conditions.flatMap(({ values }) => [...values]);

function parse(cursor: string): { after: number; upto: number } {
  const [after, upto] = cursor.split(' ').map(Number);
  return { after: after ?? 0, upto: upto ?? 0 };
}
