import { Client } from 'pg';
import type { QueryConfig } from 'pg';
import { serversOf } from './address.ts';
import type { Server } from './address.ts';
import { StorageError } from './errors.ts';

/** A door must answer 503 within two seconds: one try at the server that was good so far, and one look at all of them. */
const DIAL_MS = 1_000;
const LOOK_MS = 850;
/** The only server there is may take longer. */
const DIAL_ONLY_MS = 1_500;
/** How much longer the others are waited for once one may be written to: an old primary may believe that it still is one. */
const OTHERS_MS = 250;

/** In recovery every transaction is read only. */
const IS_CLOSED = `SELECT current_setting('transaction_read_only')::boolean AS closed`;
/** Of two that may be written to, the one that was promoted later is right. Not every service lets it be asked for. */
const TIMELINE = `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`;

/** The servers behind one address, and which of them may be written to. */
export interface Servers {
  readonly several: boolean;
  readonly dialMs: number;
  /** The one to connect to. */
  now(): Server;
  /** Resolves once it is known which that is; rejects where none may be written to, within a second. */
  found(): Promise<void>;
  /** It does not answer, or may not be written to any more: the next connection looks again. */
  lost(server: Server): void;
  /** Looks whether another one took over meanwhile, where nobody looks already. */
  look(): void;
  /** Another one is the right one from now on. */
  onMoved(listener: (to: Server) => void): void;
}

export function createServers(url: string): Servers {
  const servers = serversOf(url);
  const [first] = servers as [Server];
  const several = servers.length > 1;
  let good = first;
  let known = !several;
  let searching: Promise<void> | null = null;

  const listeners: ((to: Server) => void)[] = [];

  async function search(): Promise<void> {
    const before = good;
    good = await findWritable([before, ...servers.filter((server) => server !== before)]);
    known = true;
    if (good !== before) for (const listener of listeners) listener(good);
  }
  const once = (): Promise<void> => (searching ??= search().finally(() => (searching = null)));

  return {
    several,
    dialMs: several ? DIAL_MS : DIAL_ONLY_MS,
    now: () => good,
    found: () => (known ? Promise.resolve() : once()),
    lost(server) {
      if (several && server === good) known = false;
    },
    look: () => void once().catch(() => undefined),
    onMoved: (listener) => void listeners.push(listener),
  };
}

interface Writable {
  readonly server: Server;
  readonly timeline: number;
}

/** Asks all of them at once, so that one that hangs costs nothing; the first of the list where several are as good. */
async function findWritable(servers: readonly Server[]): Promise<Server> {
  const found: Writable[] = [];
  const failures = new Map<Server, Error>();
  await new Promise<void>((resolve) => {
    const end = setTimeout(resolve, LOOK_MS);
    let soon: NodeJS.Timeout | undefined;
    const ended = (): void => {
      if (found.length + failures.size === servers.length) {
        clearTimeout(end);
        clearTimeout(soon);
        resolve();
      } else if (found.length > 0) soon ??= setTimeout(resolve, OTHERS_MS);
    };
    for (const server of servers) {
      probe(server)
        .then(
          (timeline) => void found.push({ server, timeline }),
          (error: Error) => void failures.set(server, error),
        )
        .then(ended, () => undefined);
    }
  });
  const latest = Math.max(...found.map(({ timeline }) => timeline));
  const best = servers.find((server) => found.some((one) => one.server === server && one.timeline === latest));
  if (best !== undefined) return best;
  const why = servers.map((server) => `${server.name} (${failures.get(server)?.message || 'no answer'})`);
  const [code = null] = [...failures.values()].map((error) => (error as { code?: string }).code ?? null);
  throw new StorageError(`PostgreSQL: none of the servers may be written to now: ${why.join(', ')}`, code, { down: true });
}

/** Answers with the timeline of a server that may be written to. */
async function probe(server: Server): Promise<number> {
  const client = new Client({
    connectionString: server.url,
    connectionTimeoutMillis: LOOK_MS,
    query_timeout: LOOK_MS,
    application_name: 'paybell looks',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await assertWritable(client, server);
    const { rows } = await client.query<{ timeline: number }>(TIMELINE).catch(() => ({ rows: [] }));
    return rows[0]?.timeline ?? 0;
  } finally {
    client.end().catch(() => undefined);
  }
}

export async function assertWritable(client: Pick<Client, 'query'>, { name }: Server): Promise<void> {
  const { rows } = await client.query<{ closed: boolean }>({ text: IS_CLOSED, query_timeout: DIAL_MS } as QueryConfig);
  if (rows[0]?.closed === false) return;
  throw new StorageError(`PostgreSQL: ${name} is a standby, or is set to read only`, '25006', { down: true });
}
