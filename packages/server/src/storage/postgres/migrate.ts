import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { StorageError } from './errors.ts';

const MIGRATIONS = join(import.meta.dirname, 'migrations');

/** Any number will do, as long as it is the same for every node. */
const LOCK = 7_291_002;

const TABLE = 'CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())';

/** Brings the schema up to date in one transaction, by whichever node comes first; refuses a newer one. Throws a sentence. */
export async function migrate(client: PoolClient): Promise<void> {
  const files = migrations();
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${LOCK})`);
    await client.query(TABLE);
    const at = await version(client);
    assertKnown(at, files.length);
    for (const [index, name] of files.entries()) {
      if (index < at) continue;
      await client.query(readFileSync(join(MIGRATIONS, name), 'utf8'));
      await client.query('INSERT INTO schema_version (version) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** For a store that never writes: the schema must be there, and known. */
export async function assertMigrated(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('schema_version') IS NOT NULL AS found`);
  if (rows[0]?.found !== true) throw new StorageError('This database holds no Paybell yet. Start Paybell on it once.', null);
  const at = await version(client);
  assertKnown(at, migrations().length);
  if (at < migrations().length)
    throw new StorageError(`The schema of this database is older (${at}) than this Paybell. Start Paybell on it once.`, null);
}

function migrations(): string[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort();
}

async function version(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM schema_version');
  return rows[0]?.version ?? 0;
}

function assertKnown(at: number, known: number): void {
  if (at <= known) return;
  throw new StorageError(
    `The database was written by a newer Paybell (schema ${at}, this one knows ${known}). Start that version, or use another database.`,
    null,
  );
}
