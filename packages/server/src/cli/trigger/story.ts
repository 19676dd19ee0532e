import { forgeData, scenario } from '@paybell/sdk';
import type { Provider, ScenarioName, Step } from '@paybell/sdk';
import { UsageError } from '../command.ts';

export interface Plan {
  readonly provider: Provider;
  readonly type: string | null;
  readonly scenario: ScenarioName | null;
}

interface Telling {
  readonly set: Readonly<Record<string, string>>;
  readonly series: string;
  readonly start: number;
}

/** The webhooks of one payment: the story that the event is part of, or the event alone. Throws UsageError. */
export function storyOf(plan: Plan, telling: Telling): readonly Step[] {
  const { provider, type, scenario: name } = plan;
  try {
    if (name === null) return [single(provider, type, telling)];
    if (type === null) return scenario({ provider, name, ...telling });
    const only = single(provider, type, telling);
    const story = told(provider, name, telling);
    if (story?.some((step) => step.type === type)) return story;
    // An event outside the story: what can be told with it alone is.
    if (name === 'happy') return [only];
    if (name === 'duplicate') return [only, only];
    if (name === 'bad-signature') return [{ ...only, fault: 'bad-signature' }];
    throw new UsageError(
      `${type} is no part of "${name}" at ${provider.name}: leave it out, or take ${story === null ? 'another scenario' : `one of ${story.map((step) => step.type).join(', ')}`}.`,
    );
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function told(provider: Provider, name: ScenarioName, telling: Telling): readonly Step[] | null {
  try {
    return scenario({ provider, name, ...telling });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function single(provider: Provider, type: string | null, { set, series, start }: Telling): Step {
  if (type === null)
    throw new UsageError(`Name an event or a --scenario. ${provider.name} has: ${Object.keys(provider.events).join(', ')}.`);
  const id = `evt_${series}_0`;
  return { type, id, data: forgeData(provider, { type, id, series, set }), occurredAt: start, delayMs: 0 };
}
