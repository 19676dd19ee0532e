import { types } from 'pg';
import type { CustomTypesConfig, PoolClient, PoolConfig } from 'pg';
import { StorageError } from './errors.ts';
import { ServerPool } from './pool.ts';
import { assertWritable } from './servers.ts';
import type { Servers } from './servers.ts';

const OLDEST_VERSION = 150_000;

/** One for commits, one for results, the others for claims, releases and configuration. */
const HOT_CONNECTIONS = 6;
const READ_CONNECTIONS = 4;

/** For its turn on a connection a commit waits as long as those before it may take: they are slow, not gone. */
const TURN_TIMEOUT_MS = 20_000;
/** A question of the console is answered, or told to come again. */
const READ_TURN_TIMEOUT_MS = 5_000;

/** A query of the console that takes longer is ended. */
const READ_TIMEOUT_MS = 10_000;

/** Without an answer for this long a connection counts as lost, and its work is done again on another. */
const HOT_TIMEOUT_MS = 20_000;

/**
 * A node that is suspended in the middle of a commit must not keep its locks. Plans are made once for any batch, often while the
 * tables are small or empty: a plan that reads a small table whole would go on doing so when it is large, so only indexes are allowed.
 * Even an index can be read whole, so hot statements find rows by `= ANY (ARRAY[key])` or in a lateral subquery with OFFSET 0: of such a
 * join PostgreSQL can only look up one side for each row of the other, whatever it knows of the sizes.
 */
const HOT_SETTINGS = `SET synchronous_commit = on; SET idle_in_transaction_session_timeout = 10000; SET statement_timeout = ${HOT_TIMEOUT_MS};
  SET lock_timeout = 8000; SET jit = off; SET plan_cache_mode = force_generic_plan;
  SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off`;

const READ_SETTINGS = `SET default_transaction_read_only = on; SET statement_timeout = ${READ_TIMEOUT_MS}; SET jit = off`;

/** Sequence numbers and milliseconds fit a number; everything else is read as ever. */
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid, format): unknown => (oid === types.builtins.INT8 && format !== 'binary' ? Number : types.getTypeParser(oid, format)),
};

export interface Pools {
  /** For what acknowledgements and deliveries wait for. */
  readonly hot: ServerPool;
  /** For the console's questions: however many there are, the hot path keeps its connections. */
  readonly reads: ServerPool;
}

/** `readOnly`: never writes, so where there is only one server it may as well be a standby. */
export function createPools(servers: Servers, readOnly: boolean): Pools {
  const hotSettings = readOnly ? `${HOT_SETTINGS}; SET default_transaction_read_only = on` : HOT_SETTINGS;
  const anyServer = readOnly && !servers.several;
  const hot = {
    max: HOT_CONNECTIONS,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: TURN_TIMEOUT_MS,
    query_timeout: HOT_TIMEOUT_MS,
    application_name: 'paybell',
  };
  const reads = {
    max: READ_CONNECTIONS,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: READ_TURN_TIMEOUT_MS,
    application_name: 'paybell reads',
  };
  return {
    hot: pool(servers, hot, { settings: hotSettings, anyServer }),
    reads: pool(servers, reads, { settings: READ_SETTINGS, anyServer }),
  };
}

interface Opening {
  /** For each new connection. */
  readonly settings: string;
  readonly anyServer: boolean;
}

/** Queries of one connection are sent without waiting for each other's answers (`pipeline`): a commit costs two round trips. */
function pool(servers: Servers, config: PoolConfig, { settings, anyServer }: Opening): ServerPool {
  const made = new ServerPool(servers, { ...config, keepAlive: true, pipeline: true, types: TYPES } as PoolConfig, async (client) => {
    if (!anyServer) await assertWritable(client, client.server);
    await client.query(settings);
  });
  // An idle connection that breaks is replaced at the next use: without a listener it would end the process.
  made.on('error', () => undefined);
  return made;
}

/** Throws a sentence where this database cannot keep what Paybell promises. */
export async function assertFit(client: PoolClient): Promise<void> {
  const settings = await readSettings(client);
  if (Number(settings['server_version_num']) < OLDEST_VERSION) {
    throw new StorageError(`Paybell needs PostgreSQL 15 or later; this server is ${settings['server_version']}.`, null);
  }
  if (settings['server_encoding'] !== 'UTF8') {
    throw new StorageError(`The database is encoded in ${settings['server_encoding']}. Create it with ENCODING 'UTF8'.`, null);
  }
  for (const name of ['fsync', 'full_page_writes'] as const) {
    if (settings[name] !== 'on') {
      throw new StorageError(
        `PostgreSQL runs with ${name}=${settings[name]}: a power cut would lose what was acknowledged. Set ${name}=on and start again.`,
        null,
      );
    }
  }
  if (settings['synchronous_commit'] !== 'on') {
    throw new StorageError(
      `PostgreSQL does not wait for the disk (synchronous_commit=${settings['synchronous_commit']}). Paybell does not start without it.`,
      null,
    );
  }
}

async function readSettings(client: PoolClient): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN
       ('server_version', 'server_version_num', 'server_encoding', 'fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names')`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

/** What `assertFit` found, for people. */
export async function durability(client: PoolClient): Promise<string> {
  const settings = await readSettings(client);
  const standby =
    settings['synchronous_standby_names'] === ''
      ? 'no synchronous standby'
      : `synchronous standby ${settings['synchronous_standby_names']}`;
  const flags = ['synchronous_commit', 'fsync', 'full_page_writes'].map((name) => `${name}=${settings[name]}`);
  return `PostgreSQL ${settings['server_version']}, ${flags.join(', ')}, ${standby}`;
}
