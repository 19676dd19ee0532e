import type { Pool } from 'pg';
import type { Transaction } from '@paybell/sdk';
import { percentile } from '../../ledger/percentile.ts';
import type {
  AttemptRow,
  ById,
  DeliveryDetail,
  DeliveryQuery,
  DeliveryRow,
  EndpointHealth,
  Page,
  TransactionDetail,
  TransactionQuery,
} from '../contract.ts';
import { MOST_COUNTED, healthSample } from '../../ledger/health.ts';
import { chains } from './chain.ts';
import { goneSince } from './contents.ts';
import { BODY_AT, BODY_FROM, DELIVERIES, DELIVERY_COLUMNS, LAST_ATTEMPT, deliveryRow } from './deliveries.ts';
import { storageError } from './errors.ts';
import { ask, condition, ofMerchant, page } from './page.ts';
import { byReference } from './refs.ts';
import type { Skew } from './skew.ts';

const ATTEMPTS = `SELECT n, started_at AS "startedAt", duration_ms AS "durationMs", outcome, cause, status_code AS "statusCode", truncated, timings,
  request_headers AS "requestHeaders", response_headers AS "responseHeaders", response_body AS "responseBody",
  CASE WHEN outcome <> 'unknown' THEN ${goneSince('attempt_contents', 'started_at', 'response_headers')} END AS "expiredAt"
  FROM attempts a LEFT JOIN LATERAL (SELECT request_headers, response_headers, response_body FROM attempt_contents
    WHERE at = a.started_at AND delivery = a.delivery AND n = a.n OFFSET 0) c ON true
  WHERE delivery = ? ORDER BY n`;

const BODY = `SELECT c.body, ${goneSince('contents', BODY_AT, 'c.id')} AS "expiredAt" FROM deliveries d ${BODY_FROM} WHERE d.id = ?`;

