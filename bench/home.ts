import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { databasePath } from '../packages/server/src/storage/open.ts';
import type { Store } from './run.ts';
import { makeTag } from './webhook.ts';

/** Where a server under test keeps its things: empty at first, and gone at the end. It outlives the server, so that one can start on it again. */
export interface Home extends AsyncDisposable {
  readonly data: string;
  /** What `openStorage` takes. */
  readonly storeUrl: string;
  readonly flags: readonly string[];
  /** After a fill: what a database that grew day by day knows of itself, PostgreSQL is told at once. */
  settle(): Promise<void>;
}

export async function makeHome(store: Store): Promise<Home> {
  const schema = store === 'sqlite' ? null : await makeSchema();
  const data = mkdtempSync(join(tmpdir(), 'paybell-bench-'));
  const remove = (): void => rmSync(data, { recursive: true, force: true, maxRetries: 3 });
  // An interrupted run leaves no data behind.
  process.once('exit', remove);
  return {
    data,
    storeUrl: schema?.url ?? databasePath(data),
    flags: schema === null ? [] : ['--database-url', schema.url],
    settle: async () => schema?.settle(),
    async [Symbol.asyncDispose]() {
      process.off('exit', remove);
      remove();
      await schema?.drop();
    },
  };
}

/** A schema of its own, so that several servers can stand on one database without seeing each other. */
interface Schema {
  readonly url: string;
  settle(): Promise<void>;
  drop(): Promise<void>;
}

async function makeSchema(): Promise<Schema> {
  const base = process.env['PAYBELL_BENCH_DATABASE_URL'];
  if (base === undefined) throw new Error('set PAYBELL_BENCH_DATABASE_URL to a PostgreSQL database that may be filled');
  const name = `paybell_bench_${makeTag()}`;
  const run = async (sql: string, connectionString = base): Promise<void> => {
    const client = new Client({ connectionString });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE SCHEMA ${name}`);
  const url = `${base}${base.includes('?') ? '&' : '?'}options=${encodeURIComponent(`-c search_path=${name}`)}`;
  return { url, settle: () => run('VACUUM (ANALYZE)', url), drop: () => run(`DROP SCHEMA ${name} CASCADE`) };
}
