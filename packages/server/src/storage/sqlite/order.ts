import type { DatabaseSync } from 'node:sqlite';

/** `ordered` of a delivery: no order counts; it may go; it waits behind another one; it was not waited for any longer. */
export const FREE = 0;
export const FIRST = 1;
export const BEHIND = 2;
export const OVERTAKEN = 3;

/** `due_at` of one that waits behind another waiting one: the last millisecond there is. */
export const NEVER = 8_640_000_000_000_000;

const LINE = `status = 'pending' AND ordered > 0 AND ordered < ${OVERTAKEN}`;

/**
 * Order per transaction: of the pending deliveries of one transaction to one endpoint only the first is due. The next one is due when it
 * has waited long enough; those behind that one stand at the end of time, so that a claim never looks at them. Each is let go by the end
 * of the one before it, or goes when it has waited enough: then nobody waits for the one before it any more.
 */
export function ordering(db: DatabaseSync) {
  const last = db.prepare(`SELECT ordered FROM deliveries WHERE endpoint = ? AND transaction_id = ? AND ${LINE} ORDER BY seq DESC LIMIT 1`);
  const first = db.prepare(
    `SELECT seq, ordered FROM deliveries WHERE endpoint = ? AND transaction_id = ? AND ${LINE} ORDER BY seq LIMIT 1`,
  );
  const waiting = db.prepare(
    `SELECT seq, ordered_wait AS wait, due_at AS dueAt FROM deliveries
     WHERE endpoint = ? AND transaction_id = ? AND ${LINE} AND ordered = ${BEHIND} ORDER BY seq LIMIT 1`,
  );
  const go = db.prepare(`UPDATE deliveries SET due_at = ?, ordered = ${FIRST} WHERE seq = ?`);
  const goes = db.prepare(`UPDATE deliveries SET ordered = ${FIRST} WHERE seq = ?`);
  const wait = db.prepare('UPDATE deliveries SET due_at = ? WHERE seq = ?');
  const overtake = db.prepare(
    `UPDATE deliveries SET ordered = ${OVERTAKEN} WHERE endpoint = ? AND transaction_id = ? AND ${LINE} AND ordered = ${FIRST} AND seq < ?`,
  );
  const whose = db.prepare('SELECT endpoint, transaction_id AS "transaction" FROM deliveries WHERE id = ?');

  /** The first of those that wait begins to wait its time. */
  function count(endpoint: string, transaction: string, now: number): void {
    const head = waiting.get(endpoint, transaction) as { seq: number; wait: number; dueAt: number } | undefined;
    if (head?.dueAt === NEVER) wait.run(now + head.wait, head.seq);
  }

  return {
    /** Where a new ordered delivery stands, and when it is due. */
    place({ endpoint, transaction, wait, now }: { endpoint: string; transaction: string; wait: number; now: number }) {
      const before = (last.get(endpoint, transaction) as { ordered: number } | undefined)?.ordered;
      if (before === undefined) return { ordered: FIRST, dueAt: now };
      return { ordered: BEHIND, dueAt: before === FIRST ? now + wait : NEVER };
    },
    /** The delivery is finished: the next one of its transaction and endpoint is due. */
    letGo(delivery: string, now: number): void {
      const { endpoint, transaction } = whose.get(delivery) as { endpoint: string; transaction: string };
      const next = first.get(endpoint, transaction) as { seq: number; ordered: number } | undefined;
      if (next?.ordered === BEHIND) go.run(now, next.seq);
      count(endpoint, transaction, now);
    },
    /** It was sent ahead by hand: who waits behind it goes on waiting for those before it. */
    stepsOut({ endpoint, transaction }: { endpoint: string; transaction: string }, now: number): void {
      count(endpoint, transaction, now);
    },
    /** It has waited enough: it goes, though the one before it is not finished. */
    overtakes({ seq, endpoint, transaction }: { seq: number; endpoint: string; transaction: string }, now: number): void {
      goes.run(seq);
      overtake.run(endpoint, transaction, seq);
      count(endpoint, transaction, now);
    },
  };
}
