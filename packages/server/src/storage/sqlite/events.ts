import type { DatabaseSync } from 'node:sqlite';
import type { ById, EventQuery, EventRow, EventWithBody, Page } from '../contract.ts';
import { CHAIN, lastEventFinder } from './chain.ts';
import { condition, page } from './page.ts';
import type { Condition } from './page.ts';

export const EVENT_COLUMNS = `e.seq, e.id, e.merchant, e.provider, e.source, e.request, e.item, e.type, e.dedupe_key AS dedupeKey, e.transaction_id AS "transaction",
  e.sequence, e.occurred_at AS occurredAt, e.recorded_at AS recordedAt, e.state, e.note, e.duplicates, e.variants,
  coalesce(e.expired_at, r.expired_at) AS expiredAt`;
export const BODY_COLUMNS = 'e.data, r.body, r.headers';
const COLUMNS = `${EVENT_COLUMNS}, ${BODY_COLUMNS}`;
const FROM = 'events e LEFT JOIN requests r ON r.id = e.request';

export interface EventBodyRow extends EventRow {
  body: Uint8Array | null;
  headers: string | null;
}

export function withBody({ body, headers, ...event }: EventBodyRow): EventWithBody {
  return { event, body, headers };
}

function delivered({ endpoint, status }: EventQuery): Condition | null {
  if (endpoint === undefined && status === undefined) return null;
  const parts = [condition('d.endpoint = ?', endpoint), condition('d.status = ?', status)].filter(
    (part): part is Condition => part !== null,
  );
  const sql = `EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_of_event WHERE d.event = e.id AND ${parts.map((part) => part.sql).join(' AND ')})`;
  return { sql, values: parts.flatMap((part) => part.values) };
}

/** Reads the log of events. */
export function eventOperations(db: DatabaseSync) {
  const lastEvent = lastEventFinder(db);
  return {
    listEvents: (query: EventQuery): Page<EventWithBody> => {
      const found = page<EventBodyRow>(db, {
        query,
        columns: COLUMNS,
        from: FROM,
        walked: 'events e',
        alias: 'e',
        narrow: query.transaction !== undefined,
        found: [query.transaction === undefined ? null : { sql: `e.seq IN (${CHAIN})`, values: [lastEvent(query.transaction)] }],
        filters: [
          condition('e.type = ?', query.type),
          condition('e.source = ?', query.source),
          condition('e.state = ?', query.state),
          condition('e.recorded_at >= ?', query.since),
          condition('e.recorded_at <= ?', query.until),
          delivered(query),
        ],
        ...(query.oldestFirst === true ? { oldestFirst: true } : {}),
      });
      return { rows: found.rows.map(withBody), nextCursor: found.nextCursor };
    },
    getEvent: ({ merchant, id }: ById): EventWithBody | null => {
      const row = db.prepare(`SELECT ${COLUMNS} FROM ${FROM} WHERE e.id = ? AND (? IS NULL OR e.merchant = ?)`).get(id, merchant, merchant);
      if (row === undefined) return null;
      const { seq: _seq, ...event } = row as unknown as EventBodyRow & { seq: number };
      return withBody(event);
    },
  };
}
