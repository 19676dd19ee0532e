import type { Pool, PoolClient } from 'pg';
import type { AddedDelivery, DeliveryRow, LeasedDelivery } from '../contract.ts';
import { encode } from './arrays.ts';
import type { RowTypes } from './arrays.ts';
import { EVENT_AT, HOLD, insertContents, isKept } from './contents.ts';
import {
  BODY_AT,
  DELIVERIES,
  DELIVERY_COLUMNS,
  LEASED_COLUMNS,
  LEASED_FROM,
  deliveryRow,
  insertDeliveries,
  leased,
  prepareDeliveries,
} from './deliveries.ts';
import type { LeasedRow, PreparedDeliveries, Queued, ToDeliver } from './deliveries.ts';
import { lockTransactions } from './held.ts';
import { BEHIND, OVERTAKEN, stepsOut } from './order.ts';
import type { Skew } from './skew.ts';
import { runSteps } from './steps.ts';
import { atomically, commit, once } from './transact.ts';

const ORIGINS = {
  name: 'origins',
  text: `SELECT e.id, e.merchant, e.type, e.transaction_id AS transaction, e.request, q.received_at AS "receivedAt", t.doc FROM unnest($1::text[]) AS r (id) JOIN events e ON e.id = ANY (ARRAY[r.id])
    LEFT JOIN transactions t ON t.id = ANY (ARRAY[e.transaction_id]) LEFT JOIN requests q ON q.id = ANY (ARRAY[e.request]) WHERE ${isKept('contents', EVENT_AT)}`,
};

const LEASED = {
  name: 'added',
  text: `SELECT ${LEASED_COLUMNS} FROM (SELECT r.at, o.id, o.attempt_count AS attempt, o.failures, o.turn, o.ordered
      FROM unnest($1::text[]) WITH ORDINALITY AS r (id, at) JOIN open_deliveries o ON o.id = ANY (ARRAY[r.id])) l ${LEASED_FROM} ORDER BY l.at`,
};

const RETRY = {
  name: 'retry',
  text: `WITH sendable AS MATERIALIZED (SELECT d.id, d.seq, d.merchant, d.endpoint FROM deliveries d
      WHERE d.id = $1 AND ${isKept('contents', BODY_AT)}),
    kept AS (UPDATE open_deliveries SET status = 'pending', turn = 0, forced = true, ordered = CASE WHEN ordered > 0 AND (status <> 'pending' OR ordered = ${BEHIND}) THEN ${OVERTAKEN} ELSE ordered END, due_at = $2, finished_at = NULL, owner = NULL, started_at = NULL
      WHERE id = (SELECT id FROM sendable) AND (status <> 'pending' OR owner IS NULL) RETURNING id)
    INSERT INTO open_deliveries (seq, due_at, turn, forced, attempt_count, failures, status_code, id, merchant, endpoint, status, cause)
    SELECT d.seq, $2, 0, true, a.n, (SELECT count(*) FROM attempts f WHERE f.delivery = d.id AND f.outcome = 'failed'), a.status_code, d.id, d.merchant, d.endpoint, 'pending', a.cause
    FROM sendable d CROSS JOIN LATERAL (SELECT n, status_code, cause FROM attempts WHERE delivery = d.id ORDER BY n DESC LIMIT 1) a
    WHERE NOT EXISTS (SELECT 1 FROM open_deliveries o WHERE o.id = $1) ON CONFLICT DO NOTHING`,
};

const ABANDON = {
  name: 'abandon',
  text: `UPDATE open_deliveries SET status = 'failed', cause = 'endpoint_deleted', finished_at = $2, due_at = NULL WHERE id IN
    (SELECT id FROM open_deliveries WHERE endpoint = $1 AND status = 'pending' AND owner IS NULL LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id`,
};

const THERE = { name: 'added_there', text: 'SELECT d.id FROM unnest($1::text[]) AS r (id) JOIN deliveries d ON d.id = ANY (ARRAY[r.id])' };

type Origin = ToDeliver['event'] & { readonly request: string | null; readonly receivedAt: number | null; readonly doc: string | null };

