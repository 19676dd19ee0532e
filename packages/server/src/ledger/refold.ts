import { fold, foldNext, foldState, withChildren } from '@paybell/sdk';
import type { FoldState, LedgerEvent, Transaction, TransactionIdentity } from '@paybell/sdk';

/** A ledger row as a store keeps it: the row that the API shows, and what the next fold starts from. */
export interface StoredFold {
  /** JSON text of the transaction. */
  readonly doc: string;
  /** JSON text: the rest of the fold's state, with the row as it is without its children where they changed it. */
  readonly fold: string;
}

export interface Folded extends StoredFold {
  readonly before: Transaction | null;
  readonly now: Transaction;
}

interface Rest extends Omit<FoldState, 'transaction'> {
  readonly base?: Transaction;
}

export interface Refold {
  readonly identity: TransactionIdentity;
  readonly stored: StoredFold | null;
  /** Events of this commit, in any order; none where only a child changed. */
  readonly fresh: readonly LedgerEvent[];
  /** All its events, those of this commit included: read only where the fresh ones do not sort last. */
  readonly all: () => readonly LedgerEvent[];
  readonly children: () => readonly Transaction[];
}

/** The next row of one transaction; null where there is none (a child came before its parent). */
export function refold({ identity, stored, fresh, all, children }: Refold): Folded | null {
  const before = stored === null ? null : (JSON.parse(stored.doc) as Transaction);
  const state = before === null || stored === null ? null : stateOf(before, stored.fold);
  const next = fresh.length === 0 ? state : (step(state, fresh) ?? foldState(identity, state === null ? fresh : all()));
  if (next === null) return null;
  const related = children();
  const now = related.length === 0 ? next.transaction : withChildren(next.transaction, related);
  const { transaction, ...rest } = next;
  const doc = JSON.stringify(now);
  return { before, now, doc, fold: JSON.stringify(related.length === 0 ? rest : { ...rest, base: transaction }) };
}

function stateOf(doc: Transaction, text: string): FoldState {
  const { base, ...rest } = JSON.parse(text) as Rest;
  return { transaction: base ?? doc, ...rest };
}

/** The usual case, one new event that sorts last; null where it takes a fold from the start. */
function step(state: FoldState | null, fresh: readonly LedgerEvent[]): FoldState | null {
  const first = fresh[0];
  if (state === null || first === undefined || fresh.length > 1) return null;
  return foldNext(state, first);
}

/** The row as a rebuild from all its events gives it. */
export function rebuilt(identity: TransactionIdentity, events: readonly LedgerEvent[], children: readonly Transaction[]): string {
  return JSON.stringify(fold(identity, events, children));
}
