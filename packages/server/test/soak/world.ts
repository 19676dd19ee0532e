import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { forge, forgeData, providerById } from '@paybell/sdk';
import type { Provider, Step } from '@paybell/sdk';
import { chooseStory, tell } from '../../src/demo/stories.ts';
import { ADMIN_KEY } from '../support/server.ts';
import type { Api } from '../support/server.ts';

/** One thing that happened in the world outside, and was told to the server until it said that it has it. */
export interface Fact {
  readonly provider: string;
  readonly type: string;
  /** Of every body that told it. */
  readonly sha256: Set<string>;
  /** The id that the answer gave to a published event. */
  event: string | null;
  acknowledged: boolean;
}

export interface Source {
  readonly provider: Provider;
  readonly secret: string;
  readonly ingestPath: string;
}

export const FIVE = ['malipopay', 'echezona', 'makapay', 'serixpay', 'altafinex'] as const;

/** Creates a source for each of the five providers. */
export async function makeSources(api: Api): Promise<Source[]> {
  const sources: Source[] = [];
  for (const id of FIVE) {
    const provider = providerById(id);
    if (provider === undefined) throw new Error(`There is no provider ${id}.`);
    const secret = provider.makeSecret(createHash('sha256').update(`soak ${id}`).digest());
    const options = provider.exampleOptions;
    const { status, body } = await api.call('POST', '/v1/sources', { provider: id, name: id, secret, ...(options && { options }) });
    if (status !== 201) throw new Error(`No source for ${id}: ${JSON.stringify(body)}`);
    sources.push({ provider, secret, ingestPath: String(body.ingestPath) });
  }
  return sources;
}

export interface WorldInput {
  readonly sources: readonly Source[];
  readonly random: () => number;
  /** Webhooks and published events per second, about. */
  readonly perSecond: number;
  /** The address of the server as it stands now; null while there is none. */
  readonly url: () => string | null;
}

export interface World {
  readonly facts: ReadonlyMap<string, Fact>;
  /** Forged webhooks that were refused, as they should be. */
  refused(): number;
  /** How often something was sent again because no answer came, or not yet a good one. */
  resent(): number;
  /** Answers that nobody should get. */
  readonly wrong: readonly string[];
  /** Begins no new stories, and waits until those begun are told to their end. */
  finish(): Promise<void>;
  /** Lets everything lie where it is. */
  giveUp(): void;
}

const AGAIN_MS = 200;
const ANSWER_WITHIN_MS = 10_000;
const MOST_STORIES = 200;
/** Stories are told this much faster than in the demo. */
const HASTE = 0.3;
/** One in so many is an event that the merchant's own app publishes. */
const PUBLISHED_OF = 4;

/** Five providers and an app at work. Each of them sends a webhook again, byte by byte, until it is answered well. */
export function startWorld({ sources, random, perSecond, url }: WorldInput): World {
  const facts = new Map<string, Fact>();
  const wrong: string[] = [];
  const telling = new Set<Promise<void>>();
  const stopped = new AbortController();
  let refused = 0;
  let resent = 0;
  let givenUp = false;

  async function post(
    path: string,
    message: { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer },
  ): Promise<Answer> {
    while (!givenUp) {
      const at = url();
      const answer = at === null ? null : await once(at + path, message);
      if (answer !== null && answer.status !== 503 && answer.status !== 429) return answer;
      if (at !== null) resent += 1;
      await wait(AGAIN_MS);
    }
    return { status: 0, text: 'given up' };
  }

  function factOf(key: string, more: Pick<Fact, 'provider' | 'type'>, body: Buffer): Fact {
    let fact = facts.get(key);
    if (fact === undefined) facts.set(key, (fact = { ...more, sha256: new Set(), event: null, acknowledged: false }));
    fact.sha256.add(createHash('sha256').update(body).digest('hex'));
    return fact;
  }

  async function webhook({ provider, secret, ingestPath }: Source, step: Step): Promise<void> {
    const { type, id, data, occurredAt, fault } = step;
    const request = forge({ provider, type, id, data, occurredAt, secret, now: Date.now(), ...(fault === undefined ? {} : { fault }) });
    const body = Buffer.from(request.body);
    const fact = fault === undefined ? factOf(`${provider.id} ${id}`, { provider: provider.id, type }, body) : null;
    const { status, text } = await post(ingestPath, { headers: request.headers, body });
    if (fact === null && status === 401) refused += 1;
    else if (fact !== null && status === 200) fact.acknowledged = true;
    else wrong.push(`${provider.id} ${type}${fault === undefined ? '' : ` with ${fault}`} was answered ${status} ${text.slice(0, 200)}`);
  }

  async function publish(n: number): Promise<void> {
    const paybell = providerById('paybell');
    if (paybell === undefined) throw new Error('There is no provider paybell.');
    const type = n % 3 === 0 ? 'payment.pending' : 'payment.succeeded';
    const data = forgeData(paybell, { type, id: `soak_${n}` });
    const body = Buffer.from(JSON.stringify({ type, data }));
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', 'idempotency-key': `soak-${n}` };
    const fact = factOf(`published ${n}`, { provider: 'paybell', type }, body);
    const { status, text } = await post('/v1/events', { headers, body });
    if (status !== 202) wrong.push(`a published ${type} was answered ${status} ${text.slice(0, 200)}`);
    else [fact.event, fact.acknowledged] = [(JSON.parse(text) as { id: string }).id, true];
  }

  async function story(n: number): Promise<void> {
    if (n % PUBLISHED_OF === 0) return publish(n);
    const source = sources[n % sources.length] as Source;
    const name = chooseStory(source.provider, random);
    for (const step of tell({ provider: source.provider, name, series: `s${n}`, now: Date.now(), random })) {
      await wait(step.delayMs * HASTE);
      await webhook(source, step);
    }
  }

  async function run(): Promise<void> {
    for (let n = 1; !stopped.signal.aborted; n += 1) {
      if (telling.size < MOST_STORIES) {
        const one: Promise<void> = story(n).finally(() => telling.delete(one));
        telling.add(one);
      }
      // A story has about two webhooks; they come in no rhythm.
      await wait((-Math.log(1 - random()) * 2_000) / perSecond, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
    await Promise.all(telling);
  }
  const running = run();
  return {
    facts,
    wrong,
    refused: () => refused,
    resent: () => resent,
    finish() {
      stopped.abort();
      return running;
    },
    giveUp() {
      givenUp = true;
      stopped.abort();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Null where no whole answer came. */
async function once(url: string, { headers, body }: { headers: Readonly<Record<string, string>>; body: Buffer }): Promise<Answer | null> {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const response = await fetch(url, { method: 'POST', headers: { ...headers }, body: new Uint8Array(body), signal });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}
