import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sharedNow } from './clock.ts';
import { makeHome, type Home } from './home.ts';
import type { Target } from './load/requests.ts';
import { cpuMicrosOf, memoryOf } from './process-cost.ts';
import type { Store } from './run.ts';

const PROGRAM = fileURLToPath(new URL('../packages/server/bin/paybell.js', import.meta.url));
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 20_000;
const KEPT_STDERR = 8_000;

/** The server under test: the real program, in a process of its own. */
export interface Paybell extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  /** From the start of the process to `ready`. */
  readonly bootSeconds: number;
  target(path: string): Target;
  /** Calls the API; throws with the answer's text unless it is a 2xx. */
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The sum of all samples of a metric whose labels contain `labels`. */
  metric(name: string, labels?: string): Promise<number>;
  cpuMicros(): Promise<number>;
  rssMb(): Promise<number>;
}

/** On an empty store, which goes with it. */
export async function startPaybell(store: Store): Promise<Paybell> {
  const home = await makeHome(store);
  try {
    const paybell = await startPaybellAt(home);
    const dispose = async (): Promise<void> => {
      await paybell[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    };
    return { ...paybell, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await home[Symbol.asyncDispose]();
    throw error;
  }
}

/** On a store that may hold something already, and stays. */
export async function startPaybellAt(home: Home, masterKeys?: string): Promise<Paybell> {
  const key = 'bench-admin-key-0123456789abcdef0123456789abcdef';
  const node = ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'];
  const startedAt = sharedNow();
  const child = spawn(process.execPath, [...node, PROGRAM, 'start', '--port', '0', '--data', home.data, ...home.flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PAYBELL_ADMIN_KEY: key,
      PAYBELL_ALLOW_PRIVATE_CIDRS: '127.0.0.0/8,::1/128',
      PAYBELL_LOG_LEVEL: 'warn',
      ...(masterKeys === undefined ? {} : { PAYBELL_MASTER_KEYS: masterKeys }),
    },
  });
  // An interrupted run leaves no server behind.
  const abandon = (): void => void child.kill('SIGKILL');
  process.prependOnceListener('exit', abandon);
  const dispose = async (): Promise<void> => {
    await stop(child);
    process.off('exit', abandon);
  };
  try {
    const face = faceOf(child, await readyUrl(child), key);
    return { ...face, bootSeconds: (sharedNow() - startedAt) / 1000, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    const fail = (why: string): void => reject(new Error(`the server ${why}\n${err}`));
    const timer = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    child.stderr?.on('data', (chunk: Buffer) => (err = (err + chunk.toString()).slice(-KEPT_STDERR)));
    child.stdout?.on('data', (chunk: Buffer) => {
      if (out.length < KEPT_STDERR) out += chunk.toString();
      const url = /^ready (http:\/\/\S+)$/m.exec(out)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended before it was ready (${signal ?? `exit code ${code}`})`);
    });
  });
}

function faceOf(child: ChildProcess, url: string, key: string): Omit<Paybell, 'bootSeconds' | typeof Symbol.asyncDispose> {
  const pid = child.pid ?? 0;
  const { hostname, port } = new URL(url);
  const authorization = `Bearer ${key}`;
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  };
  const metric = async (name: string, labels = ''): Promise<number> => {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization } });
    if (!answer.ok) throw new Error(`GET /metrics answered ${answer.status}`);
    const samples = (await answer.text()).split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return samples.filter((line) => line.includes(labels)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return {
    url,
    key,
    pid,
    api,
    metric,
    target: (path) => ({ host: hostname, port: Number(port), path, authorization }),
    cpuMicros: async () => cpuMicrosOf(pid) ?? (await metric('process_cpu_seconds_total')) * 1e6,
    rssMb: async () => memoryOf(pid)?.peakMb ?? (await metric('process_resident_memory_bytes')) / 1024 / 1024,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
