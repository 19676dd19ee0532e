import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Client } from 'pg';

const READY_WITHIN_MS = 30_000;
const READY = /ready to accept (read-only )?connections/;

/** What a test changes about the server; the rest is as Paybell wants it. */
export type ServerSettings = Readonly<Record<string, string>>;

export interface TestDatabase {
  /** A schema of its own: nothing of other tests is seen. */
  readonly url: string;
  sql(text: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

export interface TestPostgres {
  /** Of the whole server; a test takes `fresh()`. */
  readonly url: string;
  /** False: it was given from outside, and cannot be killed. */
  readonly own: boolean;
  fresh(): Promise<TestDatabase>;
  /** Ends the server as a crash would, with every connection. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port. */
  start(settings?: ServerSettings): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A private PostgreSQL on a free port and in a folder of its own, or the one of `PAYBELL_TEST_POSTGRES_URL`. Where there is neither it
 * answers with null and says so, except under `CI=true`, where it throws.
 */
export async function startPostgres(settings: ServerSettings = {}): Promise<TestPostgres | null> {
  const given = process.env['PAYBELL_TEST_POSTGRES_URL'];
  if (given !== undefined && given !== '' && Object.keys(settings).length === 0) return outside(given);
  const bin = ownPrograms();
  return bin === null ? null : privateServer(bin, settings);
}

/** Where PostgreSQL's programs are. Where they are not it says so and answers with null, except under `CI=true`, where it throws. */
export function ownPrograms(): string | null {
  const bin = programs();
  if (bin !== null) return bin;
  const sentence = 'There is no PostgreSQL here: install it (initdb and postgres on the PATH), or set PAYBELL_TEST_POSTGRES_URL.';
  if (process.env['CI'] === 'true') throw new Error(sentence);
  process.stderr.write(`skipped: ${sentence}\n`);
  return null;
}

let schemas = 0;

export function freshOn(serverUrl: string): () => Promise<TestDatabase> {
  return async () => {
    schemas += 1;
    const name = `paybell_test_${process.pid}_${schemas}`;
    const sql = async (text: string, url: string): Promise<Record<string, unknown>[]> => {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(text)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    };
    await sql(`CREATE SCHEMA ${name}`, serverUrl);
    const url = `${serverUrl}${serverUrl.includes('?') ? '&' : '?'}options=${encodeURIComponent(`-c search_path=${name}`)}`;
    return { url, sql: (text) => sql(text, url), drop: async () => void (await sql(`DROP SCHEMA ${name} CASCADE`, serverUrl)) };
  };
}

function outside(url: string): TestPostgres {
  const refuse = (): Promise<never> => Promise.reject(new Error('The server of PAYBELL_TEST_POSTGRES_URL is not ours to kill.'));
  return { url, own: false, fresh: freshOn(url), crash: refuse, start: refuse, stop: async () => undefined };
}

/** The folder of the newest PostgreSQL here; Debian keeps the server's programs off the PATH. */
function programs(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program)))) ?? null;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: there it runs as the user made for it. */
function serverUser(): User {
  if (process.getuid?.() !== 0) return {};
  const number = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const BASE = { fsync: 'on', shared_buffers: '64MB', max_connections: '100', unix_socket_directories: '', listen_addresses: '127.0.0.1' };

/** Ends the server by the signal it is told, and at once where the test process is gone: a killed test leaves no server behind. */
const GUARD = '"$@" & read -r signal; kill -s "${signal:-QUIT}" $!; kill -s CONT $!; wait $!';

type Guarded = ChildProcessByStdio<Writable, null, Readable>;

export interface Folder {
  readonly path: string;
  /** Runs one of PostgreSQL's programs in it, as the user that may. */
  run(program: string, args: readonly string[]): void;
  remove(): void;
}

/** A folder for one server, owned by the user that PostgreSQL runs as. */
export function serverFolder(bin: string): Folder & { readonly options: object } {
  const user = serverUser();
  const path = mkdtempSync(join(tmpdir(), 'paybell-postgres-'));
  if (user.uid !== undefined) chownSync(path, user.uid, user.gid ?? 0);
  const options = { ...user, cwd: path, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } };
  return {
    path,
    options,
    run: (program, args) => void execFileSync(join(bin, program), args, { ...options, stdio: 'pipe' }),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  start(settings?: ServerSettings): Promise<void>;
  end(signal: 'INT' | 'QUIT'): Promise<void>;
}

/** A server on the `data` folder in `folder`, which must have been made; not started yet. */
export async function serverOn(
  bin: string,
  folder: Folder & { readonly options: object },
  settings: ServerSettings,
): Promise<RunningServer> {
  const port = await freePort();
  let server: Guarded | null = null;
  return {
    url: `postgres://paybell@127.0.0.1:${port}/postgres`,
    port,
    async start(more = settings) {
      const all: ServerSettings = { ...BASE, ...more };
      const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const command = [join(bin, 'postgres'), '-D', join(folder.path, 'data'), '-p', String(port), ...flags];
      server = spawn('sh', ['-c', GUARD, 'sh', ...command], { ...folder.options, stdio: ['pipe', 'ignore', 'pipe'] });
      await ready(server);
    },
    async end(signal) {
      const ending = server;
      server = null;
      if (ending === null || ending.exitCode !== null) return;
      const gone = new Promise((resolve) => ending.once('exit', resolve));
      ending.stdin.end(`${signal}\n`);
      await gone;
    },
  };
}

async function privateServer(bin: string, settings: ServerSettings): Promise<TestPostgres> {
  const folder = serverFolder(bin);
  folder.run('initdb', ['-D', join(folder.path, 'data'), '-U', 'paybell', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']);
  const { url, start, end } = await serverOn(bin, folder, settings);
  await start();
  return {
    url,
    own: true,
    fresh: freshOn(url),
    crash: () => end('QUIT'),
    start,
    async stop() {
      await end('INT');
      folder.remove();
    },
  };
}

async function ready(server: Guarded): Promise<void> {
  let told = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`PostgreSQL was not ready in time.\n${told}`)), READY_WITHIN_MS);
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      told = told.length > 20_000 ? text : told + text;
      if (!READY.test(told)) return;
      clearTimeout(timer);
      resolve();
    });
    server.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`PostgreSQL ended with ${code}.\n${told}`));
    });
  });
}
