import type { DatabaseSync } from 'node:sqlite';
import { Hashes } from './hashes.ts';
import type { HashedKey } from './hashes.ts';
import { Run, runsOf } from './runs.ts';

/**
 * Indexes for keys that come in no order (dedupe keys, transaction ids).
 *
 * Put straight into a B-tree, each such key dirties a page of its own, and a commit writes pages, not rows: that was three quarters
 * of all bytes written. So the newest keys live in memory and go into their table in sorted runs, many to a page. Nothing is kept in
 * memory alone: the rows themselves hold the keys, and those after the last run are read again at start.
 *
 * The table holds a 52-bit hash of each key, which is small and quick to compare; the row that it names says whether it is the key.
 * There is one writer (the lock in connect.ts), so memory and table together are the whole truth.
 */
export interface KeyIndex {
  /** The row with this key, this commit's own included; null where there is none. */
  find(key: string): number | null;
  add(key: string, seq: number): void;
  /** Writes on at a run where enough has gathered; call it inside the commit. */
  flush(): void;
  /** The commit stands, or not. */
  settle(committed: boolean): void;
}

interface KeyTable {
  readonly name: 'event_keys' | 'transaction_ids';
  /** The rows that hold the keys, and their key as one text. */
  readonly rows: 'events' | 'transactions';
  readonly key: string;
  /** Keys in one run: the more, the more of them fall on one page. */
  readonly run: number;
}

const EVENT_KEYS: KeyTable = { name: 'event_keys', rows: 'events', key: `scope || char(10) || dedupe_key`, run: 32_768 };
/** Shorter, because readers look through the rows after the last run one by one. */
const TRANSACTION_IDS: KeyTable = { name: 'transaction_ids', rows: 'transactions', key: 'id', run: 8_192 };

/** Dedupe keys, each the text of `eventKey`: one fact, one row. */
export const eventKeys = (db: DatabaseSync): KeyIndex => keyIndex(db, EVENT_KEYS);
export const eventKey = (scope: string, dedupeKey: string): string => `${scope}\n${dedupeKey}`;
export const transactionIds = (db: DatabaseSync): KeyIndex => keyIndex(db, TRANSACTION_IDS);

function keyIndex(db: DatabaseSync, { name, rows, key: column, run: length }: KeyTable): KeyIndex {
  const runs = runsOf(db);
  const candidates = db.prepare(`SELECT seq FROM ${name} WHERE hash = ?`);
  const keyOf = db.prepare(`SELECT ${column} AS key FROM ${rows} WHERE seq = ?`);
  const insert = db.prepare(`INSERT INTO ${name} (hash, seq) VALUES (?, ?) ON CONFLICT DO NOTHING`);
  const run = new Run<HashedKey>({ write: ({ hash, seq }) => insert.run(hash, seq), finish: (upto) => runs.written(name, upto) });
  let recent = new Hashes(length);
  /** Those of the run that is being written. */
  let leaving = new Hashes(0);
  let added = 0;
  for (const { seq, key } of db.prepare(`SELECT seq, ${column} AS key FROM ${rows} WHERE seq > ?`).iterate(runs.upto(name))) {
    recent.add(hashOf(String(key)), Number(seq));
  }
  recent.keep();

  return {
    find(key) {
      const hash = hashOf(key);
      const isIt = (seq: number): boolean => keyOf.get(seq)?.['key'] === key;
      const inMemory = recent.find(hash, isIt) ?? leaving.find(hash, isIt);
      if (inMemory !== null) return inMemory;
      const first = candidates.get(hash) as { seq: number } | undefined;
      if (first === undefined) return null;
      if (isIt(first.seq)) return first.seq;
      return (candidates.all(hash) as { seq: number }[]).find(({ seq }) => isIt(seq))?.seq ?? null;
    },
    add(key, seq) {
      recent.add(hashOf(key), seq);
      added += 1;
    },
    flush: () => run.step(added),
    settle(committed) {
      if (committed) recent.keep();
      else recent.forget();
      added = 0;
      if (run.settle(committed)) leaving = new Hashes(0);
      if (!run.isEmpty || recent.size < length) return;
      leaving = recent;
      recent = new Hashes(length);
      const lines = leaving.inOrder();
      run.begin(
        lines,
        lines.reduce((upto, { seq }) => Math.max(upto, seq), 0),
      );
    },
  };
}

const TWO_POW_32 = 2 ** 32;

/** 52 bits that spread keys evenly, as a whole number. Two multiplicative hashes side by side; not a secret. */
export function hashOf(key: string): number {
  let low = 0x811c9dc5;
  let high = 0x2545f491;
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
  }
  return ((high ^ (low >>> 13)) & 0xfffff) * TWO_POW_32 + (low >>> 0);
}

/** For connections that only read: the row of a transaction, in the table or among the rows after its last run. */
export function transactionFinder(db: DatabaseSync): (id: string) => number | null {
  const found = db.prepare(
    `SELECT k.seq FROM transaction_ids k JOIN transactions t ON t.seq = k.seq WHERE k.hash = ?1 AND t.id = ?2
     UNION ALL SELECT seq FROM transactions WHERE seq > (SELECT coalesce(max(upto), 0) FROM runs WHERE name = 'transaction_ids') AND id = ?2 LIMIT 1`,
  );
  return (id) => (found.get(hashOf(id), id) as { seq: number } | undefined)?.seq ?? null;
}
