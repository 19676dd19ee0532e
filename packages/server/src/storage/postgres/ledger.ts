import type { PoolClient } from 'pg';
import type { LedgerEvent, Transaction } from '@paybell/sdk';
import { refold } from '../../ledger/refold.ts';
import type { Folded } from '../../ledger/refold.ts';
import { Tally } from '../../ledger/tally.ts';
import { touchedBy } from '../../ledger/touched.ts';
import type { Touched } from '../../ledger/touched.ts';
import type { NewEvent } from '../contract.ts';
import { typedRowsOf } from './arrays.ts';
import { chains } from './chain.ts';
import { newReferences } from './refs.ts';
import type { Held, HeldRows } from './held.ts';
import { stepOver } from './steps.ts';
import type { Step } from './steps.ts';

/** What a commit does to the ledger. */
export interface LedgerChange {
  /** JSON texts of the rows that changed, under the id of a transaction that the events name. */
  readonly changed: ReadonlyMap<string, string[]>;
  /** Events that cannot be folded, with the reason. */
  readonly unfolded: ReadonlyMap<string, string>;
}

/**
 * Folds the new events of a commit. The rows are held (locked and read) before; all is decided here, nothing is written.
 * Where the events of a transaction do not sort last, all of them are read and the whole is decided anew.
 */
export async function foldEvents(
  client: PoolClient,
  { events, held }: { events: readonly NewEvent[]; held: HeldRows },
): Promise<LedgerChange & { readonly sums: Tally }> {
  const earlier = new Map<string, readonly LedgerEvent[]>();
  const touched = touchedBy(events);
  for (;;) {
    const wanted = new Set<string>();
    const sums = new Tally();
    held.reset();
    const change = foldAll({ touched, held, sums, earlier, wanted });
    if (wanted.size === 0) return { ...change, sums };
    for (const [id, chain] of await chains(client, [...wanted])) earlier.set(id, chain);
  }
}

/** As `foldEvents`, where no transaction was there before and none has a parent: nothing is read. Null where that is not enough. */
export function foldNew(events: readonly NewEvent[], held: HeldRows): (LedgerChange & { readonly sums: Tally }) | null {
  const wanted = new Set<string>();
  const sums = new Tally();
  const change = foldAll({ touched: touchedBy(events), held, sums, earlier: new Map(), wanted });
  return wanted.size > 0 || change.unfolded.size > 0 ? null : { ...change, sums };
}

interface Folding {
  readonly touched: ReadonlyMap<string, Touched>;
  readonly held: HeldRows;
  readonly sums: Tally;
  /** All events of the transactions that need them. */
  readonly earlier: ReadonlyMap<string, readonly LedgerEvent[]>;
  /** Filled with the transactions whose earlier events are needed and not here. */
  readonly wanted: Set<string>;
}

function foldAll(folding: Folding): LedgerChange {
  const { touched, held } = folding;
  const changed = new Map<string, string[]>();
  const unfolded = new Map<string, string>();
  const parents = new Map<string, { child: string; at: number }>();
  const keep = (folded: Folded | null): Folded | null => {
    if (folded !== null) held.of(folded.now.id).references.push(...newReferences(folded));
    return folded;
  };
  for (const [id, one] of touched) {
    const at = one.fresh[0]?.recordedAt ?? 0;
    const folded = keep(foldSafely(folding, one, { at, unfolded }));
    changed.set(id, folded === null ? [] : [folded.doc]);
    if (folded?.now.parent != null) parents.set(folded.now.parent, { child: id, at });
  }
  // Children change their parents' derived parts (refunded amount, dispute): after all children stand.
  for (const [id, { child, at }] of parents) {
    const { identity } = held.of(id);
    const folded = identity === null ? null : keep(foldOne(folding, { identity, fresh: [] }, { at, without: unfolded }));
    if (folded === null) continue;
    // Each row once, as it stands at the end: with its own event where that is in this commit too.
    const own = changed.get(id) ?? [];
    if (own.length > 0) own.splice(0, 1, folded.doc);
    else changed.get(child)?.push(folded.doc);
  }
  return { changed, unfolded };
}

