import { planFor } from './plan.ts';
import type { Plan } from './plan.ts';
import { run } from './run.ts';
import type { Run } from './run.ts';

const TAIL = 40;
const LONGEST_LINE = 400;

/** The same seed with as few happenings as it takes to go wrong: a shorter story to read. */
export async function shortened(failed: Run): Promise<Run> {
  const { seed } = failed.plan;
  for (let steps = 1; steps < failed.plan.steps; steps++) {
    const again = await run({ ...failed.plan, seed, steps });
    if (again.wrongs.length > 0) return again;
  }
  return failed;
}

/** What somebody needs who has to find out why. */
export function reportOf({ plan, wrongs, trace }: Run): string {
  const cut = (text: string): string => (text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}...` : text);
  const at = trace.findIndex((line) => line.includes('WRONG'));
  const end = at < 0 ? trace.length : Math.min(trace.length, at + 5);
  return [
    `Seed ${plan.seed} went wrong: ${wrongs.length} times.`,
    ...wrongs.slice(0, 10).map((wrong) => `  - ${cut(wrong)}`),
    `Run it again with: ${replayCommand(plan)}`,
    'What happened before the first of them:',
    ...trace.slice(Math.max(0, end - TAIL), end).map((line) => `  ${cut(line)}`),
  ].join('\n');
}

/** Prints the whole trace. */
function replayCommand(plan: Plan): string {
  const planned = planFor(plan.seed);
  const steps = plan.steps === planned.steps ? '' : ` PAYBELL_SIMULATION_STEPS=${plan.steps}`;
  const crashes = String(plan.crashes) === String(planned.crashes) ? '' : ` PAYBELL_SIMULATION_CRASHES=${plan.crashes.join(',')}`;
  return `PAYBELL_SIMULATION_SEED=${plan.seed}${steps}${crashes} npm test -- simulation/seeds`;
}
