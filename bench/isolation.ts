import { setTimeout as pause } from 'node:timers/promises';
import { startChild, type Child } from './child.ts';
import { median, percentile, rounded, shown } from './figures.ts';
import type { Generator } from './load/generator.ts';
import type { Sink } from './load/sink.ts';
import { startPaybell, type Paybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag, merchantId } from './webhook.ts';

const ENDPOINTS = 1_000;
/** Every tenth endpoint takes the call and never answers. */
const HANGING_OF = 10;
const PER_SECOND = 200;
const WARM_UP_SECONDS = 5;
/** Events for each hanging endpoint before the clock starts: more than it may have in flight. */
const BACKLOG_EACH = 20;
const ARRIVED_WITHIN_MS = 60_000;
const POLL_MS = 50;

interface Side {
  readonly paybell: Paybell;
  /** Of all endpoints, by their number. */
  readonly hangs: (endpoint: number) => boolean;
}

interface Part {
  readonly latenciesMs: readonly number[];
  readonly p99Ms: number;
}

interface Parties {
  readonly generator: Child<Generator>;
  readonly sink: Child<Sink>;
}

export async function run(options: RunOptions): Promise<Report> {
  const seconds = options.seconds ?? 10;
  const rounds = options.rounds ?? 4;
  await using generator = startChild<Generator>('generator.ts');
  await using sink = startChild<Sink>('sink.ts');
  const ports = { answering: await sink.call('listen'), hanging: await sink.call('listenDeaf') };
  await using healthy = await startPaybell(options.store);
  await using troubled = await startPaybell(options.store);
  const hangs = (endpoint: number): boolean => endpoint % HANGING_OF === 0;
  const base: Side = { paybell: healthy, hangs: () => false };
  const own: Side = { paybell: troubled, hangs };
  const parties: Parties = { generator, sink };
  for (const side of [base, own]) await makeEndpoints(side, ports);
  options.log(`${shown(ENDPOINTS)} endpoints on each of two servers`);

  for (const side of [base, own]) await publish(parties, side, WARM_UP_SECONDS);
  // Every hanging endpoint is given more than it may have in flight: from here on each holds on to all that it can get.
  await fillUp(troubled);
  const parts: { readonly base: Part; readonly own: Part; readonly ratio: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const before = await publish(parties, base, seconds);
    const now = await publish(parties, own, seconds);
    parts.push({ base: before, own: now, ratio: now.p99Ms / before.p99Ms });
    const held = await troubled.metric('paybell_in_flight');
    options.log(
      `round ${round}: p99 all healthy ${shown(before.p99Ms, 2)} ms, with hanging ones ${shown(now.p99Ms, 2)} ms; ${shown(held)} calls in flight`,
    );
  }
  return describe(parts);
}

/** One merchant for each endpoint, so that an event goes to one endpoint. */
async function makeEndpoints({ paybell, hangs }: Side, ports: { readonly answering: number; readonly hanging: number }): Promise<void> {
  const make = async (n: number): Promise<void> => {
    await paybell.api('POST', '/v1/merchants', { id: merchantId(n), name: `Merchant ${n}` });
    const url = `http://127.0.0.1:${hangs(n) ? ports.hanging : ports.answering}/`;
    await paybell.api('POST', '/v1/endpoints', { url, provider: 'serixpay', events: ['*'], merchant: merchantId(n) });
  };
  const STEP = 20;
  for (let n = 0; n < ENDPOINTS; n += STEP) await Promise.all(Array.from({ length: STEP }, (_, index) => make(n + index)));
}

async function fillUp(paybell: Paybell): Promise<void> {
  const tag = makeTag();
  for (let n = 0; n < ENDPOINTS; n += HANGING_OF) {
    const events = Array.from({ length: BACKLOG_EACH }, (_, index) => ({
      type: 'payment.completed',
      data: {
        orderId: `ORDER-${tag}-${n}-${index}`,
        transactionId: `t${tag}${n}-${index}`,
        amount: 10,
        currency: 'KES',
        status: 'completed',
      },
    }));
    await paybell.api('POST', '/v1/events/batch', { merchant: merchantId(n), events });
  }
}

/** Publishes on a timetable to all endpoints in turn; times what the healthy ones receive. */
async function publish({ generator, sink }: Parties, { paybell, hangs }: Side, seconds: number): Promise<Part> {
  const tag = makeTag();
  const count = PER_SECOND * seconds;
  const healthy = Array.from({ length: count }, (_, n) => n).filter((n) => !hangs(n % ENDPOINTS));
  await sink.call('expect', { tag, count });
  const target = paybell.target('/v1/events');
  await generator.call('prepare', { name: 'events', plan: { target, kind: 'event', tag, first: 0, count, merchants: ENDPOINTS } });
  const sent = await generator.call('open', { name: 'events', perSecond: PER_SECOND, count, from: 0 });
  if (sent.accepted !== count)
    throw new Error(`of ${count} events, ${count - sent.accepted} were refused: ${JSON.stringify(sent.refused)}`);
  const arrivals = await allArrived(sink, healthy.length);
  const latenciesMs = healthy.map((n) => (arrivals[n] ?? 0) - (sent.startedAt + (n * 1000) / PER_SECOND));
  return { latenciesMs, p99Ms: percentile(latenciesMs, 0.99) };
}

async function allArrived(sink: Child<Sink>, count: number): Promise<Float64Array> {
  for (let waitedMs = 0; waitedMs < ARRIVED_WITHIN_MS; waitedMs += POLL_MS) {
    if ((await sink.call('counts')).distinct === count) return sink.call('arrivals');
    await pause(POLL_MS);
  }
  const { distinct } = await sink.call('counts');
  throw new Error(`within ${ARRIVED_WITHIN_MS / 1000} s the healthy endpoints received ${distinct} of ${count} events`);
}

function describe(parts: readonly { readonly base: Part; readonly own: Part; readonly ratio: number }[]): Report {
  const all = (pick: 'base' | 'own'): number[] => parts.flatMap((part) => part[pick].latenciesMs);
  const row = (label: string, pick: 'base' | 'own'): string[] => [
    label,
    ...[0.5, 0.9, 0.99, 1].map((share) => shown(percentile(all(pick), share), 2)),
  ];
  const ratio = median(parts.map((part) => part.ratio));
  const hanging = ENDPOINTS / HANGING_OF;
  return {
    table: [
      ['', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
      row(`${shown(ENDPOINTS)} endpoints, all healthy`, 'base'),
      row(`the ${ENDPOINTS - hanging} healthy of them while ${hanging} hang`, 'own'),
    ],
    notes: [
      `ratio of the p99 ${shown(ratio, 2)} (median of ${parts.length} pairs: ${parts.map((part) => shown(part.ratio, 2)).join(', ')})`,
      `${PER_SECOND} events per second over all endpoints in turn, each timed from when it was due to when the healthy endpoint had it; the hanging ones had ${BACKLOG_EACH} each to begin with`,
    ],
    fields: {
      ratio: rounded(ratio, 2),
      p99Ms: rounded(percentile(all('own'), 0.99), 2),
      baselineP99Ms: rounded(percentile(all('base'), 0.99), 2),
      p50Ms: rounded(percentile(all('own'), 0.5), 2),
      baselineP50Ms: rounded(percentile(all('base'), 0.5), 2),
      ratios: parts.map((part) => rounded(part.ratio, 2) ?? 0),
    },
  };
}
