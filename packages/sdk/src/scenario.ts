import { forgeData } from './forge.ts';
import type { Fault } from './forge.ts';
import type { JsonValue } from './json.ts';
import type { Kind, Status } from './ledger/transaction.ts';
import { nearestName } from './nearest.ts';
import type { Provider } from './provider.ts';
import { resolveProvider } from './verify.ts';

export const SCENARIOS = [
  'happy',
  'duplicate',
  'out-of-order',
  'late-success',
  'bad-signature',
  'failed',
  'refund',
  'payout',
  'settlement',
  'partial',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export interface ScenarioInput {
  readonly provider: Provider | string;
  readonly name: string;
  /** Names this run: its references follow from it. Letters, digits, "-" and "_". */
  readonly series: string;
  /** When the story begins, milliseconds since 1970. */
  readonly start: number;
  readonly set?: Readonly<Record<string, unknown>>;
}

/** One webhook of a story: give it to `forge` together with `provider`, `secret`, `now`. */
export interface Step {
  readonly type: string;
  readonly id: string;
  readonly data: JsonValue;
  readonly occurredAt: number;
  /** How long to wait before it, in milliseconds: a hint. */
  readonly delayMs: number;
  readonly fault?: Fault;
}

interface Beat {
  readonly type: string;
  /** Its place in the story, where that is not its place in the order of arrival; a repeat has the place of its first. */
  readonly place?: number;
  readonly delayMs: number;
  readonly fault?: Fault;
}

/** A story as the provider tells it. Throws RangeError where there is no such story, or the provider has no events for it. */
export function scenario(input: ScenarioInput): readonly Step[] {
  const provider = resolveProvider(input.provider);
  const name = SCENARIOS.find((known) => known === input.name);
  if (name === undefined)
    throw new RangeError(`There is no scenario "${input.name}". Did you mean "${nearestName(input.name, SCENARIOS) ?? 'happy'}"?`);
  const beats = STORIES[name](provider);
  if (beats === null) throw new RangeError(`${provider.name} has no events for "${name}". It has: ${scenarioNames(provider).join(', ')}.`);
  return beats.map((beat, index) => {
    const place = beat.place ?? index;
    const id = `evt_${input.series}_${place}`;
    const data = forgeData(provider, { type: beat.type, id, series: input.series, ...(input.set && { set: input.set }) });
    const step = { type: beat.type, id, data, occurredAt: input.start + place * 1000, delayMs: beat.delayMs };
    return beat.fault === undefined ? step : { ...step, fault: beat.fault };
  });
}

export function scenarioNames(provider: Provider | string): readonly ScenarioName[] {
  const profile = resolveProvider(provider);
  return SCENARIOS.filter((name) => STORIES[name](profile) !== null);
}

const STORIES: Readonly<Record<ScenarioName, (provider: Provider) => readonly Beat[] | null>> = {
  happy: (provider) => paid(provider),
  duplicate(provider) {
    const beats = paid(provider);
    const last = beats?.at(-1);
    return beats && last ? [...beats, { type: last.type, place: beats.length - 1, delayMs: 500 }] : null;
  },
  'out-of-order'(provider) {
    const beats = paid(provider);
    if (beats === null) return null;
    const after = eventOf(provider, ['refund'], ['succeeded']);
    const story = beats.length < 2 && after !== null ? [...beats, beat(after)] : beats;
    return story.map((one, place) => ({ ...one, place })).reverse();
  },
  'late-success'(provider) {
    const done = eventOf(provider, ['payment'], ['succeeded']);
    const ended = eventOf(provider, ['payment'], ['expired', 'failed', 'canceled', 'partially_succeeded']);
    return done === null || ended === null ? null : [...leadIn(provider), beat(ended), beat(done, 3000)];
  },
  'bad-signature': (provider) => only(eventOf(provider, ['payment'], ['succeeded']), 'bad-signature'),
  failed(provider) {
    const ended = eventOf(provider, ['payment'], ['failed', 'canceled']);
    return ended === null ? null : [...leadIn(provider), beat(ended)];
  },
  refund(provider) {
    const back = eventOf(provider, ['refund'], ['succeeded']);
    const beats = paid(provider);
    return back === null || beats === null ? null : [...beats, beat(back, 2000)];
  },
  payout(provider) {
    const begun = eventOf(provider, ['payout'], ['pending']);
    const done = eventOf(provider, ['payout', 'transfer'], ['succeeded']);
    return done === null ? null : [...(begun === null ? [] : [beat(begun)]), beat(done)];
  },
  settlement: (provider) => only(eventOf(provider, ['settlement'], ['succeeded'])),
  partial: (provider) => only(eventOf(provider, ['payment'], ['partially_succeeded'])),
};

function paid(provider: Provider): readonly Beat[] | null {
  const done = eventOf(provider, ['payment'], ['succeeded']);
  return done === null ? null : [...leadIn(provider), beat(done)];
}

/** What the provider tells before a payment succeeds, if anything. */
function leadIn(provider: Provider): readonly Beat[] {
  const first = eventOf(provider, ['payment'], ['pending', 'on_hold', 'authorized']);
  return first === null ? [] : [beat(first)];
}

function only(type: string | null, fault?: Fault): readonly Beat[] | null {
  if (type === null) return null;
  return [fault === undefined ? beat(type) : { ...beat(type), fault }];
}

function beat(type: string, delayMs = 1500): Beat {
  return { type, delayMs };
}

/** The first event of the catalogue with one of the statuses, in their order. */
function eventOf(provider: Provider, kinds: readonly Kind[], statuses: readonly Status[]): string | null {
  for (const status of statuses) {
    const found = Object.entries(provider.events).find(
      ([, spec]) => spec.status === status && spec.kind !== null && kinds.includes(spec.kind),
    );
    if (found !== undefined) return found[0];
  }
  return null;
}
