import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freshOn, ownPrograms, serverFolder, serverOn } from './postgres.ts';
import type { Folder, RunningServer, TestDatabase } from './postgres.ts';

const STANDBY = 'standby';
const LOOK_EVERY_MS = 20;
const WITHIN_MS = 20_000;

export interface Member {
  /** As whom it listens: `127.0.0.1:PORT`. */
  readonly host: string;
  readonly url: string;
  /** kill -9 of all its processes, and of no others. */
  kill(): Promise<void>;
  /** SIGSTOP for all its processes: its connections stay open, and nobody answers on them. */
  freeze(): void;
  thaw(): void;
  /** Goes down in order, as for maintenance. */
  down(): Promise<void>;
  start(): Promise<void>;
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/** A primary with one streaming standby, private to a test. */
export interface Replicated {
  readonly primary: Member;
  readonly standby: Member;
  /** A schema of its own on both. */
  fresh(): Promise<TestDatabase>;
  /** Makes the standby the primary; resolves once it may be written to. */
  promote(): Promise<void>;
  /** Resolves once the standby receives what the primary writes. */
  streaming(): Promise<void>;
  /** The address of a database with both servers in it, as libpq knows it. */
  both(url: string, more?: string): string;
  stop(): Promise<void>;
}

/** Null where there is no PostgreSQL to start. `synchronous`: no commit is answered before the standby has it. */
export async function startReplicated({ synchronous }: { readonly synchronous: boolean }): Promise<Replicated | null> {
  const bin = ownPrograms();
  if (bin === null) return null;
  const [first, second] = [serverFolder(bin), serverFolder(bin)];
  const data = (folder: Folder): string => join(folder.path, 'data');
  first.run('initdb', ['-D', data(first), '-U', 'paybell', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']);
  const primary = await serverOn(bin, first, {});
  await primary.start();
  const copy = ['-D', data(second), '-h', '127.0.0.1', '-p', String(primary.port), '-U', 'paybell', '-R', '-X', 'stream', '-c', 'fast'];
  second.run('pg_basebackup', [...copy, '--no-sync']);
  const standby = await serverOn(bin, second, { cluster_name: STANDBY });
  await standby.start();
  const members = [member(primary, first), member(standby, second)] as const;
  if (synchronous) {
    await members[0].sql(`ALTER SYSTEM SET synchronous_standby_names = '${STANDBY}'`);
    await members[0].sql('SELECT pg_reload_conf()');
  }
  const how = synchronous ? 'sync' : 'async';
  const streaming = (): Promise<void> =>
    until(`the standby streams (${how})`, async () => {
      const rows = await members[0].sql('SELECT state, sync_state FROM pg_stat_replication');
      return rows.some(({ state, sync_state }) => state === 'streaming' && sync_state === how);
    });
  await streaming();
  return {
    primary: members[0],
    standby: members[1],
    fresh: freshOn(primary.url),
    async promote() {
      await members[1].sql('SELECT pg_promote()');
      await until('the standby is promoted', async () => (await members[1].sql('SELECT pg_is_in_recovery() AS is'))[0]?.['is'] === false);
    },
    streaming,
    both: (url, more = '') => `${url.replace(members[0].host, `${members[0].host},${members[1].host}`)}${more}`,
    async stop() {
      for (const one of members) one.thaw();
      await Promise.all([primary.end('QUIT'), standby.end('QUIT')]);
      for (const folder of [first, second]) folder.remove();
    },
  };
}

function member(server: RunningServer, folder: Folder): Member {
  const pids = (): number[] => {
    const first = Number(/^\d+/.exec(read(join(folder.path, 'data', 'postmaster.pid')))?.[0]);
    if (!(first > 1)) return [];
    return [first, ...read(`/proc/${first}/task/${first}/children`).split(' ').filter(Boolean).map(Number)];
  };
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of pids()) {
      try {
        process.kill(pid, name);
      } catch {
        // Ended since it was listed.
      }
    }
  };
  return {
    host: `127.0.0.1:${server.port}`,
    url: server.url,
    async kill() {
      const killed = pids();
      signal('SIGKILL');
      await until('it is gone', () =>
        killed.every(
          (pid) =>
            read(`/proc/${pid}/stat`)
              .replace(/^.*\) /, '')
              .startsWith('Z') || read(`/proc/${pid}/stat`) === '',
        ),
      );
      await server.end('QUIT');
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    down: () => server.end('INT'),
    start: () => server.start(),
    async sql(text) {
      const client = new Client({ connectionString: server.url });
      await client.connect();
      try {
        return (await client.query(text)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function until(what: string, met: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!(await met())) {
    if (performance.now() > end) throw new Error(`Not within ${WITHIN_MS} ms: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
