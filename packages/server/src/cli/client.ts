import { join } from 'node:path';
import { readLocalAdminKey, readRunning } from '../config/data-dir.ts';
import { loadSettings } from '../config/load.ts';
import { EXIT, Failure, UsageError } from './command.ts';
import type { Flags, FlagTable, Io } from './command.ts';
import { readExactly } from './exact.ts';

/** Flags of every command that asks a running server. */
export const SERVER_FLAGS = {
  server: { value: 'URL', help: 'The server; otherwise the one that runs on the data folder, PAYBELL_PUBLIC_URL, or 127.0.0.1:4400.' },
  data: { value: 'DIR', help: 'Data folder of a server on this machine: where its address and admin key are found.' },
} as const satisfies FlagTable;

const CALL_WITHIN_MS = 30_000;

/** The HTTP API of one server, with the key that this machine has. */
export interface Client {
  readonly url: string;
  /** The answer's JSON, its numbers as they were written. Throws Failure with the server's own sentence. */
  call<Answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer>;
  /** The open answer of a GET, for a stream. */
  open(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response>;
}

export function connect(flags: Flags, io: Io): Client {
  const data = flags.one('data');
  const settings = loadSettings({ flags: data === undefined ? {} : { data }, env: io.env });
  const folders = [settings.dataDir, join(settings.dataDir, 'demo')];
  const folder = folders.find((one) => readRunning(one) !== null) ?? settings.dataDir;
  const url = serverUrl(flags) ?? readRunning(folder)?.url ?? settings.publicUrl ?? `http://127.0.0.1:${settings.port}`;
  const key = settings.adminKey ?? readLocalAdminKey(folder);
  if (key === null) {
    throw new Failure(`No key for ${url}: set PAYBELL_ADMIN_KEY, or give the server's data folder with --data.`, EXIT.unreachable.code);
  }
  const authorization = `Bearer ${key}`;
  return {
    url,
    async call<Answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const answer = await reach(url, path, { method, headers, ...content, signal: AbortSignal.timeout(CALL_WITHIN_MS) });
      const text = await answer.text();
      return (text === '' ? null : readExactly(text)) as Answer;
    },
    open: (path, headers, signal) => reach(url, path, { headers: { authorization, ...headers }, signal }),
  };
}

function serverUrl(flags: Flags): string | undefined {
  const text = flags.one('server');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--server must be an http:// or https:// address.`);
  return url.origin + url.pathname.replace(/\/+$/, '');
}

async function reach(url: string, path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url + path, init);
  } catch (error) {
    if (init.signal?.aborted && (init.signal.reason as Error).name === 'AbortError') throw error;
    throw new Failure(
      `No server answers at ${url}. Start one with paybell start, or say where it is with --server.`,
      EXIT.unreachable.code,
    );
  }
  if (answer.ok) return answer;
  const problem = problemOf(await answer.text());
  const sentence = problem ?? `The server answered ${answer.status}.`;
  throw new Failure(sentence, answer.status === 401 ? EXIT.unreachable.code : EXIT.failed.code);
}

function problemOf(text: string): string | null {
  try {
    const { title, detail } = JSON.parse(text) as { title?: unknown; detail?: unknown };
    return typeof detail === 'string' ? detail : typeof title === 'string' ? title : null;
  } catch {
    return null;
  }
}
