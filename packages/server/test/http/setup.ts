import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/config/settings.ts';
import { startPaybell } from '../../src/main.ts';
import type { ProblemDocument } from '../../src/http/problems.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
}

export interface CallOptions {
  readonly body?: unknown;
  /** As it is, instead of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Record<string, string>;
  /** Null: none. Absent: the admin's. */
  readonly key?: string | null;
}

export interface TestServer {
  readonly url: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** A key of a new merchant. */
  merchant(id: string): Promise<string>;
  /** A SerixPay source and a way to post rightly signed webhooks to it. */
  source(
    key?: string,
  ): Promise<{ readonly id: string; readonly post: (body: string | Buffer, headers?: Record<string, string>) => Promise<Answer> }>;
  stop(): Promise<void>;
}

export const ADMIN = 'admin-key-of-the-http-tests';
export const SECRET = 'a-secret-of-the-http-tests';
let bodies = 0;

/** A whole Paybell on a store of its own and a free port. */
export async function startServer(given: Partial<Settings> = {}): Promise<TestServer> {
  const dataDir = given.dataDir ?? (await mkdtemp(join(tmpdir(), 'paybell-http-')));
  const running = await startPaybell({
    port: 0,
    host: '127.0.0.1',
    dataDir,
    databaseUrl: join(dataDir, 'paybell.db'),
    redisUrl: null,
    masterKeys: null,
    adminKey: ADMIN,
    publicUrl: null,
    allowPrivateCidrs: ['127.0.0.0/8'],
    disableAfterMs: null,
    retentionBodies: null,
    retentionAttempts: null,
    retentionQuarantine: null,
    logLevel: 'silent',
    demo: false,
    ...given,
  });
  const call: TestServer['call'] = (method, path, options) => callUrl(method, `${running.url}${path}`, options);
  return {
    url: running.url,
    call,
    async merchant(id) {
      await call('POST', '/v1/merchants', { body: { id, name: id } });
      return (await call('POST', '/v1/api-keys', { body: { name: id, merchant: id } })).json.key as string;
    },
    async source(key = ADMIN) {
      const { id } = (await call('POST', '/v1/sources', { key, body: { provider: 'serixpay', secret: SECRET } })).json as { id: string };
      return { id, post: (body, headers) => call('POST', `/in/${id}`, { key: null, raw: body, headers: { ...signed(body), ...headers } }) };
    },
    async stop() {
      await running.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export const signed = (body: string | Buffer): Record<string, string> => ({
  'content-type': 'application/json',
  'x-serixpay-signature': createHmac('sha256', SECRET).update(body).digest('hex'),
});

/** A payment that no other call made. */
export function paymentBody(change: Record<string, unknown> = {}): string {
  const transactionId = `txn_http_${++bodies}`;
  return JSON.stringify({
    event: 'payment.completed',
    timestamp: '2026-11-20T10:00:00Z',
    data: { transactionId, amount: '100.00', currency: 'USD', ...change },
  });
}

async function callUrl(method: string, url: string, { body, raw, headers = {}, key = ADMIN }: CallOptions = {}): Promise<Answer> {
  const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    headers: { ...json, ...authorization, ...headers },
    redirect: 'manual',
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text) as unknown;
    },
  };
}

/** The code of a problem document, after a look at its form. */
export function codeOf({ status, headers, json }: Answer): string {
  const problem = json as ProblemDocument;
  if (headers.get('content-type') !== 'application/problem+json; charset=utf-8')
    return `no problem document: ${headers.get('content-type')}`;
  if (problem.status !== status || problem.type !== `urn:paybell:problem:${problem.code}` || problem.detail === '' || problem.title === '')
    return `a broken one: ${JSON.stringify(problem)}`;
  return problem.code;
}
