import { diceFrom } from './dice.ts';

/** What kind of run a seed is. */
export interface Plan {
  readonly seed: number;
  /** One process on a file, or two on a server that both reach. */
  readonly nodes: 1 | 2;
  /** Things that happen outside. */
  readonly steps: number;
  /** How many of a hundred calls to the store go wrong. */
  readonly storeTrouble: number;
  /** How often endpoints are not in order. */
  readonly hostility: number;
  /** Steps of the processes at which one dies. */
  readonly crashes: readonly number[];
  /** Processes stand still now and then, longer than their leases. */
  readonly pauses: boolean;
}

/** Results that come when their lease is another's are rare in any other run. */
const LAPSED: Omit<Plan, 'seed' | 'steps'> = { nodes: 2, storeTrouble: 0, hostility: 0.6, crashes: [], pauses: true };

/** Half of the runs have one kind of trouble alone: where all come at once, one hides the other. */
export function planFor(seed: number, over: Partial<Plan> = {}): Plan {
  const dice = diceFrom(seed, 'plan');
  if (dice.chance(0.12)) return { ...LAPSED, seed, steps: dice.int(10, 30), ...over };
  const nodes = dice.chance(0.25) ? 2 : 1;
  const alone = dice.chance(0.5) ? dice.pick(['store', 'network', 'crashes', 'pauses', 'none'] as const) : null;
  const has = (trouble: string, otherwise: number): boolean => (alone === null ? dice.chance(otherwise) : alone === trouble);
  return {
    seed,
    nodes,
    steps: dice.int(10, 32),
    storeTrouble: has('store', 0.5) ? dice.pick([2, 5, 15]) : 0,
    hostility: has('network', 0.8) ? dice.pick([0.3, 0.6, 0.9]) : 0,
    crashes: has('crashes', 0.6) ? Array.from({ length: dice.int(1, 4) }, () => dice.int(1, 400)).sort((a, b) => a - b) : [],
    pauses: has('pauses', 0.3),
    ...over,
  };
}
