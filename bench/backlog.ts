import { ask, rowsOf, worst, type Answers, type Question } from './calls.ts';
import { startChild } from './child.ts';
import { deliver, type Part } from './deliver.ts';
import { median, rounded, shown } from './figures.ts';
import { makeHome, type Home } from './home.ts';
import type { Filler } from './load/filler.ts';
import type { Generator } from './load/generator.ts';
import type { Sink } from './load/sink.ts';
import { startPaybellAt, type Paybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';

const PENDING = 1_000_000;
const EVENTS = 30_000;
const WARM_UP_EVENTS = 10_000;
const IN_FLIGHT = 256;
/** Endpoints that wait for their retries besides the one that is measured, which waits as much as each of them. */
const OTHERS = 99;
const CALLS = 100;
const LIMIT = 100;
/** Their next tries lie so far off that none falls into the run. */
const RETRY_FROM_MS = 2 * 3_600_000;
const RETRY_TO_MS = 20 * 3_600_000;

interface Pair {
  readonly empty: Part;
  readonly full: Part;
  readonly ratio: number;
}

export async function run(options: RunOptions): Promise<Report> {
  const rounds = options.rounds ?? 3;
  const pending = options.events ?? PENDING;
  await using filler = startChild<Filler>('filler.ts');
  await using generator = startChild<Generator>('generator.ts');
  await using sink = startChild<Sink>('sink.ts');
  const sinkPort = await sink.call('listen');
  await using emptyHome = await makeHome(options.store);
  await using fullHome = await makeHome(options.store);
  await prepare(emptyHome, sinkPort);
  const endpoints = await prepare(fullHome, sinkPort);
  options.log(`filling a store with ${shown(pending)} pending deliveries`);
  const plan = { url: fullHome.storeUrl, endpoints, count: pending, fromMs: RETRY_FROM_MS, toMs: RETRY_TO_MS };
  options.log(`filled in ${shown(await filler.call('pending', plan))} s`);
  await fullHome.settle();

  await using empty = await startPaybellAt(emptyHome);
  await using full = await startPaybellAt(fullHome);
  options.log(`ready after ${shown(full.bootSeconds, 2)} s, the empty one after ${shown(empty.bootSeconds, 2)} s`);
  const lists = await ask(full, questions(endpoints), CALLS);
  const round = (paybell: Paybell, events: number): Promise<Part> => deliver({ generator, sink, paybell }, events);
  await round(empty, WARM_UP_EVENTS);
  await round(full, WARM_UP_EVENTS);
  const pairs: Pair[] = [];
  for (let n = 1; n <= rounds; n += 1) {
    // Who goes first takes turns: the machine is not the same a moment later.
    const first = n % 2 === 0 ? await round(full, EVENTS) : null;
    const base = await round(empty, EVENTS);
    const own = first ?? (await round(full, EVENTS));
    pairs.push({ empty: base, full: own, ratio: own.perSecond / base.perSecond });
    options.log(
      `round ${n}: empty ${shown(base.perSecond)}/s, full ${shown(own.perSecond)}/s, ratio ${shown(own.perSecond / base.perSecond, 3)}`,
    );
  }
  return describe({ pairs, lists, pending, boot: { full: full.bootSeconds, empty: empty.bootSeconds } });
}

/** Makes the endpoints, with all but the first deaf to what the rounds publish, and stops again. */
async function prepare(home: Home, sinkPort: number): Promise<string[]> {
  await using paybell = await startPaybellAt(home);
  const make = async (events: string): Promise<string> => {
    const url = `http://127.0.0.1:${sinkPort}/`;
    const input = { url, provider: 'serixpay', events: [events], maxInFlight: IN_FLIGHT };
    return (await paybell.api<{ id: string }>('POST', '/v1/endpoints', input)).id;
  };
  const endpoints = [await make('payment.*')];
  while (endpoints.length <= OTHERS) endpoints.push(await make('payout.*'));
  return endpoints;
}

function questions(endpoints: readonly string[]): Question[] {
  const one = (n: number): string => endpoints[n % endpoints.length] ?? '';
  const list = (name: string, query: (n: number) => string): Question => ({
    name: `list ${name}`,
    path: (n) => `/v1/deliveries?${query(n)}&limit=${LIMIT}`,
  });
  return [
    list('deliveries', () => ''),
    list('pending', () => 'status=pending'),
    list('failed', () => 'status=failed'),
    list('succeeded', () => 'status=succeeded'),
    list('of an endpoint', (n) => `endpoint=${one(n)}`),
    list('pending of an endpoint', (n) => `endpoint=${one(n)}&status=pending`),
    list('failed of an endpoint', (n) => `endpoint=${one(n)}&status=failed`),
    list('succeeded of an endpoint', (n) => `endpoint=${one(n)}&status=succeeded`),
    { name: 'list events', path: () => `/v1/events?limit=${LIMIT}` },
    { name: 'list events of a type that is rare', path: () => `/v1/events?type=payment.failed&limit=${LIMIT}` },
    { name: 'one endpoint and its health', path: (n) => `/v1/endpoints/${one(n)}` },
    { name: 'figures of the last hour', path: () => '/v1/stats?window=1h&bucket=1m' },
  ];
}

interface Found {
  readonly pairs: readonly Pair[];
  readonly lists: readonly Answers[];
  readonly pending: number;
  readonly boot: { readonly full: number; readonly empty: number };
}

function describe({ pairs, lists, pending, boot }: Found): Report {
  const over = (pick: (pair: Pair) => number): number => median(pairs.map(pick));
  const perSecond = (side: 'empty' | 'full'): number => over((pair) => pair[side].perSecond);
  const cpu = (side: 'empty' | 'full'): number => over((pair) => pair[side].cpuMicros);
  const row = (name: string, side: 'empty' | 'full'): string[] => [name, shown(perSecond(side)), shown(cpu(side), 1), shown(boot[side], 2)];
  const ratio = over((pair) => pair.ratio);
  return {
    table: [
      ['', 'per second', 'µs CPU each', 'ready after s'],
      row('nothing waits', 'empty'),
      row(`${shown(pending)} deliveries wait`, 'full'),
      ['', '', '', ''],
      ['among them', 'p50 ms', 'p99 ms', ''],
      ...rowsOf(lists),
    ],
    notes: [
      `ratio ${shown(ratio, 3)} (median of ${pairs.length} pairs: ${pairs.map((pair) => shown(pair.ratio, 3)).join(', ')}), by CPU ${shown(cpu('empty') / cpu('full'), 3)}`,
      `${shown(EVENTS)} events a round; the waiting ones belong to ${OTHERS + 1} endpoints, the measured one among them; lists of ${LIMIT}, ${CALLS} calls each`,
    ],
    fields: {
      ratio: rounded(ratio, 3),
      bootSeconds: rounded(boot.full, 2),
      emptyBootSeconds: rounded(boot.empty, 2),
      listP99Ms: rounded(worst(lists), 1),
      perSecond: rounded(perSecond('full')),
      baselinePerSecond: rounded(perSecond('empty')),
      cpuMicrosPerDelivery: rounded(cpu('full'), 1),
      baselineCpuMicrosPerDelivery: rounded(cpu('empty'), 1),
      pending,
      ratios: pairs.map((pair) => rounded(pair.ratio, 3) ?? 0),
    },
  };
}
