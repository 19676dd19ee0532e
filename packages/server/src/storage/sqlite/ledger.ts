import type { DatabaseSync } from 'node:sqlite';
import type { Transaction, TransactionIdentity } from '@paybell/sdk';
import { refold } from '../../ledger/refold.ts';
import type { Folded } from '../../ledger/refold.ts';
import type { Tally } from '../../ledger/tally.ts';
import { touchedBy } from '../../ledger/touched.ts';
import type { Touched } from '../../ledger/touched.ts';
import type { NewEvent } from '../contract.ts';
import { chainReader } from './chain.ts';
import { transactionIds } from './keys.ts';
import { refWriter } from './refs.ts';

/** A transaction as this commit finds and leaves it. */
interface Held {
  seq: number | null;
  doc: string | null;
  fold: string;
  lastEvent: number | null;
}

/** Reads, folds and writes the transactions that a commit touches; runs inside its transaction. */
export function ledgerWriter(db: DatabaseSync) {
  const ids = transactionIds(db);
  const refs = refWriter(db);
  const eventsOf = chainReader(db);
  const read = db.prepare('SELECT seq, doc, fold, last_event AS lastEvent FROM transactions WHERE seq = ?');
  const childrenOf = db.prepare('SELECT doc FROM transactions WHERE parent = ? ORDER BY id');
  const identityOf = db.prepare('SELECT id, merchant, provider, kind, key FROM transactions WHERE seq = ?');
  const insert = db.prepare(
    `INSERT INTO transactions (id, merchant, provider, kind, key, status, rail, currency, updated_at, parent, last_event, doc, fold)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(
    'UPDATE transactions SET status = ?, rail = ?, currency = ?, updated_at = ?, parent = ?, last_event = ?, doc = ?, fold = ? WHERE seq = ?',
  );
  const setState = db.prepare('UPDATE events SET state = ?, note = ? WHERE id = ?');
  const held = new Map<string, Held>();

  function hold(id: string): Held {
    let row = held.get(id);
    if (row === undefined) {
      const seq = ids.find(id);
      row = seq === null ? { seq, doc: null, fold: '', lastEvent: null } : (read.get(seq) as unknown as Held);
      held.set(id, row);
    }
    return row;
  }

  function write(row: Held, folded: Folded, key: string): void {
    const { now } = folded;
    const at = Date.parse(now.updatedAt);
    const currency = now.amount?.currency ?? now.amountReceived?.currency ?? null;
    if (row.seq === null) {
      const { id, merchant, provider, kind, status, rail, parent } = now;
      row.seq = Number(
        insert.run(id, merchant, provider, kind, key, status, rail, currency, at, parent, row.lastEvent, folded.doc, folded.fold)
          .lastInsertRowid,
      );
      ids.add(id, row.seq);
    } else {
      update.run(now.status, now.rail, currency, at, now.parent, row.lastEvent, folded.doc, folded.fold, row.seq);
    }
    refs.changed(folded.before, now, row.seq);
    row.doc = folded.doc;
    row.fold = folded.fold;
  }

  function foldOne({ identity, fresh }: Touched, tally: Tally, at: number): Folded | null {
    const row = hold(identity.id);
    const folded = refold({
      identity,
      stored: row.doc === null ? null : { doc: row.doc, fold: row.fold },
      fresh,
      all: () => eventsOf(row.lastEvent),
      children: () => (childrenOf.all(identity.id) as { doc: string }[]).map((child) => JSON.parse(child.doc) as Transaction),
    });
    if (folded === null || folded.doc === row.doc) return null;
    write(row, folded, identity.key);
    tally.move(folded.before, folded.now, at);
    return folded;
  }

  /** One event that cannot be folded is marked and left out; the others of its transaction count. */
  function foldSafely(touched: Touched, tally: Tally, at: number): Folded | null {
    try {
      return foldOne(touched, tally, at);
    } catch (error) {
      for (const event of touched.fresh) setState.run('fold_failed', String(error), event.id);
    }
    let folded: Folded | null = null;
    for (const event of touched.fresh) {
      setState.run('recorded', null, event.id);
      try {
        folded = foldOne({ identity: touched.identity, fresh: [event] }, tally, at) ?? folded;
      } catch (error) {
        setState.run('fold_failed', String(error), event.id);
      }
    }
    return folded;
  }

  return {
    /** The event of the same transaction before this one. */
    previousOf: (transaction: string): number | null => hold(transaction).lastEvent,
    follows(transaction: string, eventSeq: number): void {
      hold(transaction).lastEvent = eventSeq;
    },
    /** Folds the new events; answers with the JSON texts of the rows that changed, under the id of a transaction the events name. */
    fold(events: readonly NewEvent[], tally: Tally): Map<string, string[]> {
      const changed = new Map<string, string[]>();
      const parents = new Map<string, { child: string; at: number }>();
      for (const [id, one] of touchedBy(events)) {
        const at = one.fresh[0]?.recordedAt ?? 0;
        const folded = foldSafely(one, tally, at);
        changed.set(id, folded === null ? [] : [folded.doc]);
        if (folded?.now.parent != null) parents.set(folded.now.parent, { child: id, at });
      }
      // Children change their parents' derived parts (refunded amount, dispute): after all children stand.
      for (const [id, { child, at }] of parents) {
        const { seq } = hold(id);
        if (seq === null) continue;
        const folded = foldOne({ identity: identityOf.get(seq) as unknown as TransactionIdentity, fresh: [] }, tally, at);
        if (folded === null) continue;
        // Each row once, as it stands at the end: with its own event where that is in this commit too.
        const own = changed.get(id) ?? [];
        if (own.length > 0) own.splice(0, 1, folded.doc);
        else changed.get(child)?.push(folded.doc);
      }
      ids.flush();
      refs.flush();
      return changed;
    },
    /** JSON text of a transaction as this commit left it. */
    rowOf: (id: string): string | null => hold(id).doc,
    settle(committed: boolean): void {
      held.clear();
      ids.settle(committed);
      refs.settle(committed);
    },
  };
}
