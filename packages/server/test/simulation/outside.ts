import { forge, normalHeaders, scenario, scenarioNames } from '@paybell/sdk';
import type { Fault, Provider, Step } from '@paybell/sdk';
import type { Accepted, Engine, Publish } from '../../src/engine/faces.ts';
import type { Dice } from './dice.ts';
import { Facts, readPublished, readWebhook } from './facts.ts';
import type { Fact } from './facts.ts';
import type { Life } from './life.ts';
import type { Node, World } from './world.ts';

/** A provider's address with us, as the provider and the test know it. */
export interface SourceOutside {
  readonly id: string;
  readonly merchant: string;
  readonly provider: Provider;
  readonly secret: string;
  /** False while we were given another secret than the provider signs with; null where nobody knows. */
  agreed: boolean | null;
}

/** One webhook that a provider sends until it is taken. */
export interface Webhook {
  readonly source: SourceOutside;
  readonly step: Step;
  readonly fault: Fault | null;
  readonly facts: readonly Fact[];
  acked: boolean;
  /** Told to be kept back, with its request. */
  rejected: boolean;
  tries: number;
}

const PATIENCE_MS = 10_000;

/** Providers, apps and people: whoever calls us, and what each was told. */
export class Outside {
  readonly facts = new Facts();
  readonly webhooks: Webhook[] = [];
  /** Sources whose quarantine was judged again. */
  readonly judgedAgain = new Set<string>();
  /** Requests that somebody was told the id of. */
  readonly told = new Map<string, { readonly source: string; readonly rejected: boolean }>();
  /** Calls that have no answer yet. */
  readonly waiting = new Set<{ readonly what: string; readonly life: Life }>();
  readonly #world: World;
  readonly #dice: Dice;
  #publications = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Calls a node that takes calls; nothing where there is none. An answer counts only where the process lived to give it. */
  call<Result>(
    what: string,
    run: (engine: Engine) => Promise<Result>,
    end: { done?: (result: Result) => void; refused?: (code: string) => void } = {},
  ): boolean {
    const world = this.#world;
    const nodes = world.taking();
    if (nodes.length === 0) return false;
    const { life, engine } = this.#dice.pick(nodes) as Node & { life: NonNullable<Node['life']>; engine: Engine };
    const asked = { what, life };
    this.waiting.add(asked);
    life.reach(() => {
      world.note(`${life.name} is asked: ${what}`);
      run(engine).then(
        (result) => {
          this.waiting.delete(asked);
          if (!life.step(`answer: ${what}`)) return;
          world.note(`${life.name} answers: ${what}`);
          end.done?.(result);
        },
        (error: unknown) => {
          this.waiting.delete(asked);
          const code = String((error as { code?: unknown }).code ?? error);
          if (!life.step(`refusal: ${what}`)) return;
          world.note(`${life.name} refuses: ${what}: ${code}`);
          if ((error as Error).name !== 'Refusal' && (error as Error).name !== 'StorageError')
            world.wrong(`${what} ended with ${String(error)}`);
          end.refused?.(code);
        },
      );
    });
    return true;
  }

  /** A provider sends a webhook, and again until it is taken. */
  send(source: SourceOutside, step: Step, fault: Fault | null = null): Webhook {
    const { provider, merchant, id } = source;
    const { headers, body } = this.#forged(source, step, null);
    const read =
      fault === null || fault === 'invalid-json'
        ? readWebhook(provider, fault === null ? { headers, body } : this.#forged(source, step, fault))
        : [];
    const facts = read.map(({ key, content }) => this.facts.add({ scope: id, key, merchant, provider: provider.id }, content));
    const webhook: Webhook = { source, step, fault, facts, acked: false, rejected: false, tries: 0 };
    this.webhooks.push(webhook);
    this.again(webhook);
    return webhook;
  }

  #forged(
    { provider, secret }: SourceOutside,
    step: Step,
    fault: Fault | null,
  ): { headers: Readonly<Record<string, string>>; body: Uint8Array } {
    const { type, id, data, occurredAt } = step;
    const options = provider.exampleOptions;
    const now = this.#world.loop.now();
    return forge({ provider, type, id, data, occurredAt, now, secret, ...(options && { options }), ...(fault && { fault }) });
  }

