import { createHash } from 'node:crypto';
import { diceFrom } from './dice.ts';
import { Outside } from './outside.ts';
import type { Plan } from './plan.ts';
import { judgeRun } from './verdict.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

/** The longest that it may take until nothing waits any more once nothing fails: all waits of the longest schedule and two leases. */
const REST_WITHIN_MS = 10 * 60_000;
const LOOK_EVERY_MS = 2_000;

export interface Run {
  readonly plan: Plan;
  /** What must never happen and did. */
  readonly wrongs: readonly string[];
  readonly trace: readonly string[];
  /** Of the trace: one seed, one trace. */
  readonly digest: string;
  /** Steps of the processes at which a crash could have come. */
  readonly steps: number;
  readonly calls: number;
}

/** One run of the whole engine under one seed, from an empty store to rest. */
export async function run(plan: Plan): Promise<Run> {
  const world = new World(plan);
  const unhandled = (error: unknown): void =>
    world.wrong(`nobody caught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.on('unhandledRejection', unhandled);
  try {
    await story(world);
  } catch (error) {
    world.wrong(`the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    await world.close();
    process.off('unhandledRejection', unhandled);
  }
  const { trace, wrongs, steps } = world;
  return {
    plan,
    wrongs,
    trace,
    digest: createHash('sha256').update(trace.join('\n')).digest('hex'),
    steps,
    calls: world.network.calls.length,
  };
}

async function story(world: World): Promise<void> {
  const { plan, loop } = world;
  const dice = diceFrom(plan.seed, 'workload');
  const outside = new Outside(world, diceFrom(plan.seed, 'outside'));
  const workload = new Workload(world, outside, dice);
  await world.begin(async (engine) => workload.furnish(engine));
  world.crashes = plan.crashes.map((step) => world.steps + step);
  for (let step = 0; step < plan.steps; step++) {
    await loop.until(loop.now() + (dice.chance(0.3) ? 0 : dice.chance(0.1) ? dice.int(5_000, 40_000) : dice.int(1, 2_000)));
    workload.step();
  }
  await loop.until(loop.now() + dice.int(0, 20_000));
  world.heal();
  await rest(world, outside, workload);
  await judgeRun(world, outside);
}

/** Time runs on: what was not taken is sent again, until nothing waits. */
async function rest(world: World, outside: Outside, workload: Workload): Promise<void> {
  const { loop } = world;
  const until = loop.now() + REST_WITHIN_MS;
  const asked = new Set<object>();
  while (loop.now() < until) {
    await loop.until(loop.now() + LOOK_EVERY_MS);
    if (world.nodes.some(({ life }) => life?.ready !== true)) continue;
    let quiet = true;
    for (const source of workload.sources.filter(({ agreed }) => agreed !== true)) {
      quiet = false;
      workload.agree(source);
    }
    for (const source of workload.sources) {
      if (source.agreed !== true || !outside.webhooks.some((one) => one.source === source && one.rejected)) continue;
      quiet = false;
      workload.reverify(source);
    }
    for (const webhook of outside.webhooks) {
      if (webhook.acked || webhook.rejected || (webhook.fault !== null && webhook.fault !== 'invalid-json')) continue;
      if (asked.has(webhook)) continue;
      asked.add(webhook);
      quiet = false;
      outside.again(webhook);
    }
    const calling = world.network.calls.some(({ life, result }) => life.alive && result === null);
    const asking = [...outside.waiting].some(({ life }) => life.alive);
    if (quiet && !calling && !asking && !world.books.pending().some(({ endpoint }) => isLive(world, endpoint))) return;
  }
  const waiting = world.books.pending().map(({ endpoint, count }) => `${count} to ${endpoint}`);
  world.wrong(`it does not come to rest: ${waiting.join(', ') || 'somebody is not answered'}`);
}

function isLive(world: World, endpoint: string): boolean {
  const row = world.known.last(endpoint);
  return row === undefined || row.deletedAt !== null || row.active;
}
