import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { answerCalls } from '../child.ts';
import { ownCpuMicros } from '../process-cost.ts';
import type { Row } from './least-store.ts';

// The second baseline of `inbound`: the least program that verifies a webhook, keeps its bytes, knows a repeat and answers after a durable
// commit. No fold, no references, no sums, no routing, no stream, no quarantine, no rule of any provider but the one that is sent.

const BODY = '{"received":true}';
const HEADERS = { 'content-type': 'application/json', 'content-length': BODY.length };
/** As the server: one commit at work, and one behind it where that many wait. */
const COMMITS = 2;
const WORTH_A_COMMIT = 32;

interface Payment {
  readonly event: string;
  readonly data: {
    readonly orderId: string;
    readonly transactionId: string;
    readonly amount: number;
    readonly currency: string;
    readonly status: string;
  };
}

let store: Worker | null = null;
let rows: Row[] = [];
let answers: ServerResponse[] = [];
const writing: ServerResponse[][] = [];
let made = 0;

const id = (prefix: string): string => `${prefix}_${Date.now().toString(36)}${String(made++).padStart(18, '0')}`;

function pump(): void {
  while (rows.length > 0 && (writing.length === 0 || (writing.length < COMMITS && rows.length >= WORTH_A_COMMIT))) {
    store?.postMessage(rows);
    writing.push(answers);
    [rows, answers] = [[], []];
  }
}

function committed(): void {
  for (const response of writing.shift() ?? []) response.writeHead(200, HEADERS).end(BODY);
  pump();
}

function take(body: Buffer, signature: string, rawHeaders: readonly string[], response: ServerResponse): void {
  const given = Buffer.from(signature, 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return void response.writeHead(401).end();
  const { event, data } = JSON.parse(body.toString()) as Payment;
  const { transactionId: key, orderId, amount, currency, status } = data;
  rows.push([
    id('req'),
    id('evt'),
    id('txn'),
    Date.now(),
    JSON.stringify(rawHeaders),
    body.toString('latin1'),
    event,
    key,
    orderId,
    amount,
    currency,
    status,
  ]);
  answers.push(response);
  pump();
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => take(Buffer.concat(chunks), String(request.headers['x-serixpay-signature']), request.rawHeaders, response));
});

let secret = '';

const handlers = {
  listen(plan: { readonly folder: string; readonly secret: string }): Promise<number> {
    secret = plan.secret;
    store = new Worker(new URL('./least-store.ts', import.meta.url), { workerData: plan.folder });
    store.on('message', committed);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  },
  cpu: ownCpuMicros,
};

export type LeastServer = typeof handlers;

answerCalls(handlers);
