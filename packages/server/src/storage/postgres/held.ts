import type { PoolClient } from 'pg';
import type { Transaction, TransactionIdentity } from '@paybell/sdk';
import type { Folded } from '../../ledger/refold.ts';
import type { NewEvent } from '../contract.ts';
import { encode } from './arrays.ts';

/** A transaction as a commit finds and leaves it. Where it is new, its number is reserved already. */
export interface Held {
  readonly seq: number;
  readonly isNew: boolean;
  identity: TransactionIdentity | null;
  doc: string | null;
  fold: string;
  /** Set once this commit changed it. */
  now: Transaction | null;
}

interface Read extends Omit<Held, 'now' | 'identity' | 'isNew'> {
  readonly id: string;
  readonly merchant: string | null;
  readonly provider: string;
  readonly kind: TransactionIdentity['kind'];
  readonly key: string;
  readonly parent: string | null;
  /** Set: this is no row that was asked for, but one of its children. */
  readonly child: string | null;
}

const READ = {
  name: 'record_held',
  text: `SELECT r.id, NULL AS child, coalesce(t.seq, nextval('transactions_seq')) AS seq, t.merchant, t.provider, t.kind, t.key, t.parent, t.doc, coalesce(t.fold, '') AS fold
      FROM unnest($1::text[]) AS r (id) LEFT JOIN transactions t ON t.id = r.id
    UNION ALL SELECT r.id, c.id, 0, NULL, NULL, NULL, NULL, NULL, c.doc, '' FROM unnest($1::text[]) AS r (id) JOIN transactions c ON c.parent = r.id`,
};

const LOCK = {
  name: 'record_locks',
  text: 'SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(id, 0) AS key FROM unnest($1::text[]) AS t (id) ORDER BY 1) k',
};

/** The transactions that a batch may touch, in order of arrival: those its events name, and their parents. */
export function namedBy(events: readonly NewEvent[]): string[] {
  const ids = new Set<string>();
  for (const { transaction, parent } of events) {
    if (transaction !== null) ids.add(transaction);
    if (parent !== null) ids.add(parent);
  }
  return [...ids];
}

/** Holds these transactions until the commit, whether they are there yet or not. */
export async function lockTransactions(client: PoolClient, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await client.query({ ...LOCK, values: [encode('text', ids)] });
}

/** The rows that a commit works on, as they are in the database with its own changes on top. */
export class HeldRows {
  readonly #read = new Map<string, Read>();
  /** JSON texts by id, under their parents. */
  readonly #children = new Map<string, Map<string, string>>();
  #rows = new Map<string, Held>();
  /** Ids of the children that this commit changed, under their parents. */
  #changedChildren = new Map<string, Set<string>>();

  /** Reads the rows and their children; they must be locked. Parents that only a row names are locked and read as well. */
  async read(client: PoolClient, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { rows } = await client.query<Read>({ ...READ, values: [encode('text', ids)] });
    for (const row of rows) {
      if (row.child === null) this.#read.set(row.id, row);
      else this.#childrenRead(row.id).set(row.child, row.doc ?? 'null');
    }
    const unread = rows.flatMap(({ parent }) => (parent === null || this.#read.has(parent) ? [] : [parent]));
    if (unread.length === 0) return;
    const further = [...new Set(unread)];
    await lockTransactions(client, further);
    await this.read(client, further);
  }

  #childrenRead(parent: string): Map<string, string> {
    let children = this.#children.get(parent);
    if (children === undefined) this.#children.set(parent, (children = new Map()));
    return children;
  }

  /** Forgets the changes of this commit. */
  reset(): void {
    this.#rows = new Map();
    this.#changedChildren = new Map();
  }

  of(id: string): Held {
    let row = this.#rows.get(id);
    if (row === undefined) {
      const read = this.#read.get(id);
      if (read === undefined) throw new Error(`The transaction ${id} was not read before its events were folded.`);
      row = { seq: read.seq, isNew: read.doc === null, identity: identityOf(read), doc: read.doc, fold: read.fold, now: null };
      this.#rows.set(id, row);
    }
    return row;
  }

  change(identity: TransactionIdentity, { now, doc, fold }: Folded): void {
    const row = this.of(identity.id);
    row.identity = identity;
    row.now = now;
    row.doc = doc;
    row.fold = fold;
    if (now.parent === null) return;
    const siblings = this.#changedChildren.get(now.parent);
    if (siblings === undefined) this.#changedChildren.set(now.parent, new Set([identity.id]));
    else siblings.add(identity.id);
  }

  /** In the order of their ids, as a rebuild reads them. */
  childrenOf(parent: string): Transaction[] {
    const ids = new Map(this.#children.get(parent));
    for (const id of this.#changedChildren.get(parent) ?? []) ids.set(id, '');
    return [...ids]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, doc]) => this.#rows.get(id)?.now ?? (JSON.parse(doc) as Transaction))
      .filter((child) => child.parent === parent);
  }

  changed(): Held[] {
    return [...this.#rows.values()].filter(({ now }) => now !== null);
  }
}

function identityOf({ id, merchant, provider, kind, key }: Read): TransactionIdentity | null {
  return merchant === null ? null : { id, merchant, provider, kind, key };
}
