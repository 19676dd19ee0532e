import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Resendable, ResendFilter, ResendWalk } from '../contract.ts';
import { BODY_COLUMNS, EVENT_COLUMNS, withBody } from './events.ts';
import type { EventBodyRow } from './events.ts';
import { condition } from './page.ts';
import type { Condition } from './page.ts';

/** Rows of the log that one call looks at: bounds how long it holds up others. */
const SCAN = 2_000;
/** Rows stand in the order of their commits, which is that of their times but for so much. */
const DISORDER_MS = 60_000;

interface Log {
  readonly table: 'events' | 'deliveries';
  readonly time: 'recorded_at' | 'created_at';
  /** Table with the index that leads through it. */
  readonly from: string;
  readonly alias: 'e' | 'd';
  /** What the index is narrowed by. */
  readonly within: readonly Condition[];
}

/** Which rows to go through: events, or where it counts how they stand with an endpoint, deliveries. */
function logOf(merchant: string, { status, endpoint }: ResendFilter): Log {
  if (status === null || status === 'missing') {
    const within = [{ sql: 'e.merchant = ?', values: [merchant] }];
    return { table: 'events', time: 'recorded_at', from: 'events e INDEXED BY events_of_merchant', alias: 'e', within };
  }
  const of = { table: 'deliveries', time: 'created_at', alias: 'd' } as const;
  if (status !== 'succeeded') {
    const within = [{ sql: `d.merchant = ? AND d.status = ? AND d.status <> 'succeeded'`, values: [merchant, status] }];
    return { ...of, from: 'deliveries d INDEXED BY deliveries_open', within };
  }
  if (endpoint === null)
    return { ...of, from: 'deliveries d INDEXED BY deliveries_of_merchant', within: [{ sql: 'd.merchant = ?', values: [merchant] }] };
  return { ...of, from: 'deliveries d INDEXED BY deliveries_of_endpoint', within: [{ sql: 'd.endpoint = ?', values: [endpoint] }] };
}

/** Of the deliveries of one event to one endpoint the last with this status, and none that stands better: one row for the two of them. */
function standing({ status, endpoint }: ResendFilter): (Condition | null)[] {
  if (status === null) return [];
  if (status === 'missing') {
    const none = 'NOT EXISTS (SELECT 1 FROM deliveries o INDEXED BY deliveries_of_event WHERE o.event = e.id AND o.endpoint = ?)';
    return [{ sql: none, values: [endpoint] }];
  }
  const better = { failed: `o.status IN ('pending', 'succeeded') OR`, pending: `o.status = 'succeeded' OR`, succeeded: '' }[status];
  return [
    condition('d.status = ?', status),
    // What was left unsent on purpose has not failed.
    status === 'failed' ? { sql: `d.cause IS NOT 'superseded'`, values: [] } : null,
    condition('d.endpoint = ?', endpoint ?? undefined),
    {
      sql: `NOT EXISTS (SELECT 1 FROM deliveries o INDEXED BY deliveries_of_event WHERE o.event = d.event AND o.endpoint = d.endpoint
        AND (${better} (o.status = d.status AND o.seq > d.seq)))`,
      values: [],
    },
  ];
}

/** Goes through the log by the number of its rows: nothing is sorted, and no call reads more than a bounded part. */
export function walker(db: DatabaseSync) {
  const ask = (sql: string, values: readonly SQLInputValue[]): Record<string, unknown> => db.prepare(sql).get(...values) ?? {};

  /** The first row of that time or later: halves the log instead of reading it. */
  function firstAt({ table, time }: Log, at: number): number {
    const { low: first, high: last } = ask(`SELECT (SELECT min(seq) FROM ${table}) AS low, (SELECT max(seq) FROM ${table}) AS high`, []);
    let low = Number(first ?? 0);
    let high = Number(last ?? 0) + 1;
    const probe = db.prepare(`SELECT ${time} AS at FROM ${table} WHERE seq >= ? ORDER BY seq LIMIT 1`);
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (Number(probe.get(middle)?.['at']) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where it begins, and the last row that it is about: what is made on the way is not found again. */
  function bounds(log: Log, { since, until }: ResendFilter): { after: number; upto: number } {
    return {
      after: firstAt(log, since - DISORDER_MS) - 1,
      upto: firstAt(log, log.table === 'events' ? until + DISORDER_MS : Infinity) - 1,
    };
  }

  return ({ merchant, filter, cursor, limit, bodies }: ResendWalk): { rows: Resendable[]; cursor: string | null } => {
    const log = logOf(merchant, filter);
    const { after, upto } = cursor === null ? bounds(log, filter) : parse(cursor);
    const { alias, from } = log;
    const part = { sql: `${alias}.seq > ? AND ${alias}.seq <= ?`, values: [after, upto] };
    const inPart = [...log.within, part];
    const scanned = ask(
      `SELECT max(seq) AS last, count(*) AS n FROM (SELECT ${alias}.seq FROM ${from} ${where(inPart)} ORDER BY ${alias}.seq LIMIT ?)`,
      [...valuesOf(inPart), SCAN],
    );
    if (scanned['last'] === null) return { rows: [], cursor: null };
    const last = Number(scanned['last']);
    const asked = [
      ...log.within,
      { sql: part.sql, values: [after, last] },
      condition('e.recorded_at >= ?', filter.since),
      condition('e.recorded_at <= ?', filter.until),
      condition('e.source = ?', filter.source ?? undefined),
      condition('e.transaction_id = ?', filter.transaction ?? undefined),
      // What has expired cannot be sent again.
      { sql: 'e.expired_at IS NULL AND r.expired_at IS NULL', values: [] },
      ...standing(filter),
    ].filter((one): one is Condition => one !== null);
    const found = db
      .prepare(
        `SELECT ${EVENT_COLUMNS}, ${bodies ? BODY_COLUMNS : 'NULL AS data, NULL AS body, NULL AS headers'}, ${alias}.seq AS at,
           ${alias === 'd' ? 'd.endpoint' : 'NULL AS endpoint'}
         FROM ${from} ${alias === 'd' ? 'CROSS JOIN events e ON e.id = d.event' : ''} LEFT JOIN requests r ON r.id = e.request
         ${where(asked)} ORDER BY ${alias}.seq LIMIT ?`,
      )
      .all(...valuesOf(asked), limit) as unknown as (EventBodyRow & { seq?: number; at: number; endpoint: string | null })[];
    const full = found.length === limit;
    const next = full ? (found.at(-1)?.at ?? last) : last;
    const ended = next >= upto || (!full && Number(scanned['n']) < SCAN);
    return { rows: found.map(resendable), cursor: ended ? null : `${next} ${upto}` };
  };
}

function resendable({
  seq: _seq,
  at: _at,
  endpoint,
  ...row
}: EventBodyRow & { seq?: number; at: number; endpoint: string | null }): Resendable {
  return { found: withBody(row), endpoint };
}

const where = (conditions: readonly Condition[]): string => `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
const valuesOf = (conditions: readonly Condition[]): SQLInputValue[] => conditions.flatMap(({ values }) => [...values]);

function parse(cursor: string): { after: number; upto: number } {
  const [after, upto] = cursor.split(' ').map(Number);
  return { after: after ?? 0, upto: upto ?? 0 };
}
