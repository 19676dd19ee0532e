import { Client } from 'pg';
import { startChild, type Child } from './child.ts';
import { BATCH, allSucceeded, check, finished } from './deliver.ts';
import { median, rounded, shown } from './figures.ts';
import { makeHome, type Home } from './home.ts';
import type { Generator } from './load/generator.ts';
import type { Sink } from './load/sink.ts';
import { startPaybellAt, type Paybell } from './paybell.ts';
import { cpuMicrosOf } from './process-cost.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag } from './webhook.ts';

// On one machine several nodes share its cores, so together they are no faster. What shows is what sharing costs: CPU per event.

const CONNECTIONS = 64;
const PUBLISHERS = 4;
const IN_FLIGHT = 256;
const WARM_UP_SECONDS = 3;
const WARM_UP_EVENTS = 10_000;
const FIRST_PER_SECOND = 10_000;
const SECRET = 'bench-serixpay-secret';
const MASTER_KEYS = `bench:${Buffer.alloc(32, 3).toString('base64')}`;

/** What so many nodes did together. */
interface Part {
  readonly perSecond: number;
  /** Of each node by itself. */
  readonly each: readonly number[];
  readonly processMicros: number;
  /** Of all connections of Paybell to the database; NaN where it is on another machine. */
  readonly databaseMicros: number;
}

interface Cluster {
  readonly home: Home;
  readonly nodes: readonly Paybell[];
  readonly generators: readonly Child<Generator>[];
  readonly database: Client;
}

/** Does the work once: `nodes` have to share it; answers with how many events each got done in how many seconds. */
type Work = (nodes: readonly Paybell[]) => Promise<{ readonly each: readonly number[]; readonly seconds: number }>;

export async function inboundOverNodes(options: RunOptions): Promise<Report> {
  const seconds = options.seconds ?? 5;
  return compare(options, async ({ nodes: [first], generators }) => {
    const { ingestPath } = await first!.api<{ ingestPath: string }>('POST', '/v1/sources', { provider: 'serixpay', secret: SECRET });
    const inbound =
      (length: number, perSecond: number): Work =>
      async (nodes) => {
        const connections = Math.ceil(CONNECTIONS / nodes.length);
        await Promise.all(
          nodes.map((node, index) => {
            const { authorization: _, ...target } = node.target(ingestPath);
            const plan = { target, kind: 'webhook', tag: makeTag(), first: 0, count: perSecond * length, secret: SECRET } as const;
            return generators[index]!.call('prepare', { name: 'round', plan });
          }),
        );
        const results = await Promise.all(
          nodes.map((_, index) => generators[index]!.call('closed', { name: 'round', connections, seconds: length })),
        );
        return { each: results.map(({ accepted }) => accepted), seconds: Math.max(...results.map((result) => result.seconds)) };
      };
    return { warmUp: inbound(WARM_UP_SECONDS, FIRST_PER_SECOND), work: inbound(seconds, FIRST_PER_SECOND) };
  });
}

export async function outboundOverNodes(options: RunOptions): Promise<Report> {
  const events = options.events ?? 50_000;
  await using sink = startChild<Sink>('sink.ts');
  const url = `http://127.0.0.1:${await sink.call('listen')}/`;
  // Awaited, so that the sink outlives it.
  return await compare(options, async ({ nodes: [first], generators }) => {
    await first!.api('POST', '/v1/endpoints', { url, provider: 'serixpay', events: ['*'], maxInFlight: IN_FLIGHT });
    const outbound =
      (wanted: number): Work =>
      async (nodes) => {
        const batches = Math.ceil(wanted / BATCH / nodes.length);
        const count = batches * BATCH * nodes.length;
        const tag = makeTag();
        await sink.call('expect', { tag, count });
        await Promise.all(
          nodes.map((node, index) => {
            const target = node.target('/v1/events/batch');
            const plan = { target, kind: 'batch', batch: BATCH, tag, first: index * batches * BATCH, count: batches } as const;
            return generators[index]!.call('prepare', { name: 'batches', plan });
          }),
        );
        const all = {
          metric: async (name: string, labels?: string) => sum(await Promise.all(nodes.map((node) => node.metric(name, labels)))),
        };
        const before = await Promise.all(nodes.map((node) => finished(node, 'succeeded')));
        const failed = await finished(all, 'failed');
        const [published, endedAt] = await Promise.all([
          Promise.all(
            nodes.map((_, index) => generators[index]!.call('closed', { name: 'batches', connections: PUBLISHERS / nodes.length })),
          ),
          allSucceeded(all, { succeeded: sum(before) + count, failed }),
        ]);
        await check(sink, count);
        const after = await Promise.all(nodes.map((node) => finished(node, 'succeeded')));
        const seconds = (endedAt - Math.min(...published.map(({ startedAt }) => startedAt))) / 1000;
        return { each: after.map((value, index) => value - before[index]!), seconds };
      };
    return { warmUp: outbound(WARM_UP_EVENTS), work: outbound(events) };
  });
}

