import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { connect, lockFolder } from '../sqlite/connect.ts';

/** Rows and bytes that travel together at most. */
const BATCH_ROWS = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;

export type SourceValue = string | number | Uint8Array | null;
export type SourceRow = Readonly<Record<string, SourceValue>>;

/** An embedded store that nobody else has open, for as long as this is. */
export interface Source {
  /** Its tables, and the columns of each. */
  tables(): ReadonlyMap<string, readonly string[]>;
  count(table: string): number;
  /** In batches, cut by rows and by bytes. */
  rows(sql: string): Iterable<readonly SourceRow[]>;
  close(): void;
}

/** Throws a sentence where there is no store, or a server runs on it. */
export function openSource(path: string): Source {
  if (!existsSync(path)) throw new Error(`There is no store at ${path}: say with --from where the data folder is.`);
  const unlock = lockFolder(path);
  if (unlock === null) throw new Error(`A Paybell runs on ${path}. Stop it first: what it accepted meanwhile would stay behind.`);
  let db: DatabaseSync;
  try {
    // As a start would, so that the rows are in the form of this version.
    connect(path, 'write').close();
    db = connect(path, 'read');
  } catch (error) {
    unlock();
    throw error;
  }
  return {
    tables() {
      const names = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).all() as {
        name: string;
      }[];
      const columns = db.prepare('SELECT name FROM pragma_table_info(?)');
      return new Map(names.map(({ name }) => [name, (columns.all(name) as { name: string }[]).map((column) => column.name)]));
    },
    count: (table) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']),
    *rows(sql) {
      let batch: SourceRow[] = [];
      let bytes = 0;
      for (const row of db.prepare(sql).iterate() as Iterable<SourceRow>) {
        batch.push(row);
        for (const value of Object.values(row)) if (value !== null && typeof value !== 'number') bytes += value.length;
        if (batch.length < BATCH_ROWS && bytes < BATCH_BYTES) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
      if (batch.length > 0) yield batch;
    },
    close() {
      db.close();
      unlock();
    },
  };
}
