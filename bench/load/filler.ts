import { randomBytes } from 'node:crypto';
import { KINDS, RAILS, STATUSES, transactionId, type Movement } from '@paybell/sdk';
import { createIds } from '../../packages/server/src/engine/ids.ts';
import type { Arrival, LeasedDelivery, NewEvent, Settlement, Storage } from '../../packages/server/src/storage/contract.ts';
import { openStorage } from '../../packages/server/src/storage/open.ts';
import { answerCalls } from '../child.ts';
import { eventData, orderPrefix, transactionPrefix, type Tag } from '../webhook.ts';

// Fills a store that no server has open, through the same contract as the server does, only in larger commits.

const COMMIT = 2_000;
const OWNER = 'bench_filler';
const LEASE_MS = 60_000;
const MERCHANT = 'default';

const newId = createIds({ now: Date.now }, randomBytes);

interface PendingPlan {
  readonly url: string;
  /** Takes them in turn. */
  readonly endpoints: readonly string[];
  readonly count: number;
  /** How far in the future their next tries lie: spread between these two. */
  readonly fromMs: number;
  readonly toMs: number;
}

interface LedgerPlan {
  readonly url: string;
  readonly tag: Tag;
  readonly count: number;
}

async function inCommits(
  url: string,
  count: number,
  write: (storage: Storage, from: number, to: number) => Promise<void>,
): Promise<number> {
  const storage = await openStorage(url, { threads: false });
  await storage.open();
  const start = performance.now();
  try {
    for (let from = 0; from < count; from += COMMIT) await write(storage, from, Math.min(count, from + COMMIT));
  } finally {
    await storage.close();
  }
  return (performance.now() - start) / 1000;
}

function baseEvent(id: string, data: string, now: number): NewEvent {
  return {
    id,
    merchant: MERCHANT,
    provider: 'serixpay',
    source: null,
    request: null,
    item: 0,
    type: 'payout.completed',
    dedupeKey: id,
    digest: '',
    sequence: null,
    occurredAt: now,
    recordedAt: now,
    state: 'recorded',
    note: null,
    transaction: null,
    parent: null,
    movement: null,
    data,
    deliveries: [],
  };
}

/** Deliveries whose first try was answered with 503 and whose second lies in the future. Answers with the seconds it took. */
function pending({ url, endpoints, count, fromMs, toMs }: PendingPlan): Promise<number> {
  const tag = transactionPrefix('filler');
  return inCommits(url, count, async (storage, from, to) => {
    const now = Date.now();
    const lease = { owner: OWNER, until: now + LEASE_MS };
    const arrivals: Arrival[] = [];
    const results: Settlement[] = [];
    for (let n = from; n < to; n += 1) {
      const data = eventData(tag, n);
      const id = newId('evt');
      const delivery = { id: newId('dlv'), endpoint: endpoints[n % endpoints.length] ?? '', lease };
      const body = Buffer.from(`{"event":"payout.completed","data":${data}}`);
      arrivals.push({
        request: null,
        events: [{ ...baseEvent(id, data, now), deliveries: [{ ...delivery, format: 'provider:serixpay', body }] }],
      });
      results.push(refused(delivery.id, now, now + fromMs + Math.floor(((toMs - fromMs) * n) / count)));
    }
    await storage.record(arrivals);
    const fenced = (await storage.settle(results)).filter((answer) => answer !== 'settled').length;
    if (fenced > 0) throw new Error(`${fenced} results were fenced off`);
  });
}

function refused(delivery: LeasedDelivery['id'], now: number, at: number): Settlement {
  return {
    delivery,
    merchant: MERCHANT,
    owner: OWNER,
    attempt: {
      n: 1,
      startedAt: now,
      durationMs: 12,
      outcome: 'failed',
      cause: 'http_5xx',
      statusCode: 503,
      requestHeaders: '{"content-type":"application/json"}',
      responseHeaders: '{"content-length":"0"}',
      responseBody: null,
      truncated: false,
      timings: '{"dnsMs":null,"connectMs":1,"tlsMs":null,"firstByteMs":11}',
    },
    next: { status: 'pending', at },
    finishedAt: now,
  };
}

const DAY_MS = 86_400_000;
const PROVIDERS = ['serixpay', 'malipopay', 'makapay', 'echezona', 'altafinex'];
const CURRENCIES = ['KES', 'TZS', 'NGN', 'USD', 'EUR'];
/** One in so many is of a currency that nothing else has, and so for the other columns: what a filter looks for longest. */
const RARE = 100_000;

/** Transactions of many kinds over the last thirty days, each by one event. Answers with the seconds it took. */
function ledger({ url, tag, count }: LedgerPlan): Promise<number> {
  const began = Date.now();
  return inCommits(url, count, async (storage, from, to) => {
    const arrivals: Arrival[] = [];
    for (let n = from; n < to; n += 1) {
      const at = began - Math.floor(30 * DAY_MS * (1 - n / count));
      const provider = n % RARE === 7 ? 'paybell' : (PROVIDERS[n % 5] ?? '');
      const movement = movementOf(tag, n);
      const transaction = transactionId(MERCHANT, provider, movement.kind, movement.key);
      const event = baseEvent(newId('evt'), eventData(tag, n), at);
      arrivals.push({ request: null, events: [{ ...event, type: 'payment.completed', provider, transaction, movement }] });
    }
    await storage.record(arrivals);
  });
}

function movementOf(tag: Tag, n: number): Movement {
  const key = `${transactionPrefix(tag)}${String(n).padStart(8, '0')}`;
  const currency = n % RARE === 11 ? 'JPY' : (CURRENCIES[n % 5] ?? 'KES');
  const text = `${1000 + (n % 9000)}.00`;
  return {
    kind: n % 20 === 0 ? (KINDS[1 + ((n / 20) % (KINDS.length - 1))] ?? 'payment') : 'payment',
    key,
    status: n % 10 === 0 ? (STATUSES[(n / 10) % STATUSES.length] ?? 'pending') : 'succeeded',
    rail: n % RARE === 13 ? 'other' : (RAILS[n % 4] ?? 'card'),
    reference: `${orderPrefix(tag)}${String(n).padStart(8, '0')}`,
    providerReference: key,
    amount: { value: text.replace('.', ''), exponent: 2, currency, text },
    customer: { reference: `cus_${n % 50_000}`, phone: `+2547${String(n % 100_000_000).padStart(8, '0')}` },
  };
}

/** Checks every row and folds every transaction anew, as `paybell doctor` does. Answers with the seconds it took. */
async function rebuild({ url }: { readonly url: string }): Promise<number> {
  const storage = await openStorage(url, { readOnly: true, threads: false });
  await storage.open();
  try {
    const start = performance.now();
    const findings = await storage.check({ now: Date.now() });
    const seconds = (performance.now() - start) / 1000;
    if (findings.length > 0) throw new Error(`${findings.length} findings, such as: ${JSON.stringify(findings[0])}`);
    return seconds;
  } finally {
    await storage.close();
  }
}

const handlers = { pending, ledger, rebuild };

export type Filler = typeof handlers;

answerCalls(handlers);
