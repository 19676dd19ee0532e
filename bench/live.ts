import { setTimeout as pause } from 'node:timers/promises';
import { startChild, type Child } from './child.ts';
import { median, percentile, rounded, shown } from './figures.ts';
import type { Generator } from './load/generator.ts';
import type { LiveReaders } from './load/live-readers.ts';
import type { OpenResult } from './load/open-loop.ts';
import type { Target } from './load/requests.ts';
import { openConsole } from './painter.ts';
import { startPaybell, type Paybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag, type Tag } from './webhook.ts';

const PER_SECOND = 100;
const READERS = 200;
const WARM_UP_SECONDS = 3;
const ARRIVED_WITHIN_MS = 10_000;
/** Time for the last rows to be painted. */
const SETTLE_MS = 1_500;
const SECRET = 'bench-serixpay-secret';

/** Latencies of one round, counted from when each webhook was due. */
interface Round {
  readonly latenciesMs: Float64Array;
  readonly missing: number;
}

interface Sending {
  readonly generator: Child<Generator>;
  readonly target: Target;
}

export async function run(options: RunOptions): Promise<Report> {
  const seconds = options.seconds ?? 10;
  const rounds = options.rounds ?? 3;
  await using generator = startChild<Generator>('generator.ts');
  await using paybell = await startPaybell(options.store);
  const source = await paybell.api<{ ingestPath: string }>('POST', '/v1/sources', { provider: 'serixpay', secret: SECRET });
  const { authorization: _, ...target } = paybell.target(source.ingestPath);
  const sending: Sending = { generator, target };
  const streamed = await streamRounds(sending, paybell, { seconds, rounds, log: options.log });
  const painted = await paintRounds(sending, paybell, { seconds, rounds, log: options.log });
  return describe(streamed, painted);
}

interface Plan {
  readonly seconds: number;
  readonly rounds: number;
  readonly log: (line: string) => void;
}

async function streamRounds(sending: Sending, paybell: Paybell, plan: Plan): Promise<readonly Round[]> {
  await using readers = startChild<LiveReaders>('live-readers.ts');
  await readers.call('open', { target: paybell.target('/v1/live?topics=transactions'), count: READERS });
  const one = async (seconds: number): Promise<Round> => {
    const tag = makeTag();
    await readers.call('expect', { tag, count: PER_SECOND * seconds });
    const { startedAt } = await send(sending, tag, seconds);
    return readers.call('latencies', { startedAt, perSecond: PER_SECOND, withinMs: ARRIVED_WITHIN_MS });
  };
  await one(WARM_UP_SECONDS);
  const done: Round[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const result = await one(plan.seconds);
    done.push(result);
    plan.log(`round ${round}: stream p99 ${shown(percentile(result.latenciesMs, 0.99), 1)} ms, ${result.missing} messages missing`);
  }
  return done;
}

/** Runs after the readers have left: a browser on two cores would otherwise compete with what it watches. */
async function paintRounds(sending: Sending, paybell: Paybell, plan: Plan): Promise<readonly Round[] | string> {
  const opened = await openConsole(paybell);
  if (typeof opened === 'string') return opened;
  await using painter = opened;
  await send(sending, makeTag(), WARM_UP_SECONDS);
  const done: Round[] = [];
  for (let round = 1; round <= plan.rounds; round += 1) {
    const tag = makeTag();
    const { startedAt } = await send(sending, tag, plan.seconds);
    await pause(SETTLE_MS);
    const rows = await painter.painted(tag);
    const latenciesMs = Float64Array.from(rows, ([n, at]) => at - (startedAt + (n * 1000) / PER_SECOND));
    const missing = PER_SECOND * plan.seconds - rows.size;
    done.push({ latenciesMs, missing });
    plan.log(`round ${round}: paint p99 ${shown(percentile(latenciesMs, 0.99), 1)} ms, ${missing} rows never seen`);
  }
  return done.some((round) => round.latenciesMs.length > 0) ? done : 'no row with data-row-id showed any of the payments';
}

async function send({ generator, target }: Sending, tag: Tag, seconds: number): Promise<OpenResult> {
  const count = PER_SECOND * seconds;
  await generator.call('prepare', { name: 'webhooks', plan: { target, kind: 'webhook', tag, first: 0, count, secret: SECRET } });
  const sent = await generator.call('open', { name: 'webhooks', perSecond: PER_SECOND, count, from: 0 });
  if (sent.accepted !== count)
    throw new Error(`of ${count} webhooks, ${count - sent.accepted} were refused: ${JSON.stringify(sent.refused)}`);
  return sent;
}

function describe(streamed: readonly Round[], painted: readonly Round[] | string): Report {
  const over = (rounds: readonly Round[], share: number): number => median(rounds.map((round) => percentile(round.latenciesMs, share)));
  const missing = (rounds: readonly Round[]): number => rounds.reduce((sum, round) => sum + round.missing, 0);
  const row = (label: string, rounds: readonly Round[]): string[] => [
    label,
    ...[0.5, 0.9, 0.99, 1].map((share) => shown(over(rounds, share), 1)),
    shown(rounds.reduce((sum, round) => sum + round.latenciesMs.length, 0)),
    shown(missing(rounds)),
  ];
  const paint = typeof painted === 'string' ? [] : painted;
  return {
    table: [
      ['', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'seen', 'missing'],
      row(`message at ${READERS} readers`, streamed),
      row('row painted', paint),
    ],
    notes: [
      `webhooks at ${PER_SECOND} per second, each timed from when it was due; every figure is the median of its rounds`,
      typeof painted === 'string'
        ? `nothing painted: ${painted}`
        : 'a row missing from the screen was replaced by newer ones before a frame could show it',
    ],
    fields: {
      sseP50Ms: rounded(over(streamed, 0.5), 1),
      sseP99Ms: rounded(over(streamed, 0.99), 1),
      sseMissing: missing(streamed),
      paintP50Ms: rounded(over(paint, 0.5), 1),
      paintP99Ms: rounded(over(paint, 0.99), 1),
      paintMissing: missing(paint),
      paintProblem: typeof painted === 'string' ? painted : null,
    },
  };
}
