import { setTimeout as wait } from 'node:timers/promises';
import { forge } from '@paybell/sdk';
import type { Step } from '@paybell/sdk';
import type { Random } from './people.ts';
import type { DemoSource } from './set-up.ts';
import { chooseStory, openingStories, tell } from './stories.ts';

export interface SimulationInput {
  readonly url: string;
  readonly sources: readonly DemoSource[];
  readonly random: Random;
  note(line: string): void;
}

/** Mean wait between two payments; with about two webhooks each this is some three per second. */
const MEAN_GAP_MS = 700;
const FIRST_GAP_MS = 150;
const MOST_AT_ONCE = 50;
const ANSWER_WITHIN_MS = 10_000;

/** Providers at work: payment after payment, each told in real signed webhooks, until stopped. */
export function simulate(input: SimulationInput): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const telling = new Set<Promise<void>>();
  let unanswered = 0;

  const play = async (source: DemoSource, steps: readonly Step[]): Promise<void> => {
    for (const step of steps) {
      await wait(step.delayMs, undefined, { signal: stopped.signal });
      const status = await send({ url: input.url + source.ingestPath, source, step, signal: stopped.signal });
      unanswered = status === null ? unanswered + 1 : 0;
      if (unanswered === 20) input.note('Demo: the server has not answered the last 20 webhooks.');
    }
  };
  const run = async (): Promise<void> => {
    const opening = openingStories(input.sources.map(({ provider }) => provider));
    for (let n = 0; !stopped.signal.aborted; n += 1) {
      const provider = opening[n]?.provider;
      const source = input.sources.find((one) => one.provider === provider) ?? anyOf(input);
      const name = opening[n]?.name ?? chooseStory(source.provider, input.random);
      const series = `${Date.now().toString(36)}${n}`;
      const story = play(source, tell({ provider: source.provider, name, series, now: Date.now(), random: input.random }))
        .catch((error: unknown) => {
          if (!stopped.signal.aborted) input.note(`Demo: ${(error as Error).message}`);
        })
        .finally(() => telling.delete(story));
      telling.add(story);
      if (telling.size >= MOST_AT_ONCE) await Promise.race(telling);
      await wait(n < input.sources.length ? FIRST_GAP_MS : gap(input.random), undefined, { signal: stopped.signal });
    }
  };
  const running = run().catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await running;
      await Promise.all(telling);
    },
  };
}

interface Sending {
  readonly url: string;
  readonly source: DemoSource;
  readonly step: Step;
  readonly signal: AbortSignal;
}

/** The answer's status; null where there was none. */
async function send({ url, source, step, signal }: Sending): Promise<number | null> {
  const { provider, secret } = source;
  const { type, id, data, occurredAt, fault } = step;
  const request = forge({ provider, type, id, data, occurredAt, secret, now: Date.now(), ...(fault === undefined ? {} : { fault }) });
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const answer = await fetch(url, { method: 'POST', headers: request.headers, body: new Uint8Array(request.body), signal: limit });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return null;
  }
}

function anyOf({ sources, random }: SimulationInput): DemoSource {
  return sources[Math.floor(random() * sources.length)] as DemoSource;
}

/** Payments come in no rhythm. */
function gap(random: Random): number {
  return Math.min(-Math.log(1 - random()) * MEAN_GAP_MS, 4 * MEAN_GAP_MS);
}
