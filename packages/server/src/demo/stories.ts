import { forgeData, scenario, scenarioNames } from '@paybell/sdk';
import type { Provider, ScenarioName, Step } from '@paybell/sdk';
import { dress } from './people.ts';
import type { Random } from './people.ts';

/** How often each story is told, out of about 100. */
const WEIGHTS: Readonly<Record<ScenarioName, number>> = {
  happy: 58,
  failed: 11,
  duplicate: 7,
  'out-of-order': 6,
  'late-success': 4,
  refund: 5,
  payout: 5,
  partial: 4,
  settlement: 2,
  'bad-signature': 2,
};

export interface Telling {
  readonly provider: Provider;
  readonly name: ScenarioName;
  readonly series: string;
  readonly now: number;
  readonly random: Random;
}

/** A story with a person, a price and waits of its own. */
export function tell({ provider, name, series, now, random }: Telling): readonly Step[] {
  const changes = dress(provider.id, random);
  const steps = scenario({ provider, name, series, start: now }).map((step) => ({
    ...step,
    data: forgeData(provider, { type: step.type, id: step.id, series, set: changes(step.type) }),
    delayMs: step.delayMs * (0.5 + random()),
  }));
  // Gas runs out sometimes, not at every payment.
  const told = name === 'happy' && random() < 0.75 ? steps.filter((step) => !step.type.endsWith('awaiting_gas')) : steps;
  return told.map((step, index) => (index === 0 ? { ...step, delayMs: 0 } : step));
}

export function chooseStory(provider: Provider, random: Random): ScenarioName {
  const names = scenarioNames(provider);
  const total = names.reduce((sum, name) => sum + WEIGHTS[name], 0);
  let left = random() * total;
  return names.find((name) => (left -= WEIGHTS[name]) < 0) ?? 'happy';
}

export interface Opening {
  readonly provider: Provider;
  readonly name: ScenarioName;
}

/** Rare ones first, so that each is seen within the first half minute. */
export function openingStories(providers: readonly Provider[]): readonly Opening[] {
  const order: readonly ScenarioName[] = [
    'happy',
    'refund',
    'late-success',
    'partial',
    'duplicate',
    'out-of-order',
    'payout',
    'settlement',
    'failed',
    'bad-signature',
  ];
  return order.flatMap((name, round): readonly Opening[] => {
    const able = providers.filter((provider) => scenarioNames(provider).includes(name));
    if (name === 'happy') return able.map((provider) => ({ provider, name }));
    const provider = able[round % able.length];
    return provider === undefined ? [] : [{ provider, name }];
  });
}
