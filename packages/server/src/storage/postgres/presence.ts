import { Client } from 'pg';
import { storageError } from './errors.ts';
import { wireOf } from './pool.ts';
import { assertWritable } from './servers.ts';
import type { Servers } from './servers.ts';

/** First half of the key of the lock by which a process shows that it lives. */
const LIVES = 7_291_003;

/** True, in SQL, where no process holds the lock of `owner`. The schema is part of the key: one server may hold several installations. */
export const IS_GONE = `pg_try_advisory_xact_lock(${LIVES}, hashtext(current_schema() || ' ' || owner))`;

const AGAIN_MS = 500;
const GOODBYE_MS = 500;
/** Nobody waits for this connection but those who look for the leases of others. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Shows other processes that this one lives, by a lock on a connection of its own: the server frees it the moment the process dies. It
 * is a hint that lets a dead node's leases be taken over at once; leases and fences are what keeps the promise.
 */
export interface Presence {
  /** This process is `owner`, and no other from now on. */
  announce(owner: string): Promise<void>;
  end(): Promise<void>;
}

export function createPresence(servers: Servers): Presence {
  let owner: string | null = null;
  let client: Client | null = null;
  let ended = false;
  let timer: NodeJS.Timeout | null = null;

  async function hold(): Promise<void> {
    await servers.found();
    const server = servers.now();
    const made = new Client({
      connectionString: server.url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'paybell presence',
    });
    client = made;
    made.on('error', () => undefined);
    made.on('end', () => lost(made));
    try {
      await made.connect();
      await assertWritable(made, server);
    } catch (error) {
      servers.lost(server);
      made.end().catch(() => undefined);
      throw error;
    }
    await made.query("SELECT pg_advisory_lock_shared($1, hashtext(current_schema() || ' ' || $2))", [LIVES, owner]);
  }

  /** Until the connection is there again, others may take this process for dead: the fence makes that a repeat, never a loss. */
  function lost(made: Client): void {
    if (ended || made !== client) return;
    client = null;
    again();
  }

  function again(): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      hold().catch(() => {
        client = null;
        if (!ended) again();
      });
    }, AGAIN_MS);
    timer.unref();
  }

  servers.onMoved(() => {
    const before = client;
    if (before === null) return;
    lost(before);
    before.end().catch(() => undefined);
  });

  async function drop(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    const before = client;
    client = null;
    if (before === null) return;
    // A server that stands still does not say goodbye.
    const late = setTimeout(() => wireOf(before).stream.destroy(), GOODBYE_MS);
    await before.end().catch(() => undefined);
    clearTimeout(late);
  }

  return {
    async announce(name) {
      if (name === owner && client !== null) return;
      await drop();
      owner = name;
      try {
        await hold();
      } catch (error) {
        throw storageError(error);
      }
    },
    async end() {
      ended = true;
      await drop();
    },
  };
}