function foldOne(
  { held, sums, earlier, wanted }: Folding,
  { identity, fresh }: Touched,
  { at, without }: { at: number; without: ReadonlyMap<string, string> },
): Folded | null {
  const row = held.of(identity.id);
  const all = (): readonly LedgerEvent[] => {
    const known = earlier.get(identity.id);
    if (known === undefined) wanted.add(identity.id);
    return (known ?? fresh).filter(({ id }) => !without.has(id));
  };
  const stored = row.doc === null ? null : { doc: row.doc, fold: row.fold };
  const folded = refold({ identity, stored, fresh, all, children: () => held.childrenOf(identity.id) });
  if (folded === null || folded.doc === row.doc) return null;
  held.change(identity, folded);
  sums.move(folded.before, folded.now, at);
  return folded;
}

/** One event that cannot be folded is marked and left out; the others of its transaction count. */
function foldSafely(folding: Folding, touched: Touched, { at, unfolded }: { at: number; unfolded: Map<string, string> }): Folded | null {
  try {
    return foldOne(folding, touched, { at, without: unfolded });
  } catch (error) {
    for (const { id } of touched.fresh) unfolded.set(id, String(error));
  }
  let folded: Folded | null = null;
  for (const event of touched.fresh) {
    unfolded.delete(event.id);
    try {
      folded = foldOne(folding, { identity: touched.identity, fresh: [event] }, { at, without: unfolded }) ?? folded;
    } catch (error) {
      unfolded.set(event.id, String(error));
    }
  }
  return folded;
}

const TRANSACTIONS = typedRowsOf('transaction_row', {
  seq: 'int8',
  updated_at: 'int8',
  id: 'text',
  merchant: 'text',
  provider: 'text',
  kind: 'text',
  key: 'text',
  status: 'text',
  rail: 'text',
  currency: 'text',
  parent: 'text',
  doc: 'text',
  fold: 'text',
  refs: 'texts',
});

const COLUMNS = 'updated_at, id, merchant, provider, kind, key, status, rail, currency, parent, doc, fold';

const INSERT = stepOver('transactions', {
  rows: TRANSACTIONS,
  text: (rows) => `begun AS MATERIALIZED (SELECT nextval('transactions_seq') AS number, r.* FROM ${rows}),
    begun_rows AS (INSERT INTO transactions (seq, ${COLUMNS}) SELECT number, ${COLUMNS} FROM begun),
    begun_refs AS (INSERT INTO refs (transaction_seq, merchant, value) SELECT number, merchant, unnest(refs) FROM begun)`,
});

const UPDATE = stepOver('transactions_moved', {
  rows: TRANSACTIONS,
  text: (rows) => `moved AS MATERIALIZED (SELECT r.* FROM ${rows}),
    moved_rows AS (UPDATE transactions t SET updated_at = r.updated_at, status = r.status, rail = r.rail, currency = r.currency, parent = r.parent, doc = r.doc, fold = r.fold
      FROM moved r WHERE t.seq = ANY (ARRAY[r.seq])),
    moved_refs AS (INSERT INTO refs (transaction_seq, merchant, value) SELECT seq, merchant, unnest(refs) FROM moved)`,
});

/** Writes the rows that a commit changed, with what they can be searched by. They are locked, so what was not there when it was read is not there now. */
export function writeTransactions(rows: readonly Held[]): Step[] {
  return [
    ...INSERT(rows.filter(({ isNew }) => isNew).map(transactionRow)),
    ...UPDATE(rows.filter(({ isNew }) => !isNew).map(transactionRow)),
  ];
}

function transactionRow({ seq, identity, now, doc, fold, references: refs }: Held) {
  const { id, merchant, provider, kind, status, rail, parent, amount, amountReceived, updatedAt } = now as Transaction;
  const currency = amount?.currency ?? amountReceived?.currency ?? null;
  return {
    seq,
    updated_at: Date.parse(updatedAt),
    id,
    merchant,
    provider,
    kind,
    key: identity?.key ?? '',
    status,
    rail,
    currency,
    parent,
    doc,
    fold,
    refs,
  };
}
