import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createClient } from '@redis/client';
import { freePort } from './postgres.ts';

const READY_WITHIN_MS = 10_000;
const READY = 'Ready to accept connections';

export interface TestRedis {
  readonly url: string;
  /** False: it was given from outside, and cannot be killed. */
  readonly own: boolean;
  /** Runs one command, as an administrator would. */
  command(...words: string[]): Promise<unknown>;
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT: it keeps its connections and answers nothing. */
  freeze(): Promise<void>;
  thaw(): void;
  stop(): Promise<void>;
}

/** A private Redis on a free port, or the one of `PAYBELL_TEST_REDIS_URL`; null and a sentence where there is neither, except under `CI=true`. */
export async function startRedis(settings: readonly string[] = [], scheme = 'redis'): Promise<TestRedis | null> {
  const given = process.env['PAYBELL_TEST_REDIS_URL'];
  if (given !== undefined && given !== '' && settings.length === 0) return outside(given);
  const program = (process.env['PATH'] ?? '').split(delimiter).find((folder) => existsSync(join(folder, 'redis-server')));
  if (program !== undefined) return privateServer(join(program, 'redis-server'), settings, scheme);
  const sentence = 'There is no Redis here: install it (redis-server on the PATH), or set PAYBELL_TEST_REDIS_URL.';
  if (process.env['CI'] === 'true') throw new Error(sentence);
  process.stderr.write(`skipped: ${sentence}\n`);
  return null;
}

async function run(url: string, words: readonly string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand([...words]);
  } finally {
    client.destroy();
  }
}

function outside(url: string): TestRedis {
  const refuse = (): never => {
    throw new Error('The server of PAYBELL_TEST_REDIS_URL is not ours to stop.');
  };
  const command = (...words: string[]): Promise<unknown> => run(url, words);
  return {
    url,
    own: false,
    command,
    kill: async () => refuse(),
    start: async () => refuse(),
    freeze: async () => refuse(),
    thaw: refuse,
    stop: async () => undefined,
  };
}

async function privateServer(program: string, settings: readonly string[], scheme: string): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'paybell-redis-'));
  const port = await freePort();
  const url = `${scheme}://127.0.0.1:${port}`;
  const listen = scheme === 'rediss' ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
  let server: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    const flags = [...listen, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...settings];
    // Ends with the test process, however that ends.
    server = spawn('sh', ['-c', '"$@" & read -r line; kill -9 $!', 'sh', program, ...flags], { stdio: ['pipe', 'pipe', 'inherit'] });
    await ready(server);
  };
  const pid = async (): Promise<number> => Number(/process_id:(\d+)/.exec(String(await run(url, ['INFO', 'server'])))?.[1]);
  const kill = async (): Promise<void> => {
    const ending = server;
    server = null;
    if (ending === null || ending.exitCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.stdin?.end('\n');
    await gone;
  };
  await start();
  let frozen = 0;
  return {
    url,
    own: true,
    command: (...words) => run(url, words),
    kill,
    start,
    async freeze() {
      frozen = await pid();
      process.kill(frozen, 'SIGSTOP');
    },
    thaw() {
      if (frozen !== 0) process.kill(frozen, 'SIGCONT');
      frozen = 0;
    },
    async stop() {
      if (frozen !== 0) process.kill(frozen, 'SIGCONT');
      await kill();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  let told = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis was not ready in time.\n${told}`)), READY_WITHIN_MS);
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (!told.includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
    server.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`Redis ended with ${code}.\n${told}`));
    });
  });
}
