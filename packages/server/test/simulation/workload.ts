import { forgeData, isJsonObject, JsonNumber, jsonObject, parseJson, stringifyJson } from '@paybell/sdk';
import type { JsonValue, Step } from '@paybell/sdk';
import type { Engine, NewEndpoint, Publish } from '../../src/engine/faces.ts';
import { secretOf } from '../support/world.ts';
import type { Dice } from './dice.ts';
import { profile } from './facts.ts';
import { MANNERS } from './network.ts';
import type { Manner } from './network.ts';
import type { Outside, SourceOutside } from './outside.ts';
import type { World } from './world.ts';

const PROVIDERS = ['adyen', 'altafinex', 'makapay', 'malipopay', 'paybell', 'serixpay', 'stripe'];
/** Whose formats endpoints are spoken to in. */
const FORMATS = ['paybell', 'paybell', 'paybell', 'malipopay', 'serixpay', 'stripe'];
const SCHEDULES = [['0s'], ['0s', '1s', '5s'], ['0s', '2s', '8s', '20s'], ['0s', '1s', '1s', '1s', '1s', '30s'], ['0s', '5s', '5s']];
/** How long a lease outlasts the call that it is for. */
const LEASE_MS = 60_000;
const MERCHANTS = ['default', 'other'];

/** What happens outside in one run: made of the seed, one happening after the other. */
export class Workload {
  readonly sources: SourceOutside[] = [];
  readonly #world: World;
  readonly #outside: Outside;
  readonly #dice: Dice;
  readonly #keyed: { readonly merchant: string; readonly item: Publish }[] = [];
  readonly #waiting: { readonly source: SourceOutside; readonly step: Step }[] = [];
  #made = 0;

  constructor(world: World, outside: Outside, dice: Dice) {
    this.#world = world;
    this.#outside = outside;
    this.#dice = dice;
  }

