import { startChild, type Child } from './child.ts';
import { BATCH, check, deliver, type DeliverParties, type Part } from './deliver.ts';
import { median, rounded, shown } from './figures.ts';
import type { BareSender } from './load/bare-sender.ts';
import type { Generator } from './load/generator.ts';
import type { Sink } from './load/sink.ts';
import { outboundOverNodes } from './nodes.ts';
import { startPaybell } from './paybell.ts';
import type { Report, RunOptions } from './run.ts';
import { makeTag } from './webhook.ts';

const IN_FLIGHT = 256;
const WARM_UP_EVENTS = 20_000;

interface Pair {
  readonly base: Part;
  /** The same bare loop with the usual client instead of our own. */
  readonly undici: Part;
  readonly own: Part;
  readonly ratio: number;
}

interface Parties extends DeliverParties {
  readonly sender: Child<BareSender>;
  readonly sinkPort: number;
}

export async function run(options: RunOptions): Promise<Report> {
  if ((options.nodes ?? 1) > 1) return outboundOverNodes(options);
  const rounds = options.rounds ?? 3;
  const events = Math.ceil((options.events ?? 50_000) / BATCH) * BATCH;
  await using generator = startChild<Generator>('generator.ts');
  await using sender = startChild<BareSender>('bare-sender.ts');
  await using sink = startChild<Sink>('sink.ts');
  const sinkPort = await sink.call('listen');
  await using paybell = await startPaybell(options.store);
  const url = `http://127.0.0.1:${sinkPort}/`;
  await paybell.api('POST', '/v1/endpoints', { url, provider: 'serixpay', events: ['*'], maxInFlight: IN_FLIGHT });
  const parties: Parties = { generator, sender, sink, sinkPort, paybell };

  await sendBare(parties, { client: 'own', count: WARM_UP_EVENTS });
  await sendBare(parties, { client: 'undici', count: WARM_UP_EVENTS });
  await deliver(parties, WARM_UP_EVENTS);
  const pairs: Pair[] = [];
  let repeats = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const undici = await sendBare(parties, { client: 'undici', count: events });
    const base = await sendBare(parties, { client: 'own', count: events });
    const own = await deliver(parties, events);
    repeats += (await sink.call('counts')).repeats;
    pairs.push({ undici, base, own, ratio: own.perSecond / base.perSecond });
    const rates = `bare ${shown(base.perSecond)}/s, paybell ${shown(own.perSecond)}/s`;
    options.log(`round ${round}: ${rates}, ratio ${shown(own.perSecond / base.perSecond, 3)}`);
  }
  return describe(pairs, { events, repeats, rssMb: await paybell.rssMb() });
}

async function sendBare(
  { sender, sink, sinkPort }: Parties,
  plan: { readonly client: 'own' | 'undici'; readonly count: number },
): Promise<Part> {
  const { client, count } = plan;
  const tag = makeTag();
  await sink.call('expect', { tag, count });
  const result = await sender.call('send', { origin: `http://127.0.0.1:${sinkPort}`, tag, count, concurrency: IN_FLIGHT, client });
  await check(sink, count);
  return { perSecond: count / result.seconds, cpuMicros: result.cpuMicrosPerRequest };
}

function describe(pairs: readonly Pair[], seen: { readonly events: number; readonly repeats: number; readonly rssMb: number }): Report {
  const over = (pick: (pair: Pair) => number): number => median(pairs.map(pick));
  const row = (label: string, part: 'base' | 'undici' | 'own'): string[] => [
    label,
    shown(over((pair) => pair[part].perSecond)),
    shown(
      over((pair) => pair[part].cpuMicros),
      1,
    ),
  ];
  const ratio = over((pair) => pair.ratio);
  return {
    table: [
      ['', 'per second', 'µs CPU each'],
      row('bare undici loop', 'undici'),
      row('bare loop, own client', 'base'),
      row('paybell', 'own'),
    ],
    notes: [
      `ratio to the loop with the same client ${shown(ratio, 3)} (median of ${pairs.length} pairs: ${pairs.map((pair) => shown(pair.ratio, 3)).join(', ')})`,
      `${shown(seen.events)} events a round, ${IN_FLIGHT} in flight, peak memory ${shown(seen.rssMb)} MB, ${seen.repeats} delivered twice`,
    ],
    fields: {
      perSecond: rounded(over((pair) => pair.own.perSecond)),
      baselinePerSecond: rounded(over((pair) => pair.base.perSecond)),
      ratio: rounded(ratio, 3),
      undiciPerSecond: rounded(over((pair) => pair.undici.perSecond)),
      ratioToUndici: rounded(
        over((pair) => pair.own.perSecond / pair.undici.perSecond),
        3,
      ),
      cpuMicrosPerDelivery: rounded(
        over((pair) => pair.own.cpuMicros),
        1,
      ),
      baselineCpuMicrosPerDelivery: rounded(
        over((pair) => pair.base.cpuMicros),
        1,
      ),
      rssMb: rounded(seen.rssMb),
      repeats: seen.repeats,
      ratios: pairs.map((pair) => rounded(pair.ratio, 3) ?? 0),
    },
  };
}
