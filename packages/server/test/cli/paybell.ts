import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../bin/paybell.js', import.meta.url));
export const NODE_FLAGS = ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'];
const READY_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 30_000;

export const ADMIN_KEY = 'test-admin-key-0123456789abcdef';

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
}

/** Runs one command of the real program to its end; what does not end is killed and has the code null. */
export async function paybell(args: readonly string[], options: Options = {}): Promise<Run> {
  const child = launch(args, options);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin?.end(options.stdin ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

export interface Server {
  readonly url: string;
  /** Its data folder, and where it was started. */
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** Time from the start until `ready`. */
  readonly readyMs: number;
  stderr(): string;
  stdout(): string;
  api<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Answers with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the real server on a free port and waits until it says that it serves. */
export async function startServer(args: readonly string[] = [], options: Options & { readonly dataDir?: string } = {}): Promise<Server> {
  const dataDir = options.dataDir ?? temporaryFolder();
  const began = performance.now();
  const data = args.includes('--data') ? [] : ['--data', dataDir];
  const child = launch(['start', '--port', '0', ...data, ...args], {
    cwd: dataDir,
    ...options,
    env: { PAYBELL_ADMIN_KEY: ADMIN_KEY, ...options.env },
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close') as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${READY_WITHIN_MS} ms\n${stderr.text}`)), READY_WITHIN_MS);
    void ended.then(([code]) => reject(new Error(`ended with ${code} before it was ready\n${stderr.text}`)));
    const look = (): void => {
      const found = /^ready (http:\/\/\S+)$/m.exec(stdout.text)?.[1];
      // The two pipes may be read in any order.
      if (found === undefined || !stderr.text.includes('Data folder:')) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
  });
  return {
    url,
    dataDir,
    child,
    readyMs: performance.now() - began,
    stderr: () => stderr.text,
    stdout: () => stdout.text,
    async api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
      const headers = { authorization: `Bearer ${ADMIN_KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
      return JSON.parse(text) as Answer;
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await ended)[0];
    },
  };
}

const folders: string[] = [];
const children = new Set<ChildProcess>();

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paybell-test-'));
  folders.push(folder);
  return folder;
}

/** For `after`: ends what a failed test left running, and removes the folders of this file's tests. */
export function cleanUp(): void {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function launch(args: readonly string[], { env = {}, cwd }: Options): ChildProcess {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('PAYBELL_') && name !== 'NODE_TEST_CONTEXT'),
  );
  const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, ...args], {
    env: { ...clean, ...env },
    stdio: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function collect(stream: NodeJS.ReadableStream | null): { text: string } {
  const kept = { text: '' };
  stream?.on('data', (chunk: Buffer) => (kept.text += chunk.toString()));
  return kept;
}