  get #still(): boolean {
    return this.#world.plan.nodes === 2;
  }

  /** Merchants, sources and endpoints, before anything goes wrong. */
  async furnish(engine: Engine): Promise<void> {
    const dice = this.#dice;
    const wait = async <Result>(work: Promise<Result>): Promise<Result> => {
      await this.#world.loop.until(this.#world.loop.now() + 60);
      return work;
    };
    await wait(engine.directory.createMerchant({ id: 'other', name: 'Other' }));
    for (const id of dice.shuffled(PROVIDERS).slice(0, dice.int(2, 3))) {
      const provider = profile(id);
      const merchant = dice.pick(MERCHANTS);
      const secret = secretOf(provider);
      const agreed = this.#still || !dice.chance(0.15) || provider.authenticity === 'none';
      const options = provider.exampleOptions;
      const given = agreed ? secret : secretOf(provider, 99);
      const source = await wait(engine.directory.createSource({ merchant, provider: id, secrets: [given], ...(options && { options }) }));
      this.sources.push({ id: source.id, merchant, provider, secret, agreed });
    }
    for (let n = dice.int(2, 4); n > 0; n--) await wait(engine.directory.createEndpoint(this.#newEndpoint()));
  }

  #newEndpoint(): NewEndpoint {
    const dice = this.#dice;
    const provider = dice.pick(FORMATS);
    return {
      merchant: dice.chance(0.7) ? (this.sources[0]?.merchant ?? 'default') : dice.pick(MERCHANTS),
      url: `https://shop.example/${(this.#made += 1)}`,
      provider,
      events: dice.pick([['*'], ['*'], ['*'], ['payment.*', 'transaction.*', 'refund.*']]),
      content: dice.pick(['event', 'event', 'request', provider === 'paybell' ? 'transaction' : 'event']),
      ordered: dice.chance(0.3),
      orderedWait: dice.pick([null, null, '1s', '10s']),
      skipStale: dice.chance(0.2),
      maxInFlight: dice.pick([1, 2, 4, 16]),
      retry: { delays: dice.pick(SCHEDULES) },
      ...(dice.chance(0.5) ? { timeout: dice.pick(['1s', '5s', '15s', '30s']) } : {}),
    };
  }

  /** The next happening. */
  step(): void {
    const { dice, world } = { dice: this.#dice, world: this.#world };
    const roll = dice.int(1, 100);
    if (world.plan.pauses && dice.chance(0.12)) this.#pause();
    else if (roll <= 40) this.#webhook();
    else if (roll <= 52) this.#publish();
    else if (roll <= 58) for (let n = dice.int(3, 12); n > 0; n--) this.#webhook();
    else if (roll <= 70) this.#mood();
    else if (roll <= 82) this.#directory();
    else if (roll <= 92) this.#byHand();
    else if (roll <= 94) world.leave(dice.pick(world.nodes), dice.pick([100, 3_000, 15_000]));
    else this.#webhook();
  }

  /** A process stands still, best of all while it calls somebody: until its lease has just ended and another one has taken over. */
  #pause(): void {
    const { dice, world } = { dice: this.#dice, world: this.#world };
    const open = world.network.calls.filter(({ life, result }) => life.alive && !life.paused && result === null);
    const call = open.length > 0 && dice.chance(0.7) ? dice.pick(open) : null;
    if (call === null) dice.pick(world.nodes).life?.pause(dice.pick([300, 5_000, 40_000, 80_000, 120_000]));
    else call.life.pause(call.at + LEASE_MS + call.request.deadlineMs - world.loop.now() + dice.int(-2_000, 9_000));
  }

  #webhook(): void {
    const dice = this.#dice;
    const { webhooks } = this.#outside;
    if (webhooks.length > 0 && dice.chance(0.2)) {
      const before = dice.pick(webhooks);
      if (dice.chance(0.7)) this.#outside.again(before);
      // The same id with something else in it.
      else this.#outside.send(before.source, { ...before.step, data: changed(before.step.data, dice.int(1, 9)) });
      return;
    }
    if (this.#waiting.length < 3) this.#tell();
    // What was told last often comes first.
    const next = this.#waiting.splice(dice.chance(0.6) ? 0 : dice.int(0, this.#waiting.length - 1), 1)[0];
    if (next === undefined) return;
    const { provider } = next.source;
    const faults =
      provider.authenticity === 'signed-body' ? (['bad-signature', 'no-signature', 'changed-body', 'invalid-json'] as const) : [];
    if (faults.length > 0 && provider.id !== 'adyen' && dice.chance(0.08)) this.#outside.send(next.source, next.step, dice.pick(faults));
    else this.#outside.send(next.source, next.step);
  }

  #tell(): void {
    const dice = this.#dice;
    const source = dice.pick(this.sources);
    const { provider } = source;
    const series = `s${dice.int(1, 4)}`;
    if (dice.chance(0.5)) {
      for (const step of this.#outside.story(provider, series)) this.#waiting.push({ source, step });
      return;
    }
    const type = dice.pick(Object.keys(provider.events));
    const id = `evt_${series}_${(this.#made += 1)}`;
    const data = forgeData(provider, { type, id, series });
    this.#waiting.push({ source, step: { type, id, data, occurredAt: this.#world.loop.now() - dice.int(0, 20_000), delayMs: 0 } });
  }

  #publish(): void {
    const dice = this.#dice;
    const merchant = dice.pick(MERCHANTS);
    if (this.#keyed.length > 0 && dice.chance(0.3)) {
      const { merchant: whose, item } = dice.pick(this.#keyed);
      this.#outside.publish(whose, [dice.chance(0.7) ? item : { ...item, data: withN(null, dice.int(1, 3)) }]);
      return;
    }
    const provider = profile('paybell');
    const items = Array.from({ length: dice.int(1, 3) }, (): Publish => {
      const n = (this.#made += 1);
      const type = dice.chance(0.8) ? dice.pick(Object.keys(provider.events)) : 'shop.opened';
      const data =
        type === 'shop.opened' ? withN(null, n) : withN(forgeData(provider, { type, id: `p${n}`, series: `p${dice.int(1, 4)}` }), n);
      const item = { type, data, provider: 'paybell', occurredAt: this.#world.loop.now() - dice.int(0, 5_000) };
      return dice.chance(0.4) ? { ...item, idempotencyKey: `k${n}` } : item;
    });
    const [only] = items;
    if (items.length === 1 && only !== undefined && !this.#still && dice.chance(0.15))
      items[0] = { ...only, url: `https://once.example/${merchant}/${dice.int(1, 2)}` };
    for (const item of items) if (item.idempotencyKey !== undefined) this.#keyed.push({ merchant, item });
    this.#outside.publish(merchant, items);
  }

  /** The weather changes: of one endpoint, or of the store. */
  #mood(): void {
    const { dice, world } = { dice: this.#dice, world: this.#world };
    const { hostility, storeTrouble } = world.plan;
    world.mood.trouble = dice.chance(0.5) ? storeTrouble : 0;
    if (storeTrouble > 0 && dice.chance(0.2)) {
      world.mood.down = true;
      world.note('the store is down');
      world.loop.after(dice.int(100, 12_000), () => {
        world.mood.down = false;
        world.note('the store is back');
      });
    }
    const urls = world.known.ids().flatMap((id) => world.known.last(id)?.url ?? []);
    if (urls.length === 0) return;
    const url = dice.pick(urls);
    const manners = MANNERS.filter((one) => one !== 'gone' || !this.#still);
    const manner: Manner = dice.chance(hostility) ? dice.pick(manners) : 'ok';
    world.network.manners.set(url, manner);
    world.note(`${url} is ${manner}`);
  }

  #directory(): void {
    const dice = this.#dice;
    // Several servers do not hear of each other's changes.
    if (this.#still) return this.#webhook();
    if (dice.chance(0.25)) return this.#agree();
    const ids = this.#world.known.ids().filter((id) => this.#world.known.last(id)?.deletedAt === null);
    if (ids.length === 0 || dice.chance(0.15)) {
      const made = this.#newEndpoint();
      this.#outside.call(`new endpoint ${made.url}`, ({ directory }) => directory.createEndpoint(made));
      return;
    }
    const id = dice.pick(ids);
    const roll = dice.int(1, 10);
    if (roll <= 3) this.#outside.call(`disable ${id}`, ({ directory }) => directory.changeEndpoint(null, id, { active: false }));
    else if (roll <= 6) this.#outside.call(`enable ${id}`, ({ directory }) => directory.changeEndpoint(null, id, { active: true }));
    else if (roll <= 7) this.#outside.call(`delete ${id}`, ({ directory }) => directory.deleteEndpoint(null, id));
    else if (roll <= 8)
      this.#outside.call(`rotate ${id}`, ({ directory }) => directory.rotateSecret(null, id, { overlapMs: dice.pick([0, 10_000]) }));
    else {
      const change = dice.pick([
        { events: ['*'] },
        { events: ['payment.*'] },
        { ordered: dice.chance(0.5) },
        { skipStale: dice.chance(0.5) },
      ]);
      this.#outside.call(`change ${id} ${JSON.stringify(change)}`, ({ directory }) => directory.changeEndpoint(null, id, change));
    }
  }

  /** A source is given the right secret, and what was kept back is judged again. */
  #agree(): void {
    const source = this.sources.find(({ agreed }) => agreed !== true);
    if (source === undefined) return this.#webhook();
    this.agree(source);
  }

  agree(source: SourceOutside): void {
    const { id, secret } = source;
    source.agreed = null;
    this.#outside.call(`the right secret for ${id}`, ({ directory }) => directory.changeSource(null, id, { secrets: [secret] }), {
      done: () => {
        source.agreed = true;
        this.reverify(source);
      },
    });
  }

  reverify(source: SourceOutside): void {
    this.#outside.judgedAgain.add(source.id);
    const kept = this.#outside.webhooks.filter((one) => one.source === source && one.rejected);
    this.#outside.call(`judge ${source.id} again`, (engine) => engine.reverify(null, source.id), {
      done: () => {
        for (const webhook of kept) {
          webhook.rejected = false;
          for (const fact of webhook.facts) fact.acked = true;
        }
      },
    });
  }

  /** Somebody sends again what was sent. */
  #byHand(): void {
    const { dice, world } = { dice: this.#dice, world: this.#world };
    const deliveries = world.books.deliveries();
    if (deliveries.length === 0) return;
    const { id, event, endpoint } = dice.pick(deliveries);
    const roll = dice.int(1, 10);
    if (roll <= 5) this.#outside.call(`retry ${id}`, (engine) => engine.retryDelivery(null, id));
    else if (roll <= 8)
      this.#outside.call(`resend ${event}`, (engine) => engine.resendEvent(null, event, dice.chance(0.5) ? endpoint : undefined));
    else {
      const since = world.loop.now() - 60_000;
      const status = dice.pick(['failed', 'succeeded'] as const);
      this.#outside.call(`resend what ${status}`, (engine) =>
        engine.resendMany({ merchant: 'default', since, status, dryRun: dice.chance(0.3) }),
      );
    }
  }
}

/** The same event with one number changed, as a provider in error would send it. */
function changed(data: JsonValue, digit: number): JsonValue {
  const text = stringifyJson(data);
  return parseJson(text.replace(/\d(?=\D*$)/, String(digit)));
}

/** No two published events say the same. */
function withN(data: JsonValue, n: number): JsonValue {
  return jsonObject({ ...(isJsonObject(data) ? data : { data }), n: new JsonNumber(String(n)) });
}
