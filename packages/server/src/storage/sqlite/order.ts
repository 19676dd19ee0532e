import type { DatabaseSync } from 'node:sqlite';

/** `due_at` of a delivery that waits behind another of its transaction: the last millisecond there is. */
export const BEHIND = 8_640_000_000_000_000;

/**
 * Order per transaction: of the pending deliveries of one transaction to one endpoint only the first is ever due. The others stand
 * at the end of time, so that a claim never looks at them, and each is let go by the one before it.
 */
export function ordering(db: DatabaseSync) {
  const ahead = db.prepare(
    `SELECT 1 FROM deliveries WHERE endpoint = ? AND transaction_id = ? AND status = 'pending' AND ordered = 1 LIMIT 1`,
  );
  const next = db.prepare(
    `UPDATE deliveries SET due_at = ? WHERE due_at = ${BEHIND} AND seq = (
       SELECT min(o.seq) FROM deliveries d JOIN deliveries o
         ON o.endpoint = d.endpoint AND o.transaction_id = d.transaction_id AND o.status = 'pending' AND o.ordered = 1 WHERE d.id = ?)`,
  );
  return {
    /** When a new ordered delivery is due. */
    dueAt: (endpoint: string, transaction: string, now: number): number => (ahead.get(endpoint, transaction) === undefined ? now : BEHIND),
    /** The delivery is finished: the next one of its transaction and endpoint is due. */
    letGo: (delivery: string, now: number): void => void next.run(now, delivery),
  };
}
