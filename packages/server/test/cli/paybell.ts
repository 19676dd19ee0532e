import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bin/paybell.js', import.meta.url));
const NODE = ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'];
const READY_WITHIN_MS = 30_000;

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

/** Runs one command of the real program to its end. */
export async function paybell(args: readonly string[], options: Options = {}): Promise<Run> {
  const child = launch(args, options);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin?.end(options.stdin ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout.text, stderr: stderr.text };
}

export interface Server {
  readonly url: string;
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
  const child = launch(['start', '--port', '0', '--data', dataDir, ...args], { ...options, env: { PAYBELL_ADMIN_KEY: ADMIN_KEY, ...options.env } });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close') as Promise<[number | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${READY_WITHIN_MS} ms\n${stderr.text}`)), READY_WITHIN_MS);
    void ended.then(([code]) => reject(new Error(`ended with ${code} before it was ready\n${stderr.text}`)));
    child.stdout?.on('data', () => {
      const found = /^ready (http:\/\/\S+)$/m.exec(stdout.text)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
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

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paybell-test-'));
  folders.push(folder);
  return folder;
}

/** For `after`: removes the folders of this file's tests. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function launch(args: readonly string[], { env = {}, cwd }: Options): ChildProcess {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PAYBELL_') && name !== 'NODE_TEST_CONTEXT'));
  return spawn(process.execPath, [...NODE, PROGRAM, ...args], { env: { ...clean, ...env }, stdio: 'pipe', ...(cwd === undefined ? {} : { cwd }) });
}

function collect(stream: NodeJS.ReadableStream | null): { text: string } {
  const kept = { text: '' };
  stream?.on('data', (chunk: Buffer) => (kept.text += chunk.toString()));
  return kept;
}
