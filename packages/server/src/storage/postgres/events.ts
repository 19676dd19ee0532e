import type { Pool } from 'pg';
import type { ById, EventQuery, EventRow, EventWithBody, Page } from '../contract.ts';
import { EVENT_AT, EVENT_CONTENT, goneSince } from './contents.ts';
import { ask, condition, ofMerchant, page } from './page.ts';
import type { Condition } from './page.ts';

export const EVENT_COLUMNS = `e.seq, e.id, e.merchant, e.provider, e.source, e.request, e.item, e.type, e.dedupe_key AS "dedupeKey", e.transaction_id AS transaction,
  e.sequence, e.occurred_at AS "occurredAt", e.recorded_at AS "recordedAt", e.state, e.note, e.duplicates, e.variants,
  ${goneSince('contents', EVENT_AT, 'c.id')} AS "expiredAt"`;
export const BODY_COLUMNS = `c.data, c.body, CASE WHEN q.id IS NOT NULL THEN coalesce(c.headers, '[]') END AS headers`;
const COLUMNS = `${EVENT_COLUMNS}, ${BODY_COLUMNS}`;
const FROM = `events e LEFT JOIN requests q ON q.id = e.request ${EVENT_CONTENT}`;

export interface EventBodyRow extends EventRow {
  readonly body: Uint8Array | null;
  readonly headers: string | null;
}

export function withBody({ body, headers, ...event }: EventBodyRow): EventWithBody {
  return { event, body, headers };
}

/** What is open is few, so it may be the shorter way to the events; what has succeeded is not in that table. */
function delivered({ endpoint, status }: EventQuery): Condition | null {
  if (endpoint === undefined && status === undefined) return null;
  const open = status === 'pending' || status === 'failed';
  const from = `deliveries d ${open ? 'JOIN' : 'LEFT JOIN'} open_deliveries o ON o.id = d.id`;
  const parts = [
    condition('d.endpoint = ?', endpoint),
    open ? condition('o.status = ?', status) : null,
    status === 'succeeded' ? { sql: 'o.id IS NULL', values: [] } : null,
  ].filter((part) => part !== null);
  const sql = `EXISTS (SELECT 1 FROM ${from} WHERE d.event = e.id AND ${parts.map((part) => part.sql).join(' AND ')})`;
  return { sql, values: parts.flatMap((part) => part.values) };
}

/** Reads the log of events. */
export function eventOperations(reads: Pool) {
  return {
    async listEvents(query: EventQuery): Promise<Page<EventWithBody>> {
      const found = await page<EventBodyRow>(reads, {
        query,
        columns: COLUMNS,
        from: FROM,
        walked: 'events e',
        alias: 'e',
        found: [condition('e.transaction_id = ?', query.transaction)],
        narrow: query.transaction !== undefined,
        filters: [
          condition('e.type = ?', query.type),
          condition('e.source = ?', query.source),
          condition('e.state = ?', query.state),
          condition('e.recorded_at >= ?', query.since),
          condition('e.recorded_at <= ?', query.until),
          delivered(query),
        ],
        oldestBy: query.oldestFirst === true ? 'events_seq' : undefined,
      });
      return { rows: found.rows.map(withBody), nextCursor: found.nextCursor };
    },
    async getEvent({ merchant, id }: ById): Promise<EventWithBody | null> {
      const tenant = ofMerchant(merchant, 'e.merchant');
      const [row] = await ask<EventBodyRow & { seq: number }>(reads, `SELECT ${COLUMNS} FROM ${FROM} WHERE e.id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      if (row === undefined) return null;
      const { seq: _seq, ...event } = row;
      return withBody(event);
    },
  };
}