/** Reads deliveries and the ledger. */
export function readOperations(reads: Pool, skew: Skew) {
  return {
    async listDeliveries(query: DeliveryQuery): Promise<Page<DeliveryRow>> {
      const { status } = query;
      // What is open is listed from its own small table; only what has succeeded is found by passing over the others.
      const open = status === 'pending' || status === 'failed';
      const ofEndpoint = condition(`${open ? 'o' : 'd'}.endpoint = ?`, query.endpoint);
      const ofEvent = [
        condition('d.event = ?', query.event),
        condition('d.event IN (SELECT id FROM events WHERE transaction_id = ?)', query.transaction),
      ];
      const found = await page<DeliveryRow>(reads, {
        query,
        columns: `d.seq, ${DELIVERY_COLUMNS}`,
        from: open ? `open_deliveries o JOIN deliveries d ON d.id = o.id ${LAST_ATTEMPT}` : DELIVERIES,
        walked: open ? 'open_deliveries o' : 'deliveries d',
        alias: open ? 'o' : 'd',
        found: [open ? condition('o.status = ?', status) : null, open ? null : ofEndpoint, ...ofEvent],
        narrow: ofEvent.some((one) => one !== null),
        filters: [status === 'succeeded' ? { sql: 'o.id IS NULL', values: [] } : null, open ? ofEndpoint : null],
      });
      return { rows: found.rows.map((row) => deliveryRow(row, skew)), nextCursor: found.nextCursor };
    },
    async getDelivery({ merchant, id }: ById): Promise<DeliveryDetail | null> {
      const tenant = ofMerchant(merchant, 'd.merchant');
      const [delivery] = await ask<DeliveryRow>(reads, `SELECT ${DELIVERY_COLUMNS} FROM ${DELIVERIES} WHERE d.id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      if (delivery === undefined) return null;
      const [attempts, body] = await Promise.all([
        ask<AttemptRow>(reads, ATTEMPTS, [id]),
        ask<Pick<DeliveryDetail, 'body' | 'expiredAt'>>(reads, BODY, [id]),
      ]);
      return { delivery: deliveryRow(delivery, skew), attempts, body: body[0]?.body ?? null, expiredAt: body[0]?.expiredAt ?? null };
    },
    async listTransactions(query: TransactionQuery): Promise<Page<Transaction>> {
      const search = await byReference(reads, query.merchant, query.q);
      const found = await page<{ doc: string }>(reads, {
        query,
        columns: 'seq, doc',
        from: search?.from?.sql ?? 'transactions',
        fromValues: search?.from?.values ?? [],
        found: [condition('status = ?', query.status)],
        narrow: search?.from !== undefined,
        filters: [
          condition('kind = ?', query.kind),
          condition('provider = ?', query.provider),
          condition('rail = ?', query.rail),
          condition('currency = ?', query.currency),
          condition('updated_at >= ?', query.from),
          condition('updated_at <= ?', query.to),
          search?.filter ?? null,
        ],
        ...(search?.keep === undefined ? {} : { keep: search.keep }),
      });
      return { rows: found.rows.map(({ doc }) => JSON.parse(doc) as Transaction), nextCursor: found.nextCursor };
    },
    async getTransaction({ merchant, id }: ById): Promise<TransactionDetail | null> {
      const tenant = ofMerchant(merchant);
      const [row] = await ask<{ doc: string }>(reads, `SELECT doc FROM transactions WHERE id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      if (row === undefined) return null;
      const [children, events] = await Promise.all([
        ask<{ doc: string }>(reads, 'SELECT doc FROM transactions WHERE parent = ? ORDER BY id', [id]),
        chains(reads, [id]).catch((error: unknown) => {
          throw storageError(error);
        }),
      ]);
      return {
        transaction: JSON.parse(row.doc) as Transaction,
        events: events.get(id) ?? [],
        children: children.map(({ doc }) => JSON.parse(doc) as Transaction),
      };
    },
    async endpointHealth({
      endpoints,
      since,
    }: {
      readonly endpoints: readonly string[];
      readonly since: number;
    }): Promise<EndpointHealth[]> {
      const sample = healthSample(endpoints.length);
      const rows = await ask<HealthRow>(reads, HEALTH, [endpoints, sample, sample, since]);
      return rows.map(({ durations, ...row }) => {
        const sorted = (durations ?? []).sort((a, b) => a - b);
        return { ...row, succeeded: sorted.length, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
      });
    },
  };
}

interface HealthRow {
  readonly endpoint: string;
  readonly durations: number[] | null;
  readonly failed: number;
  readonly lastFailureAt: number | null;
  readonly lastFailureCause: string | null;
  readonly backlog: number;
}

const HEALTH = `SELECT w.endpoint, h.durations, coalesce(h.failed, 0)::int AS failed, h."lastFailureAt", h."lastFailureCause",
    (SELECT count(*) FROM (SELECT 1 FROM open_deliveries o WHERE o.endpoint = w.endpoint AND o.status = 'pending' LIMIT ${MOST_COUNTED}) p) AS backlog
  FROM unnest(?::text[]) WITH ORDINALITY AS w (endpoint, at) CROSS JOIN LATERAL (
    SELECT array_agg(a.duration_ms) FILTER (WHERE a.outcome = 'succeeded' AND a.duration_ms IS NOT NULL) AS durations,
      count(*) FILTER (WHERE a.outcome = 'failed') AS failed, max(a.started_at) FILTER (WHERE a.outcome = 'failed') AS "lastFailureAt",
      (array_agg(a.cause ORDER BY a.started_at DESC) FILTER (WHERE a.outcome = 'failed'))[1] AS "lastFailureCause"
    FROM (SELECT id FROM (SELECT id FROM deliveries d WHERE d.endpoint = w.endpoint ORDER BY seq DESC LIMIT ?) newest
      UNION SELECT id FROM (SELECT id FROM open_deliveries o WHERE o.endpoint = w.endpoint AND o.turn = 1 AND o.status = 'pending'
        ORDER BY due_at DESC LIMIT ?) tried) d
    CROSS JOIN LATERAL (SELECT outcome, cause, duration_ms, started_at FROM attempts WHERE delivery = d.id AND started_at >= ? OFFSET 0) a) h
  ORDER BY w.at`;
