import type { DatabaseSync } from 'node:sqlite';
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
import { DELIVERY_COLUMNS } from './deliveries.ts';
import { CHAIN, chainReader, lastEventFinder } from './chain.ts';
import { transactionFinder } from './keys.ts';
import { condition, page } from './page.ts';
import type { PageOf } from './page.ts';
import { byReference } from './refs.ts';

/** Reads deliveries and the ledger. */
export function readOperations(db: DatabaseSync) {
  const attempts = `SELECT n, started_at AS startedAt, duration_ms AS durationMs, outcome, cause, status_code AS statusCode, truncated, timings,
    request_headers AS requestHeaders, response_headers AS responseHeaders, response_body AS responseBody,
    expired_at AS expiredAt FROM attempts WHERE delivery = ? ORDER BY n`;
  const transaction = transactionFinder(db);
  const lastEvent = lastEventFinder(db);
  const eventsOf = chainReader(db);
  return {
    listDeliveries: (query: DeliveryQuery): Page<DeliveryRow> =>
      page<DeliveryRow>(db, {
        query,
        columns: `d.seq, ${DELIVERY_COLUMNS}`,
        alias: 'd',
        ...narrowed(query, lastEvent),
      }),
    getDelivery: ({ merchant, id }: ById): DeliveryDetail | null => {
      const delivery = db
        .prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE id = ? AND (? IS NULL OR merchant = ?)`)
        .get(id, merchant, merchant) as DeliveryRow | undefined;
      if (delivery === undefined) return null;
      const body = db
        .prepare(
          `SELECT coalesce(p.body, r.body) AS body, coalesce(p.expired_at, r.expired_at) AS expiredAt FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload
           LEFT JOIN events e ON e.id = d.event AND d.format = 'request' LEFT JOIN requests r ON r.id = e.request WHERE d.id = ?`,
        )
        .get(id) as { body: Uint8Array | null; expiredAt: number | null } | undefined;
      const made = (db.prepare(attempts).all(id) as unknown as (Omit<AttemptRow, 'truncated'> & { truncated: number })[]).map((row) => ({
        ...row,
        truncated: row.truncated === 1,
      }));
      return { delivery, attempts: made, body: body?.body ?? null, expiredAt: body?.expiredAt ?? null };
    },
    listTransactions: (query: TransactionQuery): Page<Transaction> => {
      const search = byReference(db, query.merchant, query.q);
      const found = page<{ doc: string }>(db, {
        query,
        columns: 'seq, doc',
        from: 'transactions',
        found: [condition('status = ?', query.status), search?.found ?? null],
        narrow: search?.found !== undefined,
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
    getTransaction: ({ merchant, id }: ById): TransactionDetail | null => {
      const row = db
        .prepare('SELECT doc, last_event AS lastEvent FROM transactions WHERE seq = ? AND (? IS NULL OR merchant = ?)')
        .get(transaction(id), merchant, merchant) as { doc: string; lastEvent: number } | undefined;
      if (row === undefined) return null;
      const children = db.prepare('SELECT doc FROM transactions WHERE parent = ? ORDER BY id').all(id) as { doc: string }[];
      return {
        transaction: JSON.parse(row.doc) as Transaction,
        events: eventsOf(row.lastEvent),
        children: children.map((child) => JSON.parse(child.doc) as Transaction),
      };
    },
    endpointHealth: ({ endpoints, since }: { endpoints: readonly string[]; since: number }): EndpointHealth[] => {
      const sample = healthSample(endpoints.length);
      // Of an endpoint that is down the latest are untried: those that wait for their next try have failed.
      const latest = db.prepare(
        `SELECT a.duration_ms AS durationMs, a.outcome, a.cause, a.started_at AS startedAt FROM
           (SELECT id FROM (SELECT id FROM deliveries WHERE endpoint = ?1 ORDER BY seq DESC LIMIT ${sample})
            UNION SELECT id FROM (SELECT id FROM deliveries INDEXED BY deliveries_due
              WHERE endpoint = ?1 AND turn = 1 AND status = 'pending' ORDER BY due_at DESC LIMIT ${sample})) d
         JOIN attempts a ON a.delivery = d.id WHERE a.started_at >= ?2`,
      );
      const waiting = db.prepare(
        `SELECT count(*) AS n FROM (SELECT 1 FROM deliveries WHERE endpoint = ? AND status = 'pending' LIMIT ${MOST_COUNTED})`,
      );
      return endpoints.map((endpoint) => {
        const rows = latest.all(endpoint, since) as unknown as Tried[];
        return health(endpoint, rows, Number(waiting.get(endpoint)?.['n'] ?? 0));
      });
    },
  };
}

interface Tried {
  readonly durationMs: number | null;
  readonly outcome: string;
  readonly cause: string;
  readonly startedAt: number;
}

function health(endpoint: string, rows: readonly Tried[], backlog: number): EndpointHealth {
  const durations = rows
    .flatMap(({ durationMs, outcome }) => (outcome === 'succeeded' && durationMs !== null ? [durationMs] : []))
    .sort((a, b) => a - b);
  const failures = rows.filter(({ outcome }) => outcome === 'failed');
  const last = failures.reduce<Tried | null>((latest, row) => (latest === null || row.startedAt > latest.startedAt ? row : latest), null);
  return {
    endpoint,
    succeeded: durations.length,
    failed: failures.length,
    p50Ms: percentile(durations, 0.5),
    p95Ms: percentile(durations, 0.95),
    lastFailureAt: last?.startedAt ?? null,
    lastFailureCause: last?.cause ?? null,
    backlog,
  };
}

/** Which index answers a list of deliveries: the planner knows no sizes, so the narrow ones are named. */
function narrowed(
  query: DeliveryQuery,
  lastEvent: (transaction: string) => number | null,
): Pick<PageOf<DeliveryRow>, 'from' | 'found' | 'filters' | 'narrow'> {
  const { merchant, status, endpoint, event, transaction } = query;
  const ofStatus = condition('d.status = ?', status);
  const ofEndpoint = condition('d.endpoint = ?', endpoint);
  if (event !== undefined || transaction !== undefined) {
    const ofTransaction =
      transaction === undefined
        ? null
        : { sql: `d.event IN (SELECT id FROM events WHERE seq IN (${CHAIN}))`, values: [lastEvent(transaction)] };
    const found = [condition('d.event = ?', event), ofTransaction];
    return { from: 'deliveries d INDEXED BY deliveries_of_event', found, filters: [ofStatus, ofEndpoint], narrow: true };
  }
  if (merchant !== null && status !== undefined && status !== 'succeeded') {
    const found = [ofStatus, { sql: `d.status <> 'succeeded'`, values: [] }];
    return { from: 'deliveries d INDEXED BY deliveries_open', found, filters: [ofEndpoint] };
  }
  if (endpoint === undefined) return { from: 'deliveries d', filters: [ofStatus] };
  return { from: 'deliveries d INDEXED BY deliveries_of_endpoint', found: [ofEndpoint], filters: [ofStatus] };
}
