import type { DeliveryRow, LeasedDelivery, NewDelivery, NewEvent, NewRequest, Turn } from '../contract.ts';
import { typedRowsOf } from './arrays.ts';
import type { ContentRow } from './contents.ts';
import { BEHIND, NEVER, PLACED, QUEUED, isOrdered } from './order.ts';
import type { Skew } from './skew.ts';
import { stepOver } from './steps.ts';
import type { Step } from './steps.ts';

/** A delivery row with its present state, whether it is open or has succeeded. */
export const DELIVERY_COLUMNS = `d.id, d.merchant, d.event, d.event_type AS "eventType", d.endpoint, d.transaction_id AS transaction, d.format,
  coalesce(o.status, 'succeeded') AS status, coalesce(o.attempt_count, a.n, 0) AS "attemptCount",
  CASE WHEN o.id IS NULL THEN a.status_code ELSE o.status_code END AS "statusCode", CASE WHEN o.id IS NULL THEN a.cause ELSE o.cause END AS cause,
  nullif(o.due_at, ${NEVER}) AS "nextAttemptAt", d.created_at AS "createdAt", CASE WHEN o.id IS NULL THEN a.finished_at ELSE o.finished_at END AS "finishedAt"`;

/** The last attempt, read only where the delivery is not open any more. */
export const LAST_ATTEMPT = `LEFT JOIN LATERAL (SELECT n, status_code, cause, finished_at FROM attempts WHERE o.id IS NULL AND delivery = d.id ORDER BY n DESC LIMIT 1) a ON true`;

export const DELIVERIES = `deliveries d LEFT JOIN open_deliveries o ON o.id = ANY (ARRAY[d.id]) ${LAST_ATTEMPT}`;

export function deliveryRow(row: DeliveryRow, skew: Skew): DeliveryRow {
  return row.nextAttemptAt === null ? row : { ...row, nextAttemptAt: skew.toLocal(row.nextAttemptAt) };
}

const ROWS = typedRowsOf('delivery_row', {
  created_at: 'int8',
  body_at: 'int8',
  due_at: 'int8',
  started_at: 'int8',
  attempt_count: 'int8',
  turn: 'int8',
  ordered: 'int8',
  ordered_wait: 'int8',
  forced: 'bool',
  id: 'text',
  merchant: 'text',
  event: 'text',
  event_type: 'text',
  endpoint: 'text',
  transaction_id: 'text',
  format: 'text',
  body_of: 'text',
  owner: 'text',
  resend: 'text',
});

const INSERT = stepOver('deliveries', {
  rows: ROWS,
  text: (rows) => `made AS MATERIALIZED (SELECT nextval('deliveries_seq') AS seq, r.* FROM ${rows}),
    kept AS (INSERT INTO deliveries (seq, created_at, body_at, id, merchant, event, event_type, endpoint, transaction_id, format, body_of)
      SELECT seq, created_at, body_at, id, merchant, event, event_type, endpoint, transaction_id, format, body_of FROM made),
    opened AS (INSERT INTO open_deliveries (seq, due_at, ordered, ordered_wait, started_at, attempt_count, failures, turn, forced, id, merchant, endpoint, status, transaction_id, owner, resend)
      SELECT seq, ${PLACED}, ordered_wait, started_at, attempt_count, 0, turn, forced, id, merchant, endpoint, 'pending',
        CASE WHEN place IS NOT NULL THEN transaction_id END, owner, resend FROM (${QUEUED}) q)`,
});

export interface ToDeliver {
  readonly event: Pick<NewEvent, 'id' | 'merchant' | 'type' | 'transaction'>;
  /** The one that brought the event. */
  readonly request: Pick<NewRequest, 'id' | 'receivedAt'> | null;
  readonly at: number;
  /** The resend that makes them. */
  readonly resend: string | null;
  readonly deliveries: readonly NewDelivery[];
  /** JSON text of the event's transaction as this commit leaves it. */
  readonly row: string | null;
}

export interface PreparedDeliveries {
  readonly deliveries: Parameters<typeof ROWS.bind>[0][number][];
  readonly contents: ContentRow[];
  /** JSON texts of the bodies that only the commit could know, by delivery id. */
  readonly bodies: Record<string, string>;
}

