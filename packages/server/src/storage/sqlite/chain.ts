import type { DatabaseSync } from 'node:sqlite';
import type { LedgerEvent, Movement } from '@paybell/sdk';
import { transactionFinder } from './keys.ts';

export interface EventColumns {
  id: string;
  type: string;
  dedupe_key: string;
  sequence: number | null;
  occurred_at: number | null;
  recorded_at: number;
  movement: string;
}

/** The rows of the events of a transaction, given its last event: each names the one before it. */
export const CHAIN = `WITH RECURSIVE chain (seq, previous) AS (
    SELECT seq, previous FROM events WHERE seq = ?
    UNION ALL SELECT e.seq, e.previous FROM chain c JOIN events e ON e.seq = c.previous)
  SELECT seq FROM chain`;

/** Reads the events that a transaction is the fold of. */
export function chainReader(db: DatabaseSync): (lastEvent: number | null) => LedgerEvent[] {
  const read = db.prepare(
    `SELECT id, type, dedupe_key, sequence, occurred_at, recorded_at, movement FROM events WHERE seq IN (${CHAIN}) AND state = 'recorded'`,
  );
  return (lastEvent) => (read.all(lastEvent) as unknown as EventColumns[]).map(ledgerEvent);
}

export function ledgerEvent(row: EventColumns): LedgerEvent {
  return {
    id: row.id,
    type: row.type,
    dedupeKey: row.dedupe_key,
    sequence: row.sequence,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    movement: JSON.parse(row.movement) as Movement,
  };
}

/** The last event of a transaction, from where its chain begins; null where there is no such transaction. */
export function lastEventFinder(db: DatabaseSync): (transaction: string) => number | null {
  const find = transactionFinder(db);
  const read = db.prepare('SELECT last_event AS seq FROM transactions WHERE seq = ?');
  return (transaction) => (read.get(find(transaction)) as { seq: number | null } | undefined)?.seq ?? null;
}
