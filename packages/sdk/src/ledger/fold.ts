import { withChildren } from './children.ts';
import { compareKeys, sortKey } from './order.ts';
import type { FoldState } from './state.ts';
import { firstStep, nextStep } from './step.ts';
import type { FoldStep } from './step.ts';
import type { LedgerEvent, Transaction, TransactionIdentity } from './transaction.ts';

/** The transaction that a set of events and children makes, whatever their order. Throws RangeError without any event. */
export function fold(identity: TransactionIdentity, events: readonly LedgerEvent[], children: readonly Transaction[] = []): Transaction {
  return withChildren(foldState(identity, events).transaction, children);
}

/** As `fold`, for going on with `foldNext`. Throws RangeError without any event. */
export function foldState(identity: TransactionIdentity, events: readonly LedgerEvent[]): FoldState {
  let state: FoldState | undefined;
  walk(identity, events, (_event, step) => {
    state = step.state;
  });
  if (state === undefined) throw new RangeError('A transaction needs at least one event to be folded.');
  return state;
}

/** The first event ever of a transaction. */
export function foldFirst(identity: TransactionIdentity, event: LedgerEvent): FoldStep {
  return firstStep(identity, event);
}

/** The state after one more event; null where the event does not sort last and the fold must start again from all events. */
export function foldNext(state: FoldState, event: LedgerEvent): FoldState | null {
  return foldStep(state, event)?.state ?? null;
}

/** As `foldNext`, with the rule that applied. */
export function foldStep(state: FoldState, event: LedgerEvent): FoldStep | null {
  const key = sortKey(event);
  return compareKeys(key, state.last) > 0 ? nextStep(state, event, key) : null;
}

/** Folds from the start and shows every event, once and in order, with what it did. */
export function walk(
  identity: TransactionIdentity,
  events: readonly LedgerEvent[],
  visit: (event: LedgerEvent, step: FoldStep) => void,
): void {
  const ordered = events.map((event) => ({ event, key: sortKey(event) })).sort((a, b) => compareKeys(a.key, b.key));
  let state: FoldState | undefined;
  for (const { event, key } of ordered) {
    // Equal keys hold equal ids: the same event, given twice.
    if (state !== undefined && compareKeys(key, state.last) === 0) continue;
    const step: FoldStep = state === undefined ? firstStep(identity, event) : nextStep(state, event, key);
    visit(event, step);
    state = step.state;
  }
}
