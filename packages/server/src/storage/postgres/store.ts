import type { Pool, PoolClient } from 'pg';
import type { Storage } from '../contract.ts';
import { checkOperations } from './check.ts';
import { claimOperations } from './claim.ts';
import { assertFit, createPools } from './connect.ts';
import { directoryOperations } from './directory.ts';
import { startError } from './errors.ts';
import { eventOperations } from './events.ts';
import { expiryOperations } from './expire.ts';
import { assertMigrated, migrate } from './migrate.ts';
import { createPresence } from './presence.ts';
import { readOperations } from './reads.ts';
import { recordOperations } from './record.ts';
import { requestOperations } from './requests.ts';
import { resendOperations } from './resend.ts';
import { bulkOperations } from './resends.ts';
import { settleOperations } from './settle.ts';
import { createServers } from './servers.ts';
import { createShards } from './shards.ts';
import { createSkew } from './skew.ts';
import type { Skew } from './skew.ts';
import { statsOperations } from './tallies.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host/database`, or with several hosts. */
  readonly url: string;
  /** True: never writes, and changes no schema; for `doctor` beside running servers. */
  readonly readOnly: boolean;
  /** The local clock; milliseconds since 1970. */
  readonly now?: () => number;
}

/** The store for several equal processes: truth and leases are in one PostgreSQL. */
export function postgresStore({ url, readOnly, now = Date.now }: PostgresOptions): Storage {
  const servers = createServers(url);
  const { hot, reads } = createPools(servers, readOnly);
  const skew = createSkew();
  const presence = createPresence(servers);
  const types = new Map<string, number>();

  return {
    shared: true,
    async open() {
      try {
        await prepare(hot, { readOnly, skew, now, types });
      } catch (error) {
        await Promise.all([hot.close(), reads.close()]);
        throw startError(error);
      }
    },
    async close() {
      await presence.end();
      await Promise.all([hot, reads].filter(({ ending }) => !ending).map((pool) => pool.close()));
    },
    ...directoryOperations(hot),
    ...recordOperations(hot, { skew, onShard: createShards(), types }),
    ...claimOperations(hot, { skew, now, presence }),
    ...resendOperations(hot, { skew, types }),
    ...bulkOperations(hot, reads, { skew, types }),
    ...settleOperations(hot, { skew, onShard: createShards(), types }),
    ...requestOperations(hot, reads),
    ...eventOperations(reads),
    ...readOperations(reads, skew),
    ...statsOperations(reads),
    ...checkOperations(reads, skew),
    ...expiryOperations(hot),
  };
}

interface Preparing {
  readonly readOnly: boolean;
  readonly skew: Skew;
  readonly now: () => number;
  /** Is filled. */
  readonly types: Map<string, number>;
}

const TYPES = `SELECT typname AS name, oid::bigint AS oid FROM pg_type WHERE typnamespace = current_schema()::regnamespace AND typname LIKE '%\\_row'`;

async function prepare(hot: Pool, { readOnly, skew, now, types }: Preparing): Promise<void> {
  const client: PoolClient = await hot.connect();
  try {
    await assertFit(client);
    await (readOnly ? assertMigrated(client) : migrate(client));
    for (const { name, oid } of (await client.query<{ name: string; oid: number }>(TYPES)).rows) types.set(name, oid);
    const before = now();
    const { rows } = await client.query<{ now: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
    skew.measured(Number(rows[0]?.now), (before + now()) / 2);
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
