import type { PoolClient } from 'pg';
import type { NewDelivery } from '../contract.ts';
import { rowsOf } from './arrays.ts';

/** `ordered` of a delivery: no order counts; it may go; it waits behind another one; it was not waited for any longer. */
export const FREE = 0;
export const FIRST = 1;
export const BEHIND = 2;
export const OVERTAKEN = 3;

/** `due_at` of one that waits behind another waiting one: the last millisecond there is. */
export const NEVER = 8_640_000_000_000_000;

const LINE = `status = 'pending' AND ordered > 0 AND ordered < ${OVERTAKEN}`;
const LINE_OF_O = `o.status = 'pending' AND o.ordered > 0 AND o.ordered < ${OVERTAKEN}`;

/**
 * Order per transaction: of the pending deliveries of one transaction to one endpoint only the first is due. The next one is due when it
 * has waited long enough; those behind that one stand at the end of time, so that a claim never looks at them. Each is let go by the end
 * of the one before it, or goes when it has waited enough: then nobody waits for the one before it any more. Whoever queues one and
 * whoever lets one go hold the lock of the transaction: otherwise a delivery could queue behind one that another node is just finishing.
 *
 * The rows of `made` with their `place` in the line: 0 may go, 1 waits its time, 2 and more wait behind another waiting one. `ordered`
 * holds how many of this commit stand before it, and null where no order counts.
 */
export const QUEUED = `SELECT r.*, r.ordered + coalesce((SELECT o.ordered FROM open_deliveries o WHERE r.ordered IS NOT NULL AND o.endpoint = r.endpoint
    AND o.transaction_id = r.transaction_id AND ${LINE_OF_O} ORDER BY o.seq DESC LIMIT 1), 0) AS place FROM made r`;

/** `due_at` and `ordered` of a row of `QUEUED`. */
export const PLACED = `CASE WHEN coalesce(place, 0) = 0 THEN due_at WHEN place = 1 THEN due_at + ordered_wait ELSE ${NEVER} END,
  CASE WHEN place IS NULL THEN ${FREE} WHEN place = 0 THEN ${FIRST} ELSE ${BEHIND} END`;

/** Whether the order counts for a delivery; `transaction` is that of its event. */
export function isOrdered({ orderedWait, lease }: NewDelivery, transaction: string | null): boolean {
  return orderedWait !== undefined && lease === null && transaction !== null;
}

const FINISHED = rowsOf({ id: 'text', at: 'int8' });

const LOCK = {
  name: 'order_lock',
  text: `SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(d.transaction_id, 0) AS key
    FROM unnest($1::text[]) AS r (id) JOIN deliveries d ON d.id = ANY (ARRAY[r.id]) WHERE d.transaction_id IS NOT NULL ORDER BY 1) k`,
};

const LET_GO = {
  name: 'order_let_go',
  text: `WITH finished AS MATERIALIZED (SELECT d.endpoint, d.transaction_id, max(r.at) AS at
      FROM ${FINISHED.unnest()} CROSS JOIN LATERAL (SELECT endpoint, transaction_id FROM deliveries WHERE id = r.id OFFSET 0) d GROUP BY d.endpoint, d.transaction_id),
    next AS MATERIALIZED (SELECT f.at, o.id FROM finished f CROSS JOIN LATERAL (SELECT id, ordered FROM open_deliveries
      WHERE endpoint = f.endpoint AND transaction_id = f.transaction_id AND ${LINE} ORDER BY seq LIMIT 1) o
      WHERE o.ordered = ${BEHIND})
    UPDATE open_deliveries o SET due_at = next.at, ordered = ${FIRST} FROM next WHERE o.id = ANY (ARRAY[next.id]) AND o.ordered = ${BEHIND}`,
};

/** The first of those that wait begins to wait its time. */
const COUNT = {
  name: 'order_count',
  text: `WITH moved AS MATERIALIZED (SELECT d.endpoint, d.transaction_id, max(r.at) AS at
      FROM ${FINISHED.unnest()} CROSS JOIN LATERAL (SELECT endpoint, transaction_id FROM deliveries WHERE id = r.id OFFSET 0) d GROUP BY d.endpoint, d.transaction_id),
    head AS MATERIALIZED (SELECT m.at, o.id FROM moved m CROSS JOIN LATERAL (SELECT id, due_at FROM open_deliveries
      WHERE endpoint = m.endpoint AND transaction_id = m.transaction_id AND ${LINE} AND ordered = ${BEHIND} ORDER BY seq LIMIT 1) o WHERE o.due_at = ${NEVER})
    UPDATE open_deliveries o SET due_at = head.at + o.ordered_wait FROM head WHERE o.id = ANY (ARRAY[head.id]) AND o.due_at = ${NEVER}`,
};

const GO = { name: 'order_go', text: `UPDATE open_deliveries SET ordered = ${FIRST} WHERE id = ANY ($1::text[])` };

const OVERTAKE = {
  name: 'order_overtake',
  text: `UPDATE open_deliveries o SET ordered = ${OVERTAKEN} FROM unnest($1::text[]) AS r (id) JOIN open_deliveries d ON d.id = ANY (ARRAY[r.id])
    WHERE o.endpoint = d.endpoint AND o.transaction_id = d.transaction_id AND o.status = 'pending' AND o.ordered > 0 AND o.ordered = ${FIRST} AND o.seq < d.seq`,
};

interface At {
  readonly id: string;
  /** Database time. */
  readonly at: number;
}

/** These deliveries are finished: the next one of the transaction and endpoint of each is due. */
export function letGo(client: PoolClient, finished: readonly At[]): Promise<unknown>[] {
  const [ids, at] = FINISHED.bind(finished);
  return [
    client.query({ ...LOCK, values: [ids] }),
    client.query({ ...LET_GO, values: [ids, at] }),
    client.query({ ...COUNT, values: [ids, at] }),
  ];
}

/** This one was sent ahead by hand: who waits behind it goes on waiting for those before it. */
export function stepsOut(client: PoolClient, at: At, send: () => Promise<unknown>): Promise<unknown>[] {
  const [ids, times] = FINISHED.bind([at]);
  return [client.query({ ...LOCK, values: [ids] }), send(), client.query({ ...COUNT, values: [ids, times] })];
}

/** These have waited enough: they go, though the ones before them are not finished. */
export function overtakes(client: PoolClient, waited: readonly At[]): Promise<unknown>[] {
  const [ids, at] = FINISHED.bind(waited);
  return [
    client.query({ ...LOCK, values: [ids] }),
    client.query({ ...GO, values: [ids] }),
    client.query({ ...OVERTAKE, values: [ids] }),
    client.query({ ...COUNT, values: [ids, at] }),
  ];
}
