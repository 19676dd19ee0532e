import { startChild, type Child } from './child.ts';
import { median, rounded, shown } from './figures.ts';
import { makeHome } from './home.ts';
import type { BareServer } from './load/bare-server.ts';
import type { ClosedResult } from './load/closed-loop.ts';
import type { Generator } from './load/generator.ts';
import type { LeastServer } from './load/least-server.ts';
import type { Target } from './load/requests.ts';
import { inboundOverNodes } from './nodes.ts';
import { startPaybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag } from './webhook.ts';

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 3;
/** Prepared for the warm-up; the rounds then get twice what the warm-up could use, so that they do not run out. */
const FIRST_PER_SECOND = 25_000;
const SECRET = 'bench-serixpay-secret';

/** One timed part: its throughput, and what it cost on the server's side. */
interface Part extends ClosedResult {
  readonly perSecond: number;
  readonly serverCpuMicros: number;
}

/** One round: the bare server, the least program that keeps what it acknowledges, and the server under test. */
interface Round {
  readonly base: Part;
  readonly least: Part;
  readonly own: Part;
  readonly ratio: number;
}

interface Side {
  /** The bare server may see a request twice; the server under test would call it a duplicate. */
  readonly repeat: boolean;
  readonly target: Target;
  readonly cpuMicros: () => Promise<number>;
}

export async function run(options: RunOptions): Promise<Report> {
  if ((options.nodes ?? 1) > 1) return inboundOverNodes(options);
  const seconds = options.seconds ?? 5;
  const rounds = options.rounds ?? 5;
  await using generator = startChild<Generator>('generator.ts');
  await using bare = startChild<BareServer>('bare-server.ts');
  await using folder = await makeHome('sqlite');
  await using least = startChild<LeastServer>('least-server.ts');
  await using paybell = await startPaybell(options.store);
  const source = await paybell.api<{ ingestPath: string }>('POST', '/v1/sources', { provider: 'serixpay', secret: SECRET });
  const barePort = await bare.call('listen');
  const baseline: Side = {
    repeat: true,
    target: { host: '127.0.0.1', port: barePort, path: source.ingestPath },
    cpuMicros: () => bare.call('cpu'),
  };
  const leastPort = await least.call('listen', { folder: folder.data, secret: SECRET });
  const second: Side = {
    repeat: false,
    target: { host: '127.0.0.1', port: leastPort, path: source.ingestPath },
    cpuMicros: () => least.call('cpu'),
  };
  const { authorization: _, ...ingest } = paybell.target(source.ingestPath);
  const measured: Side = { repeat: false, target: ingest, cpuMicros: () => paybell.cpuMicros() };

  await timed(generator, baseline, { seconds: WARM_UP_SECONDS, perSecond: FIRST_PER_SECOND });
  const warmLeast = await timed(generator, second, { seconds: WARM_UP_SECONDS, perSecond: FIRST_PER_SECOND });
  const warm = await timed(generator, measured, { seconds: WARM_UP_SECONDS, perSecond: FIRST_PER_SECOND });
  const length = { seconds, perSecond: Math.ceil(2 * warm.perSecond) };
  const leastLength = { seconds, perSecond: Math.ceil(2 * warmLeast.perSecond) };
  const pairs: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const base = await timed(generator, baseline, length);
    const leastPart = await timed(generator, second, leastLength);
    const own = await timed(generator, measured, length);
    pairs.push({ base, least: leastPart, own, ratio: own.perSecond / base.perSecond });
    options.log(
      `round ${round}: bare ${shown(base.perSecond)}/s, least ${shown(leastPart.perSecond)}/s, paybell ${shown(own.perSecond)}/s, ratio ${shown(own.perSecond / base.perSecond, 3)}`,
    );
  }
  const rssMb = await paybell.rssMb();
  return describe(pairs, rssMb);
}

async function timed(
  generator: Child<Generator>,
  side: Side,
  length: { readonly seconds: number; readonly perSecond: number },
): Promise<Part> {
  const { seconds, perSecond } = length;
  const plan = { target: side.target, kind: 'webhook', tag: makeTag(), first: 0, count: perSecond * seconds, secret: SECRET } as const;
  await generator.call('prepare', { name: 'round', plan });
  const before = await side.cpuMicros();
  const result = await generator.call('closed', { name: 'round', connections: CONNECTIONS, seconds, repeat: side.repeat });
  const used = (await side.cpuMicros()) - before;
  return { ...result, perSecond: result.accepted / result.seconds, serverCpuMicros: used / Math.max(1, result.accepted) };
}

function describe(pairs: readonly Round[], rssMb: number): Report {
  const over = (pick: (pair: Round) => number): number => median(pairs.map(pick));
  const row = (label: string, part: 'base' | 'least' | 'own'): string[] => [
    label,
    shown(over((pair) => pair[part].perSecond)),
    shown(
      over((pair) => pair[part].p50Ms),
      2,
    ),
    shown(
      over((pair) => pair[part].p99Ms),
      2,
    ),
    shown(
      over((pair) => pair[part].serverCpuMicros),
      1,
    ),
    shown(
      over((pair) => pair[part].cpuMicrosPerRequest),
      1,
    ),
  ];
  const refused = pairs.reduce((sum, { own }) => sum + Object.values(own.refused).reduce((a, b) => a + b, 0), 0);
  const ratio = over((pair) => pair.ratio);
  const leastRatio = over(({ least, base }) => least.perSecond / base.perSecond);
  return {
    table: [
      ['', 'per second', 'p50 ms', 'p99 ms', 'server µs CPU', 'load µs CPU'],
      row('bare node:http', 'base'),
      row('least that is durable', 'least'),
      row('paybell', 'own'),
    ],
    notes: [
      `ratio ${shown(ratio, 3)} (median of ${pairs.length} pairs: ${pairs.map((pair) => shown(pair.ratio, 3)).join(', ')})`,
      `the least durable program: ratio ${shown(leastRatio, 3)} (${pairs.map(({ least, base }) => shown(least.perSecond / base.perSecond, 3)).join(', ')})`,
      `${CONNECTIONS} connections, peak memory ${shown(rssMb)} MB, ${refused} refused with 503 or 429`,
    ],
    fields: {
      perSecond: rounded(over((pair) => pair.own.perSecond)),
      baselinePerSecond: rounded(over((pair) => pair.base.perSecond)),
      ratio: rounded(ratio, 3),
      leastPerSecond: rounded(over((pair) => pair.least.perSecond)),
      leastRatio: rounded(leastRatio, 3),
      leastCpuMicrosPerRequest: rounded(
        over((pair) => pair.least.serverCpuMicros),
        1,
      ),
      ackP50Ms: rounded(
        over((pair) => pair.own.p50Ms),
        2,
      ),
      ackP99Ms: rounded(
        over((pair) => pair.own.p99Ms),
        2,
      ),
      rssMb: rounded(rssMb),
      cpuMicrosPerRequest: rounded(
        over((pair) => pair.own.serverCpuMicros),
        1,
      ),
      baselineCpuMicrosPerRequest: rounded(
        over((pair) => pair.base.serverCpuMicros),
        1,
      ),
      refused,
      ratios: pairs.map((pair) => rounded(pair.ratio, 3) ?? 0),
    },
  };
}
