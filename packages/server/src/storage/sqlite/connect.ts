import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The newest schema this program knows: the number of its last migration. */
const MIGRATIONS = join(import.meta.dirname, 'migrations');

/** How far a writer lets the log grow before it writes it back itself, in pages of 4 KiB. */
const CHECKPOINT_PAGES = 4000;

/** `write`: the one writer, `alone` without a thread that writes the log back; `upkeep`: that thread's. */
export type Mode = 'write' | 'alone' | 'read' | 'upkeep';

/** Opens the embedded database, writes only durably, and refuses where that cannot be had. Throws an Error with a sentence. */
export function connect(path: string, mode: Mode): DatabaseSync {
  if (mode !== 'read') mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path, { readOnly: mode === 'read', enableForeignKeyConstraints: false, timeout: 5000 });
  if (mode === 'read') {
    db.exec('PRAGMA query_only = ON; PRAGMA cache_size = -16000;');
    return db;
  }
  db.exec(`PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${mode === 'write' ? 'NORMAL' : 'FULL'}; PRAGMA cache_size = -32000;
    PRAGMA wal_autocheckpoint = ${mode === 'alone' ? CHECKPOINT_PAGES : 0}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;`);
  assertDurable(db, mode);
  if (mode !== 'upkeep') migrate(db);
  return db;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** Reads the settings back: a 2xx means on disk, so without WAL and full sync nothing may be acknowledged. */
function assertDurable(db: DatabaseSync, mode: Mode): void {
  const journal = pragma(db, 'journal_mode');
  const synchronous = pragma(db, 'synchronous');
  if (journal !== 'wal')
    throw new Error(`The database could not be put into WAL mode (it is in ${String(journal)}). Use a local disk for the data folder.`);
  if (synchronous !== (mode === 'write' ? 1 : 2))
    throw new Error(`The database does not sync every commit (synchronous=${String(synchronous)}). Paybell does not start without it.`);
}

/** What `assertDurable` found, for people. */
export function durability(db: DatabaseSync): string {
  const syncs = pragma(db, 'synchronous') === 2 ? 'synchronous=FULL' : 'synced before every answer';
  return `${String(pragma(db, 'journal_mode')).toUpperCase()}, ${syncs}`;
}

export interface Checkpoint {
  /** Pages in the log, and how many of them are in the database. */
  readonly log: number;
  readonly done: number;
}

/** Writes back as much of the log as nobody reads any more, without holding up anybody. */
export function checkpoint(db: DatabaseSync): Checkpoint {
  const { log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as { log: number; checkpointed: number };
  return { log, done: checkpointed };
}

function migrate(db: DatabaseSync): void {
  const files = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const at = Number(pragma(db, 'user_version'));
  if (at > files.length) {
    throw new Error(
      `The data folder was written by a newer Paybell (schema ${at}, this one knows ${files.length}). Start that version, or use another --data folder.`,
    );
  }
  for (const [index, name] of files.entries()) {
    if (index < at) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(readFileSync(join(MIGRATIONS, name), 'utf8'));
      db.exec(`PRAGMA user_version = ${index + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}

/**
 * Holds the data folder for one process by a lock row of SQLite itself, so that a kill -9 frees it.
 * Answers the release, or null where another process has it.
 */
export function lockFolder(path: string): (() => void) | null {
  mkdirSync(dirname(path), { recursive: true });
  const lockPath = `${path}.lock`;
  // Made here, so that only its owner may open it.
  closeSync(openSync(lockPath, 'a', 0o600));
  const lock = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;');
  } catch {
    lock.close();
    return null;
  }
  return () => {
    lock.exec('ROLLBACK');
    lock.close();
  };
}
