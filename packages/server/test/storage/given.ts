import { transactionId } from '@paybell/sdk';
import type { Movement } from '@paybell/sdk';
import type {
  Arrival,
  AttemptRow,
  Lease,
  LeasedDelivery,
  NewDelivery,
  NewEvent,
  NewRequest,
  NewResend,
  Page,
  PageQuery,
  ResendFilter,
  Settlement,
  Storage,
  Turn,
} from '../../src/storage/contract.ts';

/** 2026-11-22T09:00:00Z */
export const T = Date.UTC(2026, 10, 22, 9);
export const ME = 'node_1';
export const OTHER = 'node_2';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (body: Uint8Array | null): string | null => (body === null ? null : new TextDecoder().decode(body));

export function payment(key: string, more: Partial<Movement> = {}): Movement {
  const amount = { value: '250000', exponent: 2, currency: 'KES', text: '2500.00' };
  return { kind: 'payment', key, status: 'succeeded', reference: `ORDER-${key}`, providerReference: key, amount, ...more };
}

/** An event; give `movement` to make it touch a transaction. */
export function event(id: string, more: Partial<NewEvent> = {}): NewEvent {
  const { merchant = 'm1', provider = 'serixpay', movement = null } = more;
  const parent = movement?.parent;
  return {
    id,
    merchant,
    provider,
    source: 'src_a',
    request: null,
    item: 0,
    type: 'payment.completed',
    dedupeKey: id,
    digest: 'digest',
    sequence: null,
    occurredAt: T,
    recordedAt: T,
    state: 'recorded',
    note: null,
    transaction: movement === null ? null : transactionId(merchant, provider, movement.kind, movement.key),
    parent: parent === undefined ? null : transactionId(merchant, provider, parent.kind, parent.key),
    data: null,
    deliveries: [],
    ...more,
    movement,
  };
}

export function request(id: string, more: Partial<NewRequest> = {}): NewRequest {
  return {
    id,
    merchant: 'm1',
    source: 'src_a',
    provider: 'serixpay',
    receivedAt: T,
    verdict: 'accepted',
    reason: null,
    diagnosis: null,
    headers: '[["Content-Type","application/json"]]',
    body: bytes(`{"of":"${id}"}`),
    sha256: id.padEnd(64, '0'),
    ...more,
  };
}

/** A request with its events, which are told whose they are. */
export function inbound(made: NewRequest, ...events: readonly NewEvent[]): Arrival {
  return { request: made, events: events.map((one, item) => ({ ...one, request: made.id, item })) };
}

export function published(...events: readonly NewEvent[]): Arrival {
  return { request: null, events: events.map((one) => ({ ...one, source: null, data: '{}' })) };
}

export function delivery(id: string, endpoint: string, more: Partial<NewDelivery> = {}): NewDelivery {
  return { id, endpoint, format: 'provider:paybell', body: bytes(`body of ${id}`), lease: null, ...more };
}

export const lease = (until: number, owner = ME): Lease => ({ owner, until });

export function attempt(n: number, more: Partial<AttemptRow> = {}): AttemptRow {
  return {
    n,
    startedAt: T,
    durationMs: 20,
    outcome: 'succeeded',
    cause: 'ok',
    statusCode: 200,
    requestHeaders: '{"webhook-id":"evt"}',
    responseHeaders: '{}',
    responseBody: bytes('thanks'),
    truncated: false,
    timings: '{"dnsMs":1}',
    ...more,
  };
}

export function settlement(of: LeasedDelivery, more: Partial<Settlement> = {}): Settlement {
  return {
    delivery: of.id,
    merchant: of.merchant,
    owner: ME,
    attempt: attempt(of.attempt),
    next: { status: 'succeeded' },
    finishedAt: T + 50,
    ...more,
  };
}

export const failedAttempt = (n: number): AttemptRow => attempt(n, { outcome: 'failed', cause: 'http_5xx', statusCode: 500 });

/** Records one event for each delivery, all due at `T`. */
export async function withDeliveries(
  storage: Storage,
  endpoint: string,
  ids: readonly string[],
  more: Partial<NewDelivery> = {},
): Promise<void> {
  await storage.record(
    ids.map((id, index) => published(event(`evt_${id}`, { recordedAt: T + index, deliveries: [delivery(id, endpoint, more)] }))),
  );
}

const TURNS: readonly Turn[] = [0, 1, 2];

/** Adds a delivery of an event to an endpoint for each id, as a resend does. */
export async function inBulk(
  storage: Storage,
  ids: readonly string[],
  of: { readonly event: string; readonly endpoint: string; readonly at: number },
) {
  const resend = `rsd_${ids.join('_')}`;
  await storage.saveResend(resendOf(resend, { createdAt: of.at }));
  const deliveries = ids.map((id) => ({ ...delivery(id, of.endpoint), event: of.event, createdAt: of.at }));
  return storage.stepResend({ id: resend, lease: lease(of.at + 60_000), from: null, cursor: '1', deliveries, now: of.at });
}

export function resendOf(
  id: string,
  { filter = {}, ...more }: Partial<Omit<NewResend, 'filter'>> & { filter?: Partial<ResendFilter> } = {},
): NewResend {
  const all = { since: T - 1000, until: T + 100_000, endpoint: null, status: null, types: null, source: null, transaction: null };
  return {
    id,
    merchant: 'm1',
    filter: { ...all, ...filter },
    perSecond: 100,
    events: 1,
    deliveries: 2,
    createdAt: T,
    lease: lease(T + 60_000),
    ...more,
  };
}

/** Turn by turn, up to `max` of them. */
export async function claimAll(
  storage: Storage,
  endpoint: string,
  { now = T + 1000, owner = ME, max = 100 } = {},
): Promise<readonly LeasedDelivery[]> {
  const jobs: LeasedDelivery[] = [];
  for (const turn of TURNS) {
    const wants = [{ endpoint, turn, max: max - jobs.length }];
    jobs.push(...(await storage.claim({ owner, now, until: now + 60_000, wants })).deliveries);
  }
  return jobs;
}

/** Every row of a list, page by page. */
export async function walk<Row>(
  list: (query: PageQuery) => Promise<Page<Row>>,
  { limit = 3, merchant = null as string | null, between = async (): Promise<void> => undefined } = {},
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Row> = await list({ merchant, limit, cursor });
    if (page.rows.length > limit) throw new Error(`A page of ${limit} has ${page.rows.length} rows.`);
    rows.push(...page.rows);
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null && rows.length < 10_000);
  return rows;
}