/** Deliveries beyond those an event was routed to: sent again, or given up. */
export function resendOperations(hot: Pool, { skew, types }: { readonly skew: Skew; readonly types: RowTypes }) {
  return {
    addDeliveries: (added: readonly AddedDelivery[]): Promise<LeasedDelivery[]> =>
      atomically(hot, async (client, { maybeDone }) => {
        const [, there] = await Promise.all([
          client.query('BEGIN'),
          maybeDone ? client.query<{ id: string }>({ ...THERE, values: [encode('text', ids(added))] }) : null,
        ]);
        const done = new Set(there?.rows.map(({ id }) => id));
        const prepared = await prepareAdded(client, { added: added.filter(({ id }) => !done.has(id)), resend: null, skew });
        const leases = new Map(added.flatMap(({ id, lease }) => (lease === null ? [] : [[id, lease] as const])));
        let mine: LeasedRow[] = [];
        await commit(client, () => [
          ...writeAdded(client, prepared, types),
          client.query<LeasedRow>({ ...LEASED, values: [encode('text', [...leases.keys()])] }).then(({ rows }) => (mine = rows)),
        ]);
        return mine.map((row) => leased(row, { at: row.createdAt, until: leases.get(row.id)?.until ?? 0 }));
      }),
    async retryDelivery({ merchant, id, now }: { merchant: string | null; id: string; now: number }): Promise<DeliveryRow | null> {
      const read = {
        name: 'delivery_now',
        text: `SELECT ${DELIVERY_COLUMNS} FROM ${DELIVERIES} WHERE d.id = $1 AND ($2::text IS NULL OR d.merchant = $2)`,
        values: [id, merchant],
      };
      const [before] = await once<DeliveryRow>(hot, read);
      if (before === undefined) return null;
      await atomically(hot, (client) =>
        commit(client, () => [
          client.query('BEGIN'),
          client.query(HOLD),
          ...stepsOut(client, { id, at: skew.toDatabase(now) }, () => client.query({ ...RETRY, values: [id, skew.toDatabase(now)] })),
        ]),
      );
      const [after] = await once<DeliveryRow>(hot, read);
      return after === undefined ? null : deliveryRow(after, skew);
    },
    async abandon({ endpoint, now, limit }: { endpoint: string; now: number; limit: number }): Promise<number> {
      return (await once(hot, { ...ABANDON, values: [endpoint, now, limit] })).length;
    },
  };
}

function ids(added: readonly AddedDelivery[]): string[] {
  return added.map(({ id }) => id);
}

interface Adding {
  readonly added: readonly AddedDelivery[];
  /** The resend that makes them. */
  readonly resend: string | null;
  readonly skew: Skew;
}

/** The rows of deliveries for events of the log, within a transaction that holds what they are ordered by. Those of events that are not there are left out. */
export async function prepareAdded(client: PoolClient, { added, resend, skew }: Adding): Promise<PreparedDeliveries[]> {
  const events = [...new Set(added.map(({ event }) => event))];
  const values = [encode('text', events)];
  // One after the other: what is there is read when it can no longer go.
  const [, origins] = await Promise.all([client.query(HOLD), client.query<Origin>({ ...ORIGINS, values })]);
  const found = new Map(origins.rows.map((origin) => [origin.id, origin]));
  const queued: Queued = new Map();
  const prepared = added.flatMap((delivery) => {
    const event = found.get(delivery.event);
    if (event === undefined) return [];
    const { request: id, receivedAt, doc: row } = event;
    const request = id === null || receivedAt === null ? null : { id, receivedAt };
    return [prepareDeliveries({ event, request, at: delivery.createdAt, resend, deliveries: [delivery], row }, { skew, queued })];
  });
  await lockTransactions(client, transactionsIn(prepared));
  return prepared;
}

/** Writes what was prepared. */
export function writeAdded(client: PoolClient, prepared: readonly PreparedDeliveries[], types: RowTypes): Promise<unknown>[] {
  return runSteps(client, [...insertDeliveries(prepared), ...insertContents(prepared.flatMap(({ contents }) => contents))], types);
}

/** Those in which the order of deliveries counts. */
function transactionsIn(prepared: readonly PreparedDeliveries[]): string[] {
  return prepared.flatMap(({ deliveries }) =>
    deliveries.flatMap(({ ordered, transaction_id: id }) => (ordered !== null && id !== null ? [id] : [])),
  );
}
