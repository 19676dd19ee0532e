import type { PoolClient } from 'pg';
import type { Transaction, TransactionIdentity } from '@paybell/sdk';
import type { Folded } from '../../ledger/refold.ts';
import type { NewEvent } from '../contract.ts';
import { encode } from './arrays.ts';
import { TAKE_PLACE } from './numbered.ts';
import type { Step } from './steps.ts';
import type { Statement } from './trip.ts';

/** A transaction as a commit finds and leaves it. */
export interface Held {
  /** Null where it is new: its number is given when it is written. */
  readonly seq: number | null;
  readonly isNew: boolean;
  identity: TransactionIdentity | null;
  doc: string | null;
  fold: string;
  /** Texts that this commit adds to those by which it is searched. */
  readonly references: string[];
  /** Set once this commit changed it. */
  now: Transaction | null;
}

type Read = Pick<Held, 'seq' | 'identity' | 'doc' | 'fold'>;

const NOT_THERE: Read = { seq: null, identity: null, doc: null, fold: '' };

/** What is there of the rows that were asked for (`row`), and of their `child`ren. */
type Found =
  | (Pick<TransactionIdentity, 'id' | 'merchant' | 'provider' | 'kind' | 'key'> & {
      readonly what: 'row';
      readonly seq: number;
      readonly parent: string | null;
      readonly doc: string;
      readonly fold: string;
    })
  | { readonly what: 'child'; readonly id: string; readonly parent: string; readonly doc: string };

const READ = {
  name: 'record_held',
  text: `SELECT 'row' AS what, t.id, t.seq, t.merchant, t.provider, t.kind, t.key, t.parent, t.doc, t.fold FROM unnest($1::text[]) AS r (id) JOIN transactions t ON t.id = ANY (ARRAY[r.id])
    UNION ALL SELECT 'child', c.id, NULL, NULL, NULL, NULL, NULL, c.parent, c.doc, NULL FROM unnest($1::text[]) AS r (id)
      CROSS JOIN LATERAL (SELECT * FROM transactions WHERE parent = r.id OFFSET 0) c`,
};

/** In sorted order, so that two nodes wait for each other instead of standing in each other's way. */
const LOCK = {
  name: 'record_locks',
  text: `SELECT ${TAKE_PLACE}, count(locked) FROM (SELECT pg_advisory_xact_lock(key) AS locked
    FROM (SELECT DISTINCT hashtextextended(id, 0) AS key FROM unnest($1::text[]) AS t (id) ORDER BY 1) k) l`,
};

/** Holds these transactions until the commit, whether they are there yet or not, and takes the commit's place among all. */
export function lockStatement(ids: readonly string[]): Statement & { values: unknown[] } {
  return { ...LOCK, values: [encode('text', ids)] };
}

/** Fails, by a division by zero, where one of these transactions has children already. */
export function childless(ids: readonly string[]): Step {
  return {
    name: 'childless',
    condition: true,
    text: (at) => `(SELECT 1 / (1 - count(*)) FROM (SELECT FROM unnest($${at}::text[]) AS r (id)
      CROSS JOIN LATERAL (SELECT FROM transactions WHERE parent = r.id LIMIT 1 OFFSET 0) c LIMIT 1) children)`,
    rows: () => encode('text', ids),
  };
}

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
  if (ids.length > 0) await client.query(lockStatement(ids));
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
    const { rows } = await client.query<Found>({ ...READ, values: [encode('text', ids)] });
    for (const found of rows) {
      if (found.what === 'row') this.#read.set(found.id, { ...found, identity: identityOf(found) });
      else this.#childrenRead(found.parent).set(found.id, found.doc);
    }
    this.begin(ids.filter((id) => !this.#read.has(id)));
    const unread = rows.flatMap((found) =>
      found.what !== 'row' || found.parent === null || this.#read.has(found.parent) ? [] : [found.parent],
    );
    if (unread.length === 0) return;
    const further = [...new Set(unread)];
    await lockTransactions(client, further);
    await this.read(client, further);
  }

  /** These are not there, and have no children. */
  begin(ids: readonly string[]): void {
    for (const id of ids) this.#read.set(id, NOT_THERE);
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
      row = { ...read, isNew: read.doc === null, references: [], now: null };
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

function identityOf({ id, merchant, provider, kind, key }: TransactionIdentity): TransactionIdentity {
  return { id, merchant, provider, kind, key };
}