/** First one node alone, then all: what runs beside it would take part of its work. */
async function compare(
  options: RunOptions,
  prepare: (cluster: Cluster) => Promise<{ readonly warmUp: Work; readonly work: Work }>,
): Promise<Report> {
  const rounds = options.rounds ?? 3;
  const count = options.nodes ?? 2;
  await using home = await makeHome('postgres');
  await using stack = new AsyncDisposableStack();
  const database = new Client({ connectionString: home.storeUrl });
  await database.connect();
  stack.defer(() => database.end());
  const generators = Array.from({ length: count }, () => stack.use(startChild<Generator>('generator.ts')));
  const nodes = [stack.use(await startPaybellAt(home, MASTER_KEYS))];
  const cluster: Cluster = { home, nodes, generators, database };
  const { warmUp, work } = await prepare(cluster);
  const measured = async (): Promise<Part[]> => {
    await warmUp(nodes);
    const parts: Part[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const part = await timed(cluster, work);
      options.log(
        `${nodes.length} node(s), round ${round}: ${shown(part.perSecond)}/s, µs CPU: process ${shown(part.processMicros)}, database ${shown(part.databaseMicros)}`,
      );
      parts.push(part);
    }
    return parts;
  };
  const alone = await measured();
  while (nodes.length < count) nodes.push(stack.use(await startPaybellAt(home, MASTER_KEYS)));
  return describe(alone, await measured());
}

async function timed({ nodes, database }: Cluster, work: Work): Promise<Part> {
  const used = async (): Promise<readonly [number, number]> => [
    sum(await Promise.all(nodes.map((node) => node.cpuMicros()))),
    await databaseMicros(database),
  ];
  const before = await used();
  const { each, seconds } = await work(nodes);
  const after = await used();
  const events = Math.max(1, sum(each));
  return {
    perSecond: events / seconds,
    each: each.map((value) => value / seconds),
    processMicros: (after[0] - before[0]) / events,
    databaseMicros: (after[1] - before[1]) / events,
  };
}

/** The CPU of all connections that Paybell holds; they stay open for as long as it runs. */
async function databaseMicros(database: Client): Promise<number> {
  const text = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'paybell%'`;
  const { rows } = await database.query<{ pid: number }>(text);
  return sum(rows.map(({ pid }) => cpuMicrosOf(pid) ?? NaN));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function describe(alone: readonly Part[], together: readonly Part[]): Report {
  const over = (parts: readonly Part[], pick: (part: Part) => number): number => median(parts.map(pick));
  const fieldsOf = (parts: readonly Part[]): readonly [number, number, number] => [
    over(parts, (part) => part.perSecond),
    over(parts, (part) => part.processMicros),
    over(parts, (part) => part.databaseMicros),
  ];
  const [one, all] = [fieldsOf(alone), fieldsOf(together)];
  const count = together[0]?.each.length ?? 0;
  const each = Array.from({ length: count }, (_, index) => over(together, (part) => part.each[index] ?? NaN));
  const row = (label: string, values: readonly number[]): string[] => [label, ...values.map((value) => shown(value))];
  return {
    table: [['', 'per second', 'process µs CPU', 'database µs CPU'], row('one node', one), row(`${count} nodes`, all)],
    notes: [
      `ratio of rates ${shown(all[0] / one[0], 3)}, of CPU per event: process ${shown(all[1] / one[1], 3)}, database ${shown(all[2] / one[2], 3)}`,
      `each node per second: ${each.map((value) => shown(value)).join(', ')} (medians of ${together.length} rounds)`,
    ],
    fields: {
      nodes: count,
      onePerSecond: rounded(one[0]),
      perSecond: rounded(all[0]),
      ratio: rounded(all[0] / one[0], 3),
      oneProcessMicros: rounded(one[1]),
      processMicros: rounded(all[1]),
      oneDatabaseMicros: rounded(one[2]),
      databaseMicros: rounded(all[2]),
      each: each.map((value) => rounded(value) ?? 0),
    },
  };
}
