import { setTimeout as pause } from 'node:timers/promises';
import { startChild, type Child } from './child.ts';
import { median, percentile, rounded, shown } from './figures.ts';
import type { Generator } from './load/generator.ts';
import type { Target } from './load/requests.ts';
import type { Sink } from './load/sink.ts';
import { startPaybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag } from './webhook.ts';

const PER_SECOND = 200;
const WARM_UP_SECONDS = 5;
const ARRIVED_WITHIN_MS = 15_000;

interface Part {
  /** One per event, from when its request was due. */
  readonly latenciesMs: readonly number[];
  readonly p50Ms: number;
  readonly lateP99Ms: number;
}

export async function run(options: RunOptions): Promise<Report> {
  const seconds = options.seconds ?? 10;
  const rounds = options.rounds ?? 3;
  await using generator = startChild<Generator>('generator.ts');
  await using sink = startChild<Sink>('sink.ts');
  const sinkPort = await sink.call('listen');
  await using paybell = await startPaybell(options.store);
  const url = `http://127.0.0.1:${sinkPort}/`;
  await paybell.api('POST', '/v1/endpoints', { url, provider: 'serixpay', events: ['*'] });
  const through = paybell.target('/v1/events');
  const straight: Target = { ...through, host: '127.0.0.1', port: sinkPort };

  await publish({ generator, sink, target: straight, seconds: WARM_UP_SECONDS });
  await publish({ generator, sink, target: through, seconds: WARM_UP_SECONDS });
  const base: Part[] = [];
  const own: Part[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const [before, now] = [
      await publish({ generator, sink, target: straight, seconds }),
      await publish({ generator, sink, target: through, seconds }),
    ];
    base.push(before);
    own.push(now);
    options.log(`round ${round}: straight p50 ${shown(before.p50Ms, 2)} ms, through paybell p50 ${shown(now.p50Ms, 2)} ms`);
  }
  return describe(base, own);
}

interface Round {
  readonly generator: Child<Generator>;
  readonly sink: Child<Sink>;
  readonly target: Target;
  readonly seconds: number;
}

async function publish({ generator, sink, target, seconds }: Round): Promise<Part> {
  const tag = makeTag();
  const count = PER_SECOND * seconds;
  await sink.call('expect', { tag, count });
  await generator.call('prepare', { name: 'events', plan: { target, kind: 'event', tag, first: 0, count } });
  const sent = await generator.call('open', { name: 'events', perSecond: PER_SECOND, count, from: 0 });
  if (sent.accepted !== count)
    throw new Error(`of ${count} events, ${count - sent.accepted} were refused: ${JSON.stringify(sent.refused)}`);
  const arrivals = await allArrived(sink, count);
  const latenciesMs = Array.from(arrivals, (at, n) => at - (sent.startedAt + (n * 1000) / PER_SECOND));
  return { latenciesMs, p50Ms: percentile(latenciesMs, 0.5), lateP99Ms: sent.lateP99Ms };
}

async function allArrived(sink: Child<Sink>, count: number): Promise<Float64Array> {
  for (let waitedMs = 0; waitedMs < ARRIVED_WITHIN_MS; waitedMs += 50) {
    if ((await sink.call('counts')).distinct === count) return sink.call('arrivals');
    await pause(50);
  }
  const { distinct, strays } = await sink.call('counts');
  throw new Error(`the sink received ${distinct} of ${count} events, and ${strays} requests that it could not tell`);
}

function describe(base: readonly Part[], own: readonly Part[]): Report {
  const pooled = (parts: readonly Part[], share: number): number =>
    percentile(
      parts.flatMap((part) => part.latenciesMs),
      share,
    );
  const row = (label: string, parts: readonly Part[]): string[] => [
    label,
    ...[0.5, 0.9, 0.99, 1].map((share) => shown(pooled(parts, share), 2)),
    shown(Math.max(...parts.map((part) => part.lateP99Ms)), 2),
  ];
  const ratios = own.map((part, round) => part.p50Ms / (base[round]?.p50Ms ?? NaN));
  const events = own.reduce((sum, part) => sum + part.latenciesMs.length, 0);
  return {
    table: [
      ['', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'load late p99 ms'],
      row('straight to the sink', base),
      row('through paybell', own),
    ],
    notes: [
      `${shown(events)} events at ${PER_SECOND} per second, each timed from when it was due; p50 is ${shown(median(ratios), 1)} times the baseline's`,
    ],
    fields: {
      p50Ms: rounded(pooled(own, 0.5), 2),
      p99Ms: rounded(pooled(own, 0.99), 2),
      baselineP50Ms: rounded(pooled(base, 0.5), 2),
      baselineP99Ms: rounded(pooled(base, 0.99), 2),
      ratio: rounded(median(ratios), 2),
    },
  };
}
