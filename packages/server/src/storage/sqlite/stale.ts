import { isSuperseded } from '@paybell/sdk';
import type { DatabaseSync } from 'node:sqlite';
import { CHAIN, lastEventFinder, ledgerEvent } from './chain.ts';
import type { EventColumns } from './chain.ts';
import { FREE, ordering } from './order.ts';

/** The newest events of a transaction tell what was overtaken; one with more of them is none that a claim should read whole. */
const MOST_EVENTS = 500;

/** The endpoint took it, though it may have been sent again since. */
export const DELIVERED = `(d.status = 'succeeded' OR EXISTS (SELECT 1 FROM attempts a WHERE a.delivery = d.id AND a.outcome = 'succeeded'))`;

interface Candidate {
  readonly id: string;
  readonly event: string;
  readonly endpoint: string;
  readonly transaction_id: string | null;
  readonly ordered: number;
}

/** Deliveries that what was really delivered to the same endpoint has overtaken. Reads the few events of one transaction. */
export function staleness(db: DatabaseSync) {
  const columns = 'e.id, e.type, e.dedupe_key, e.sequence, e.occurred_at, e.recorded_at, e.movement';
  const own = db.prepare(`SELECT ${columns} FROM events e WHERE e.id = ? AND e.state = 'recorded'`);
  const delivered = db.prepare(
    `SELECT ${columns} FROM events e WHERE e.seq IN (${CHAIN} LIMIT ${MOST_EVENTS}) AND e.state = 'recorded' AND EXISTS (
       SELECT 1 FROM deliveries d INDEXED BY deliveries_of_event WHERE d.event = e.id AND d.endpoint = ? AND ${DELIVERED})`,
  );
  const end = db.prepare(
    `UPDATE deliveries SET status = 'failed', cause = 'superseded', finished_at = ?, due_at = NULL, owner = NULL, started_at = NULL WHERE id = ?`,
  );
  const lastEvent = lastEventFinder(db);
  const order = ordering(db);
  return {
    isOvertaken({ event, endpoint, transaction_id: transaction }: Candidate): boolean {
      if (transaction === null) return false;
      const row = own.get(event) as unknown as EventColumns | undefined;
      if (row === undefined) return false;
      const told = ledgerEvent(row);
      const seen = delivered.all(lastEvent(transaction), endpoint) as unknown as EventColumns[];
      return seen.some((other) => isSuperseded(told, ledgerEvent(other)));
    },
    /** No call is made, and the next one of the transaction need not wait for it. */
    end({ id, ordered }: Candidate, now: number): void {
      end.run(now, id);
      if (ordered !== FREE) order.letGo(id, now);
    },
  };
}