  again(webhook: Webhook): void {
    const { source, step, fault } = webhook;
    webhook.tries += 1;
    const { headers, body } = this.#forged(source, step, fault);
    const what = `webhook ${step.type} ${step.id}${fault === null ? '' : ` (${fault})`} of ${source.provider.id}`;
    const inbound = {
      body,
      headers: normalHeaders(headers),
      rawHeaders: Object.entries(headers).flat(),
      url: 'https://paybell.example/in/x',
    };
    const agreed = source.agreed;
    let answered = false;
    this.call(what, (engine) => engine.accept(source.id, inbound), {
      done: (accepted) => {
        answered = true;
        this.#taken(webhook, accepted, agreed);
      },
    });
    this.#world.loop.after(PATIENCE_MS, () => {
      if (!answered && !webhook.acked && webhook.tries < 4) this.again(webhook);
    });
  }

  #taken(webhook: Webhook, accepted: Accepted, agreed: boolean | null): void {
    const { source, fault, step } = webhook;
    const rejected = accepted.kind === 'rejected';
    if (accepted.kind !== 'duplicate') this.told.set(accepted.request, { source: source.id, rejected });
    const genuine = fault === null || fault === 'invalid-json';
    if (!genuine) {
      if (!rejected) this.#world.wrong(`a forged webhook (${fault}) of ${source.provider.id} was taken`);
      return;
    }
    if (rejected && agreed === true)
      this.#world.wrong(`the rightly signed ${step.type} of ${source.provider.id} was rejected: ${accepted.reason}`);
    if (!rejected && agreed === false)
      this.#world.wrong(`${step.type} of ${source.provider.id} was taken, though nobody agreed on its secret`);
    if (rejected) webhook.rejected = true;
    else {
      webhook.acked = true;
      for (const fact of webhook.facts) fact.acked = true;
    }
  }

  /** An app publishes one event or several at once. */
  publish(merchant: string, items: readonly Publish[]): void {
    const made = items.map((item) => {
      const { type, data, idempotencyKey: key, occurredAt = 0 } = item;
      const scope = {
        scope: merchant,
        key: key === undefined ? `once ${(this.#publications += 1)}` : `key:${key}`,
        merchant,
        provider: 'paybell',
      };
      const content = readPublished(type, data, occurredAt);
      return { item, content, fact: this.facts.add(scope, content), key };
    });
    const what = `publish ${made.map(({ item, key }) => `${item.type}${key === undefined ? '' : ` under ${key}`}`).join(', ')}`;
    this.call(
      what,
      (engine) =>
        engine.publish(
          merchant,
          made.map(({ item }) => item),
        ),
      {
        done: (published) => {
          for (const [index, { id }] of published.entries()) {
            const { fact, content } = made[index] as (typeof made)[number];
            if (fact.id !== null && fact.id !== id) this.#world.wrong(`one key was answered with ${fact.id} and with ${id}`);
            fact.acked = true;
            fact.id = id;
            fact.told.add(content.data ?? '');
          }
        },
        refused: (code) => {
          if (code === 'idempotency_conflict' && made.every(({ fact }) => fact.contents.length < 2))
            this.#world.wrong(`${what} was refused as a conflict, though its key was never used for anything else`);
        },
      },
    );
  }

  /** What a provider tells of one payment, as it happened. */
  story(provider: Provider, series: string): readonly Step[] {
    const name = this.#dice.pick(scenarioNames(provider).filter((one) => one !== 'bad-signature'));
    return scenario({ provider, name, series, start: this.#world.loop.now() });
  }
}
