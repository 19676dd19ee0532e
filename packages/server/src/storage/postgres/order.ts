import type { PoolClient } from 'pg';
import type { NewDelivery } from '../contract.ts';
import { rowsOf } from './arrays.ts';

/** `due_at` of a delivery that waits behind another of its transaction: the last millisecond there is. */
export const BEHIND = 8_640_000_000_000_000;

/**
 * Order per transaction: of the pending deliveries of one transaction to one endpoint only the first is ever due. The others stand
 * at the end of time, so that a claim never looks at them, and each is let go by the one before it. Whoever queues one and whoever lets
 * one go hold the lock of the transaction: otherwise a delivery could queue behind one that another node is just finishing.
 */
export const QUEUE_DUE_AT = `CASE WHEN r.ordered AND EXISTS (SELECT 1 FROM open_deliveries o
    WHERE o.endpoint = r.endpoint AND o.transaction_id = r.transaction_id AND o.status = 'pending' AND o.ordered) THEN ${BEHIND} ELSE r.due_at END`;

/** Whether the order counts for a delivery; `transaction` is that of its event. */
export function isOrdered({ ordered, lease }: NewDelivery, transaction: string | null): boolean {
  return ordered === true && lease === null && transaction !== null;
}

const FINISHED = rowsOf({ id: 'text', at: 'int8' });

const LOCK = {
  name: 'order_lock',
  text: `SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(d.transaction_id, 0) AS key
    FROM unnest($1::text[]) AS r (id) JOIN deliveries d ON d.id = r.id WHERE d.transaction_id IS NOT NULL ORDER BY 1) k`,
};

const LET_GO = {
  name: 'order_let_go',
  text: `WITH finished AS MATERIALIZED (SELECT d.endpoint, d.transaction_id, max(r.at) AS at
      FROM ${FINISHED.unnest()} JOIN deliveries d ON d.id = r.id GROUP BY d.endpoint, d.transaction_id),
    next AS MATERIALIZED (SELECT f.at, o.id FROM finished f CROSS JOIN LATERAL (SELECT id, due_at FROM open_deliveries
      WHERE endpoint = f.endpoint AND transaction_id = f.transaction_id AND status = 'pending' AND ordered ORDER BY seq LIMIT 1) o
      WHERE o.due_at = ${BEHIND})
    UPDATE open_deliveries o SET due_at = next.at FROM next WHERE o.id = next.id AND o.due_at = ${BEHIND}`,
};

/** These deliveries are finished: the next one of the transaction and endpoint of each is due. Database time. */
export function letGo(client: PoolClient, finished: readonly { readonly id: string; readonly at: number }[]): Promise<unknown>[] {
  const [ids, at] = FINISHED.bind(finished);
  return [client.query({ ...LOCK, values: [ids] }), client.query({ ...LET_GO, values: [ids, at] })];
}
