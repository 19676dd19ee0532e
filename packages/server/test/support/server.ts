import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadSettings } from '../../src/config/load.ts';
import { startPaybell } from '../../src/main.ts';

export const ADMIN_KEY = 'test-admin-key-0123456789abcdef';

const PROGRAM = join(import.meta.dirname, '../../bin/paybell.js');
const LOOPBACK = '127.0.0.0/8,::1/128';
const READY_WITHIN_MS = 30_000;

/** A test looks into answers freely, and fails where they are not what it thinks. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Answered = any;

export interface Api {
  readonly url: string;
  /** Calls the API as the admin, or with another key; answers with status, headers and parsed JSON (or text). */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; body: Answered }>;
}

export interface TestServer extends Api {
  readonly dataDir: string;
  stop(): Promise<void>;
}

export function tempDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'paybell-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

export function api(url: string, key: string = ADMIN_KEY): Api {
  return {
    url,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        redirect: 'manual',
      });
      const text = await response.text();
      const json = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text };
    },
  };
}

function environment(env: Record<string, string>): Record<string, string> {
  return { PAYBELL_ADMIN_KEY: ADMIN_KEY, PAYBELL_ALLOW_PRIVATE_CIDRS: LOOPBACK, PAYBELL_LOG_LEVEL: 'silent', ...env };
}

/** The real server in this process, on a free port and a data folder of its own. */
export async function startServer({ env = {}, dataDir }: { env?: Record<string, string>; dataDir?: string } = {}): Promise<TestServer> {
  const dir = dataDir === undefined ? tempDir() : { path: dataDir, remove: () => undefined };
  const settings = loadSettings({ flags: { port: '0', data: dir.path }, env: environment(env) });
  const running = await startPaybell(settings);
  return {
    ...api(running.url),
    dataDir: dir.path,
    async stop() {
      await running.stop();
      dir.remove();
    },
  };
}

export interface SpawnedServer extends Api {
  readonly child: ChildProcess;
  /** What it wrote to stderr so far. */
  errors(): string;
  /** kill -9, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and the exit code. */
  terminate(): Promise<number | null>;
}

/** The real program as a process of its own, as a user starts it. `wrap` puts a tracer before it. */
export async function spawnServer(
  dataDir: string,
  {
    env = {},
    wrap = [],
    readyWithinMs = READY_WITHIN_MS,
  }: { env?: Record<string, string>; wrap?: readonly string[]; readyWithinMs?: number } = {},
): Promise<SpawnedServer> {
  const node = [process.execPath, '--conditions=paybell-source', '--disable-warning=ExperimentalWarning'];
  const line: readonly string[] = [...wrap, ...node, PROGRAM, 'start', '--port', '0', '--data', dataDir];
  const [command = '', ...args] = line;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', ...environment(env) } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The server was not ready in time.\n${stderr}`));
    }, readyWithinMs);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^ready (\S+)$/.exec(line)?.[1];
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve(ready);
    });
    void gone.then((code) => {
      clearTimeout(timer);
      reject(new Error(`The server ended with ${code} before it was ready.\n${stderr}`));
    });
  });
  return {
    ...api(url),
    child,
    errors: () => stderr,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async terminate() {
      child.kill('SIGTERM');
      return gone;
    },
  };
}
