import type { Plan } from './plan.ts';

export interface KeptSeed {
  readonly seed: number;
  /** What this seed found when it was new. */
  readonly found: string;
  readonly over?: Partial<Plan>;
}

/** Every bug that the simulation found keeps its seed. Where the story behind a seed changes with the simulation, a test of its own holds the bug. */
export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    seed: 61,
    found: 'a process that turned round and round for ever: a delivery of a deleted endpoint went back into the queue that it came from',
  },
  {
    seed: 1596,
    found: 'deliveries of a deleted endpoint that waited until the next start, because the store failed when they were ended',
  },
  {
    seed: 85,
    found: 'two calls at once to judge a quarantine again: the second took each request for a repeat of itself, and the counts went wrong',
  },
  {
    seed: 161,
    found: 'a delivery that was sent ahead of its turn by hand, and opened the way for those behind it',
  },
  {
    seed: 503,
    found: 'a delivery that had been taken, was sent again by hand and failed: what it had overtaken stood without a reason',
  },
];