/** How many ordered deliveries this commit has already, by endpoint and transaction: those after them stand behind them. */
export type Queued = Map<string, number>;

interface Preparing {
  readonly skew: Skew;
  readonly queued: Queued;
}

/** The rows of an event's deliveries; endpoints that are spoken to in one format share one stored body. */
export function prepareDeliveries(
  { event, request, at, resend, deliveries, row }: ToDeliver,
  { skew, queued }: Preparing,
): PreparedDeliveries {
  const prepared: PreparedDeliveries = { deliveries: [], contents: [], bodies: {} };
  const shared = new Map<string, string>();
  for (const delivery of deliveries) {
    const { id, endpoint, format, body, lease } = delivery;
    const made = format === 'transaction' ? (row ?? 'null') : null;
    if (made !== null) prepared.bodies[id] = made;
    const bytes = made === null ? body : Buffer.from(made);
    const bodyOf = shared.get(format) ?? null;
    if (bodyOf === null && bytes !== null) {
      shared.set(format, id);
      prepared.contents.push({ at, id, headers: null, data: null, body: bytes });
    }
    const passedOn = bytes === null ? request : null;
    const ordered = isOrdered(delivery, event.transaction);
    const queue = `${endpoint} ${event.transaction ?? ''}`;
    const before = queued.get(queue) ?? 0;
    if (ordered) queued.set(queue, before + 1);
    prepared.deliveries.push({
      created_at: at,
      body_at: passedOn?.receivedAt ?? null,
      due_at: skew.toDatabase(lease?.until ?? at),
      started_at: lease === null ? null : at,
      attempt_count: lease === null ? 0 : 1,
      turn: resend === null ? 0 : 2,
      ordered: ordered ? before : null,
      ordered_wait: ordered ? (delivery.orderedWait ?? null) : null,
      forced: delivery.forced === true,
      id,
      merchant: event.merchant,
      event: event.id,
      event_type: event.type,
      endpoint,
      transaction_id: event.transaction,
      format,
      body_of: passedOn?.id ?? bodyOf,
      owner: lease?.owner ?? null,
      resend,
    });
  }
  return prepared;
}

export function insertDeliveries(prepared: readonly PreparedDeliveries[]): Step[] {
  return INSERT(prepared.flatMap(({ deliveries }) => deliveries));
}

export interface LeasedRow {
  readonly id: string;
  readonly merchant: string;
  readonly endpoint: string;
  readonly event: string;
  readonly eventType: string;
  readonly transaction: string | null;
  readonly format: string;
  readonly attempt: number;
  readonly failures: number;
  readonly ordered: boolean;
  /** It waited behind another one, and has waited enough. */
  readonly behind: boolean;
  readonly turn: Turn;
  readonly createdAt: number;
  readonly body: Buffer | null;
  readonly requestHeaders: string | null;
}

/** The time of the content of a delivery `d`. */
export const BODY_AT = 'coalesce(d.body_at, d.created_at)';

/** The content `c` of a delivery `d`: of its own, another's, or the request's. */
export const BODY_FROM = `LEFT JOIN contents c ON c.at = ${BODY_AT} AND c.id = ANY (ARRAY[coalesce(d.body_of, d.id)])`;

/** What a sender needs, given `l (id, attempt, failures, turn, ordered)`: the body of its own, or the request's bytes with their headers. */
export const LEASED_COLUMNS = `d.id, d.merchant, d.endpoint, d.event, d.event_type AS "eventType", d.transaction_id AS transaction, d.format, l.attempt, l.failures, l.turn, l.ordered > 0 AS ordered, l.ordered = ${BEHIND} AS behind,
  d.created_at AS "createdAt", c.body, c.headers AS "requestHeaders"`;

export const LEASED_FROM = `JOIN deliveries d ON d.id = ANY (ARRAY[l.id]) ${BODY_FROM}`;

const NO_BYTES = new Uint8Array(0);

export function leased(
  { body, ordered, behind: _waited, ...row }: LeasedRow,
  { at, until }: { readonly at: number; readonly until: number },
): LeasedDelivery {
  return { ...row, body: body ?? NO_BYTES, leasedAt: at, leaseUntil: until, ...(ordered ? { ordered } : {}) };
}
