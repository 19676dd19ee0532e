import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planFor } from './plan.ts';
import type { Plan } from './plan.ts';
import { reportOf, shortened } from './report.ts';
import { run } from './run.ts';
import { KEPT_SEEDS } from './seeds.ts';
import { watchdog } from './watchdog.ts';

/*
 * The whole engine under a seed: see CONTRIBUTING.md. PAYBELL_SIMULATION_SEEDS=N runs so many, PAYBELL_SIMULATION_FROM=S from another one on;
 * PAYBELL_SIMULATION_SEED=S runs that one and prints its trace.
 */
const { env } = process;
const SEEDS = Number(env['PAYBELL_SIMULATION_SEEDS'] ?? 2_000);
const FROM = Number(env['PAYBELL_SIMULATION_FROM'] ?? 1);
const MOST_REPORTS = 3;
const SAMPLE_EVERY = 100;
/** Where a machine is slow the run ends before all seeds have had their turn, after some at least; a number that was asked for is kept. */
const AT_LEAST = 300;
const LONGEST_MS = env['PAYBELL_SIMULATION_SEEDS'] === undefined ? 150_000 : Infinity;

const dog = watchdog();

async function judged(plan: Plan): Promise<string | null> {
  dog.now(plan.seed);
  const result = await run(plan);
  return result.wrongs.length === 0 ? null : reportOf(await shortened(result));
}

function replay(seed: number): Plan {
  const { PAYBELL_SIMULATION_STEPS: steps, PAYBELL_SIMULATION_CRASHES: crashes } = env;
  return planFor(seed, {
    ...(steps === undefined ? {} : { steps: Number(steps) }),
    ...(crashes === undefined ? {} : { crashes: crashes.split(',').filter(Boolean).map(Number) }),
  });
}

describe('simulation', () => {
  test.after(() => dog.stop());

  if (env['PAYBELL_SIMULATION_SEED'] !== undefined) {
    test(`seed ${env['PAYBELL_SIMULATION_SEED']}`, async () => {
      const plan = replay(Number(env['PAYBELL_SIMULATION_SEED']));
      dog.now(plan.seed);
      const { trace, wrongs } = await run(plan);
      process.stdout.write(`${JSON.stringify(plan)}\n${trace.join('\n')}\n`);
      assert.deepEqual(wrongs, []);
    });
    return;
  }

  test('every bug that was found stays found', async () => {
    for (const { seed, found, over } of KEPT_SEEDS) assert.equal(await judged(planFor(seed, over)), null, found);
  });

  test('a crash at every step of one story', async (context) => {
    const story = planFor(1, { nodes: 1, steps: 8, crashes: [], storeTrouble: 0, hostility: 0.5, pauses: false });
    const { steps } = await run(story);
    assert.ok(steps > 100, `only ${steps} steps`);
    for (let step = 1; step <= steps; step++) assert.equal(await judged({ ...story, crashes: [step] }), null);
    context.diagnostic(`${steps} crashes`);
  });

  test(`${SEEDS} seeds from ${FROM} on keep every promise; one seed is one story`, async (context) => {
    const started = performance.now();
    const reports: string[] = [];
    let ran = 0;
    const mayGoOn = (): boolean => ran < AT_LEAST || performance.now() - started < LONGEST_MS;
    for (let seed = FROM; seed < FROM + SEEDS && reports.length < MOST_REPORTS && mayGoOn(); seed++) {
      const plan = planFor(seed);
      dog.now(seed);
      const result = await run(plan);
      ran += 1;
      if (result.wrongs.length > 0) reports.push(reportOf(await shortened(result)));
      if (seed % SAMPLE_EVERY === 0) assert.equal((await run(plan)).digest, result.digest, `seed ${seed} told two stories`);
    }
    context.diagnostic(`${ran} seeds in ${Math.round((performance.now() - started) / 1000)} s`);
    assert.equal(reports.length, 0, `\n\n${reports.join('\n\n')}\n`);
  });
});
