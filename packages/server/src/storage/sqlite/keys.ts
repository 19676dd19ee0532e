import type { DatabaseSync } from 'node:sqlite';

/**
 * Indexes for keys that come in no order (dedupe keys, transaction ids, references).
 *
 * Put straight into a B-tree, each such key dirties a page of its own, and a commit writes pages, not rows: that was three quarters
 * of all bytes written. So the newest keys live in memory and go into their table in sorted runs, many to a page. Nothing is kept in
 * memory alone: the rows themselves hold the keys, and `load` reads those after the last run again.
 *
 * There is one writer (the lock in connect.ts), so memory and table together are the whole truth.
 */
export interface KeyIndex<Key> {
  /** The row with this key, this commit's own included; null where there is none. */
  find(key: Key): number | null;
  add(key: Key, seq: number): void;
  /** Writes a run where enough has gathered; call it inside the commit. */
  flush(): void;
  /** The commit stands, or not. */
  settle(committed: boolean): void;
}

export interface KeyTable<Key> {
  readonly name: 'event_keys' | 'transaction_ids';
  readonly text: (key: Key) => string;
  readonly find: (key: Key) => number | null;
  readonly insert: (key: Key, seq: number) => void;
  /** The keys of the rows after `upto`. */
  readonly after: (upto: number) => Iterable<{ readonly key: Key; readonly seq: number }>;
}

/** Keys in one run: long enough that many fall on one page, short enough that writing it does not stall the door. */
const RUN = 8192;

export function keyIndex<Key>(db: DatabaseSync, table: KeyTable<Key>): KeyIndex<Key> {
  const runs = runsOf(db);
  const recent = new Map<string, { key: Key; seq: number }>();
  let added: string[] = [];
  let flushed = false;
  for (const { key, seq } of table.after(runs.upto(table.name))) recent.set(table.text(key), { key, seq });
  return {
    find: (key) => recent.get(table.text(key))?.seq ?? table.find(key),
    add(key, seq) {
      const text = table.text(key);
      recent.set(text, { key, seq });
      added.push(text);
    },
    flush() {
      if (recent.size < RUN) return;
      let upto = 0;
      for (const [, { key, seq }] of [...recent].sort(([a], [b]) => (a < b ? -1 : 1))) {
        table.insert(key, seq);
        if (seq > upto) upto = seq;
      }
      runs.written(table.name, upto);
      flushed = true;
    },
    settle(committed) {
      if (!committed) for (const text of added) recent.delete(text);
      else if (flushed) recent.clear();
      added = [];
      flushed = false;
    },
  };
}

export function runsOf(db: DatabaseSync) {
  const read = db.prepare('SELECT upto FROM runs WHERE name = ?');
  const write = db.prepare('INSERT INTO runs (name, upto) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET upto = excluded.upto');
  return {
    upto: (name: string): number => Number(read.get(name)?.['upto'] ?? 0),
    written: (name: string, upto: number): void => void write.run(name, upto),
  };
}

export interface EventKey {
  readonly scope: string;
  readonly key: string;
}

/** Dedupe keys: one fact, one row. */
export function eventKeys(db: DatabaseSync): KeyIndex<EventKey> {
  const find = db.prepare('SELECT seq FROM event_keys WHERE scope = ? AND key = ?');
  const insert = db.prepare('INSERT INTO event_keys (scope, key, seq) VALUES (?, ?, ?)');
  return keyIndex<EventKey>(db, {
    name: 'event_keys',
    text: ({ scope, key }) => `${scope}\n${key}`,
    find: ({ scope, key }) => (find.get(scope, key) as { seq: number } | undefined)?.seq ?? null,
    insert: ({ scope, key }, seq) => insert.run(scope, key, seq),
    after: (upto) =>
      (
        db.prepare('SELECT seq, scope, dedupe_key AS key FROM events WHERE seq > ?').all(upto) as unknown as (EventKey & { seq: number })[]
      ).map(({ seq, scope, key }) => ({
        key: { scope, key },
        seq,
      })),
  });
}

export function transactionIds(db: DatabaseSync): KeyIndex<string> {
  const find = db.prepare('SELECT seq FROM transaction_ids WHERE id = ?');
  const insert = db.prepare('INSERT INTO transaction_ids (id, seq) VALUES (?, ?)');
  return keyIndex<string>(db, {
    name: 'transaction_ids',
    text: (id) => id,
    find: (id) => (find.get(id) as { seq: number } | undefined)?.seq ?? null,
    insert: (id, seq) => insert.run(id, seq),
    after: (upto) =>
      (db.prepare('SELECT seq, id FROM transactions WHERE seq > ?').all(upto) as { seq: number; id: string }[]).map(({ seq, id }) => ({
        key: id,
        seq,
      })),
  });
}

/** For connections that only read: the row of a transaction, in the table or among the rows after its last run. */
export function transactionFinder(db: DatabaseSync): (id: string) => number | null {
  const found = db.prepare(
    `SELECT seq FROM transaction_ids WHERE id = ?1
     UNION ALL SELECT seq FROM transactions WHERE seq > (SELECT coalesce(max(upto), 0) FROM runs WHERE name = 'transaction_ids') AND id = ?1 LIMIT 1`,
  );
  return (id) => (found.get(id) as { seq: number } | undefined)?.seq ?? null;
}
