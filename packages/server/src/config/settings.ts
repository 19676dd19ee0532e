import { readMasterKeys } from './keyring.ts';
import type { MasterKey } from './keyring.ts';
import * as read from './read.ts';

/** All that an operator can set; the table below is the only place that knows their names. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** Absolute path of the database file, or a `postgres://` address. */
  readonly databaseUrl: string;
  /** A `redis://` or `rediss://` address; null: several nodes hear of each other through the database alone. */
  readonly redisUrl: string | null;
  /** The first is current; null: the key file in the data folder. */
  readonly masterKeys: readonly MasterKey[] | null;
  readonly adminKey: string | null;
  /** Origin under which the world reaches this server, without a slash at the end; null: where it listens. */
  readonly publicUrl: string | null;
  readonly allowPrivateCidrs: readonly string[];
  /** How long an endpoint may do nothing but fail before it is disabled, in milliseconds; null: for ever. */
  readonly disableAfterMs: number | null;
  /** How long content is kept, in milliseconds; null: for ever. */
  readonly retentionBodies: number | null;
  readonly retentionAttempts: number | null;
  readonly retentionQuarantine: number | null;
  readonly logLevel: LogLevel;
  readonly demo: boolean;
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Setting {
  readonly name: keyof Settings;
  /** Without the dashes; null where it would show a secret in the list of processes. */
  readonly flag: string | null;
  readonly env: string | null;
  /** For people: what to write. */
  readonly type: string;
  /** For people: what counts where nothing is written. */
  readonly fallback: string;
  readonly secret: boolean;
  /** A flag that stands alone. */
  readonly alone?: true;
  readonly help: string;
  /** The value, or throws an Error with the end of the sentence `NAME ...`. */
  read(text: string): unknown;
}

export const SETTINGS: readonly Setting[] = [
  {
    name: 'port',
    flag: 'port',
    env: 'PAYBELL_PORT',
    type: 'number',
    fallback: '4400',
    secret: false,
    help: 'TCP port of the console and the API; 0 takes a free one.',
    read: read.port,
  },
  {
    name: 'host',
    flag: 'host',
    env: 'PAYBELL_HOST',
    type: 'address',
    fallback: '127.0.0.1',
    secret: false,
    help: 'Address to listen on; 0.0.0.0 for all.',
    read: read.host,
  },
  {
    name: 'dataDir',
    flag: 'data',
    env: 'PAYBELL_DATA_DIR',
    type: 'folder',
    fallback: './data (the demo: ./data/demo)',
    secret: false,
    help: 'Folder of the embedded store, the key file and the local admin key; made if it is missing.',
    read: read.path,
  },
  {
    name: 'databaseUrl',
    flag: 'database-url',
    env: 'PAYBELL_DATABASE_URL',
    type: 'file path or postgres:// address',
    fallback: 'paybell.db in the data folder',
    secret: true,
    help: 'Database file of the embedded store, or a PostgreSQL 15 or later, which several nodes may share; of several hosts, as in host1:5432,host2:5432, the one that may be written to.',
    read: read.database,
  },
  {
    name: 'redisUrl',
    flag: 'redis-url',
    env: 'PAYBELL_REDIS_URL',
    type: 'redis:// address',
    fallback: 'none',
    secret: true,
    help: 'What several nodes on one PostgreSQL tell each other at once: live messages, changed settings, due work; rediss:// for TLS.',
    read: read.redis,
  },
  {
    name: 'masterKeys',
    flag: null,
    env: 'PAYBELL_MASTER_KEYS',
    type: 'name:base64 of 32 bytes, ...',
    fallback: 'a key file in the data folder, made at first start',
    secret: true,
    help: 'Keys that signing secrets are encrypted with at rest; the first is current, the others only open what they closed.',
    read: readMasterKeys,
  },
  {
    name: 'adminKey',
    flag: null,
    env: 'PAYBELL_ADMIN_KEY',
    type: 'text',
    fallback: 'one is made at first start and kept in the data folder',
    secret: true,
    help: 'The first admin API key; the CLI uses it too.',
    read: read.adminKey,
  },
  {
    name: 'publicUrl',
    flag: 'public-url',
    env: 'PAYBELL_PUBLIC_URL',
    type: 'http(s) address',
    fallback: 'where it listens',
    secret: false,
    help: 'Address under which providers reach this server; some providers sign it.',
    read: read.publicUrl,
  },
  {
    name: 'allowPrivateCidrs',
    flag: 'allow-private-cidrs',
    env: 'PAYBELL_ALLOW_PRIVATE_CIDRS',
    type: 'CIDR, ...',
    fallback: 'none (the demo: loopback)',
    secret: false,
    help: 'Private address ranges that webhooks may be sent to, by http too.',
    read: read.cidrs,
  },
  {
    name: 'disableAfterMs',
    flag: 'disable-after',
    env: 'PAYBELL_DISABLE_AFTER',
    type: 'duration or never',
    fallback: '5d',
    secret: false,
    help: 'How long an endpoint may do nothing but fail before it is disabled, such as 12h or 5d; its own disableAfter goes first.',
    read: read.durationOrNever,
  },
  {
    name: 'retentionBodies',
    flag: 'retention-bodies',
    env: 'PAYBELL_RETENTION_BODIES',
    type: 'age such as 24h, 90d or 7y; forever',
    fallback: '180d',
    secret: false,
    help: 'How long bodies are kept: of requests (with their headers), of events, of deliveries; on PostgreSQL up to an eighth longer. Pending deliveries keep theirs; ledger, digests and keys stay.',
    read: read.age,
  },
  {
    name: 'retentionAttempts',
    flag: 'retention-attempts',
    env: 'PAYBELL_RETENTION_ATTEMPTS',
    type: 'age such as 24h, 90d or 7y; forever',
    fallback: '90d',
    secret: false,
    help: 'How long headers and answers of attempts are kept, on PostgreSQL up to an eighth longer; when, how long, which cause and status stay.',
    read: read.age,
  },
  {
    name: 'retentionQuarantine',
    flag: 'retention-quarantine',
    env: 'PAYBELL_RETENTION_QUARANTINE',
    type: 'age such as 24h, 7d or 1y; forever',
    fallback: '7d',
    secret: false,
    help: 'How long rejected requests wait for a corrected secret; never longer than bodies, and at most 10,000 or 64 MiB for each source.',
    read: read.age,
  },
  {
    name: 'logLevel',
    flag: 'log-level',
    env: 'PAYBELL_LOG_LEVEL',
    type: LOG_LEVELS.join(', '),
    fallback: 'info',
    secret: false,
    help: 'What is written to the log on stderr.',
    read: (text) => read.oneOf(text, LOG_LEVELS),
  },
  {
    name: 'demo',
    flag: 'demo',
    env: null,
    type: 'yes',
    fallback: 'no',
    secret: false,
    alone: true,
    help: "Five providers' simulators and a demo merchant app, on a store of their own.",
    read: () => true,
  },
];
