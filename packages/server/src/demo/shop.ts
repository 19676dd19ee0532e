import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { verify } from '@paybell/sdk';

/** The demo's merchant: an app of its own that verifies every webhook, and that has its bad moments. */
export interface Shop {
  readonly url: string;
  /** The endpoint secrets by format. */
  trust(secrets: ReadonlyMap<string, string>): void;
  stop(): Promise<void>;
}

const MOST_BYTES = 2 * 1024 * 1024;

export async function startShop(random: () => number): Promise<Shop> {
  let secrets: ReadonlyMap<string, string> = new Map();
  const stopped = new AbortController();
  const server = createServer((request, response) => {
    handle({ request, response, secrets, mood: moodOf(random), signal: stopped.signal }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trust: (given) => void (secrets = given),
    stop: () =>
      new Promise((resolve) => {
        stopped.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Mood {
  readonly status: number;
  readonly afterMs: number;
  readonly says: string;
}

/** Well most of the time; now and then slow, overloaded or broken. */
function moodOf(random: () => number): Mood {
  const roll = random();
  if (roll < 0.04) return { status: 500, afterMs: 30, says: '{"error":"database is locked"}' };
  if (roll < 0.05) return { status: 503, afterMs: 5, says: '{"error":"deploying, back in a minute"}' };
  if (roll < 0.09) return { status: 200, afterMs: 900 + 1600 * random(), says: '{"received":true}' };
  return { status: 200, afterMs: 4 + 60 * random() ** 2, says: '{"received":true}' };
}

interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly secrets: ReadonlyMap<string, string>;
  readonly mood: Mood;
  readonly signal: AbortSignal;
}

async function handle({ request, response, secrets, mood, signal }: Visit): Promise<void> {
  const body = await bytesOf(request);
  const format = /^\/hooks\/([a-z-]+)$/.exec(request.url ?? '')?.[1] ?? '';
  const secret = secrets.get(format);
  if (request.method !== 'POST' || secret === undefined) return answer(response, 404, '{"error":"no such hook"}');
  const verdict = verify(format, { body, headers: request.headers, secret, now: Date.now() });
  if (!verdict.ok) return answer(response, 401, JSON.stringify({ error: verdict.reason }));
  await wait(mood.afterMs, undefined, { signal });
  return answer(response, mood.status, mood.says);
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

async function bytesOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new RangeError('A webhook larger than 2 MiB.');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
