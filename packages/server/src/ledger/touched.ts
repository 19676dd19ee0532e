import type { LedgerEvent, TransactionIdentity } from '@paybell/sdk';
import type { NewEvent } from '../storage/contract.ts';

/** One transaction that a commit touches, with the events of the commit that say something of it. */
export interface Touched {
  readonly identity: TransactionIdentity;
  readonly fresh: readonly LedgerEvent[];
}

/** The new events by the transaction that they touch, in the order in which it is first named. */
export function touchedBy(events: readonly NewEvent[]): Map<string, Touched> {
  const touched = new Map<string, { readonly identity: TransactionIdentity; readonly fresh: LedgerEvent[] }>();
  for (const event of events) {
    const { transaction, movement } = event;
    if (transaction === null || movement === null) continue;
    let one = touched.get(transaction);
    if (one === undefined) {
      const { merchant, provider } = event;
      one = { identity: { id: transaction, merchant, provider, kind: movement.kind, key: movement.key }, fresh: [] };
      touched.set(transaction, one);
    }
    const { id, type, dedupeKey, sequence, occurredAt, recordedAt } = event;
    one.fresh.push({ id, type, dedupeKey, sequence, occurredAt, recordedAt, movement });
  }
  return touched;
}
