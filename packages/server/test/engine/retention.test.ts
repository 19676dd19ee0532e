import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/engine/refusal.ts';
import type { Retention } from '../../src/engine/upkeep.ts';
import type { Expired, ExpiryStep, Storage } from '../../src/storage/contract.ts';
import { makeWorld, profile, secretOf } from '../support/world.ts';
import type { World } from '../support/world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const RETENTION: Retention = { bodiesMs: 30 * DAY, attemptsMs: 10 * DAY, quarantineMs: 7 * DAY };

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const requests = async (world: World) => (await world.storage.listRequests({ merchant: null, limit: 500, cursor: null })).rows;
const deliveries = async (world: World) => (await world.storage.listDeliveries({ merchant: null, limit: 500, cursor: null })).rows;
const content = async (world: World, id: string) => {
  const found = await world.storage.getEvent({ merchant: null, id });
  assert.ok(found);
  return found;
};

interface Step extends ExpiryStep {
  readonly at: number;
  readonly done: Expired;
}

/** A store that notes every step, and fails those that `fails` says. */
function watched(steps: Step[], clock: () => number, fails: () => boolean = () => false): (storage: Storage) => Storage {
  return (storage) =>
    new Proxy(storage, {
      get(target, name) {
        if (name !== 'expire') return Reflect.get(target, name);
        return async (step: ExpiryStep) => {
          if (fails()) throw new Error('the disk is slow today');
          const done = await target.expire(step);
          steps.push({ ...step, at: clock(), done });
          return done;
        };
      },
    });
}

describe('retention', () => {
  test('bodies and attempts go, each after its own time; keys, ledger and counts stay; what is gone is refused with a sentence', async () => {
    const world = await makeWorld({ retention: RETENTION });
    await world.endpoint();
    const source = await world.source('serixpay');
    await world.receive(source, { type: 'payment.completed', id: 'evt_1', series: 'one' });
    const [mine] = await world.engine.publish('default', [{ type: 'order.paid', data: 'one', idempotencyKey: 'once' }]);
    await world.advance(1000);
    const id = mine?.id ?? '';
    const [sent] = await deliveries(world);
    const [before] = (await world.storage.listTransactions({ merchant: null, limit: 9, cursor: null })).rows;

    world.jump(11 * DAY);
    await world.advance(2 * MINUTE);
    const first = await world.storage.getDelivery({ merchant: null, id: sent?.id ?? '' });
    assert.deepEqual([first?.attempts[0]?.requestHeaders, first?.attempts[0]?.statusCode, first?.expiredAt], [null, 200, null]);
    assert.ok((first?.attempts[0]?.expiredAt ?? 0) > 0);
    await world.engine.resendEvent('default', id);
    await world.advance(1000);

    world.jump(20 * DAY);
    await world.advance(2 * MINUTE);
    assert.deepEqual(
      (await requests(world)).map(({ headers, expiredAt }) => [headers, expiredAt === null]),
      [['[]', false]],
    );
    assert.equal((await content(world, id)).event.data, null);
    assert.equal(world.engine.dataOf(await content(world, id)), null);
    await assert.rejects(world.engine.resendEvent('default', id), refused('expired'));
    await assert.rejects(world.engine.retryDelivery('default', sent?.id ?? ''), refused('expired'));
    const calls = world.calls.length;
    assert.deepEqual(await world.engine.resendMany({ merchant: 'default', since: 0 }), {
      events: 0,
      deliveries: 0,
      dryRun: false,
      resend: null,
    });

    assert.equal((await world.receive(source, { type: 'payment.completed', id: 'evt_1', series: 'one' })).kind, 'duplicate');
    const [repeat] = await world.engine.publish('default', [{ type: 'order.paid', data: 'one', idempotencyKey: 'once' }]);
    assert.deepEqual(repeat, { id, deliveries: 2, duplicate: true });
    await assert.rejects(
      world.engine.publish('default', [{ type: 'order.paid', data: 'two', idempotencyKey: 'once' }]),
      refused('idempotency_conflict'),
    );
    await world.advance(1000);
    assert.equal(world.calls.length, calls);
    assert.deepEqual((await world.storage.listTransactions({ merchant: null, limit: 9, cursor: null })).rows, [before]);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    assert.deepEqual(world.troubles, []);
    await world.stop();
  });

  test('an endpoint that is down for longer than bodies are kept gets every byte when it comes back', async () => {
    const world = await makeWorld({ retention: { ...RETENTION, bodiesMs: 2 * DAY } });
    await world.endpoint({ url: 'https://shop.example/request', content: 'request', retry: { delays: ['0s', '3d'] } });
    const parked = await world.endpoint({ url: 'https://shop.example/parked' });
    const source = await world.source('serixpay');
    world.answer(503);
    await world.engine.directory.changeEndpoint(null, parked, { active: false });
    await world.receive(source, { type: 'payment.completed', id: 'evt_1' });
    await world.advance(1000);
    world.answer(200);
    world.jump(2 * DAY + HOUR);
    await world.advance(2 * MINUTE);
    assert.equal((await requests(world))[0]?.expiredAt, null);
    world.jump(DAY);
    await world.advance(2 * MINUTE);
    const [failed, right] = world.calls;
    assert.equal(world.calls.length, 2);
    assert.ok((right?.request.body.byteLength ?? 0) > 0);
    assert.deepEqual(right?.request.body, failed?.request.body);
    world.jump(7 * HOUR);
    await world.advance(2 * MINUTE);
    assert.ok(((await requests(world))[0]?.expiredAt ?? 0) > 0);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('under load: no step looks at more than fifty rows, steps leave the store nine tenths of its time, all of it goes', async () => {
    const steps: Step[] = [];
    let clock = (): number => 0;
    const world = await makeWorld({ retention: RETENTION, wrap: watched(steps, () => clock()) });
    clock = world.clock.now;
    await world.endpoint({ maxInFlight: 50 });
    const many = (count: number) => Array.from({ length: count }, () => ({ type: 'a.b', data: 'x'.repeat(200) }));
    await world.engine.publish('default', many(1000));
    await world.advance(5000);
    world.jump(40 * DAY);
    let published = 0;
    for (let n = 0; n < 40; n++) {
      await world.engine.publish('default', many(10));
      published += 10;
      await world.advance(100);
    }
    await world.advance(MINUTE);
    const events = steps.filter(({ what, done }) => what === 'events' && done.expired > 0);
    assert.equal(
      events.reduce((sum, { done }) => sum + done.expired, 0),
      1000,
    );
    assert.ok(steps.every(({ rows, bytes, done }) => rows <= 50 && bytes <= 1024 * 1024 && done.expired + done.keptBack <= rows));
    assert.ok(events.length >= 20, `${events.length} steps`);
    assert.ok(events.every(({ at }, index) => index === 0 || at - (events[index - 1]?.at ?? 0) >= 10));
    const rows = await deliveries(world);
    assert.equal(world.calls.length, 1000 + published);
    assert.ok(rows.every(({ status }) => status === 'succeeded'));
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('the quarantine of a source that nobody calls any more, or that was deleted, goes by its age', async () => {
    const world = await makeWorld({ retention: RETENTION });
    const quiet = await world.source('serixpay');
    const deleted = await world.source('makapay');
    for (const source of [quiet, deleted]) await world.receive(source, { type: 'payment.completed', fault: 'bad-signature' });
    await world.engine.directory.deleteSource(null, deleted.id);
    world.jump(6 * DAY);
    await world.advance(2 * MINUTE);
    assert.equal((await requests(world)).length, 2);
    world.jump(DAY);
    await world.advance(2 * MINUTE);
    assert.equal((await requests(world)).length, 0);
    await world.stop();
  });

  test('a quarantined request may be judged again to its last day, and then expires as any other', async () => {
    const world = await makeWorld({ retention: { ...RETENTION, bodiesMs: 8 * DAY } });
    const right = secretOf(profile('serixpay'), 11);
    const source = await world.source('serixpay');
    await world.receive(source, { type: 'payment.completed', secret: right, id: 'evt_1' });
    world.jump(7 * DAY - HOUR);
    await world.advance(2 * MINUTE);
    await world.engine.directory.changeSource(null, source.id, { addSecret: right });
    assert.deepEqual(await world.engine.reverify(null, source.id), { checked: 1, accepted: 1, rejected: 0 });
    await world.advance(HOUR);
    assert.deepEqual(
      (await requests(world)).map(({ verdict, expiredAt }) => [verdict, expiredAt]),
      [['accepted', null]],
    );
    world.jump(DAY);
    await world.advance(2 * MINUTE);
    assert.ok(((await requests(world))[0]?.expiredAt ?? 0) > 0);
    await world.stop();
  });

  test('bodies bound the quarantine too; forever drops nothing and asks nothing', async () => {
    const steps: Step[] = [];
    const never = await makeWorld({ wrap: watched(steps, () => 0) });
    const source = await never.source('serixpay');
    await never.receive(source, { type: 'payment.completed' });
    never.jump(10_000 * DAY);
    await never.advance(10 * MINUTE);
    assert.deepEqual([steps.length, (await requests(never))[0]?.expiredAt], [0, null]);
    await never.stop();
    const short = await makeWorld({ retention: { bodiesMs: DAY, attemptsMs: null, quarantineMs: null } });
    const other = await short.source('serixpay');
    await short.receive(other, { type: 'payment.completed', fault: 'no-signature' });
    short.jump(DAY);
    await short.advance(2 * MINUTE);
    assert.equal((await requests(short)).length, 0);
    await short.stop();
  });

  test('a store that fails is asked again at the next round; a stop in the middle ends at once, and the next life goes on', async () => {
    const steps: Step[] = [];
    let down = false;
    const world = await makeWorld({
      retention: RETENTION,
      wrap: watched(
        steps,
        () => 0,
        () => down,
      ),
    });
    await world.engine.publish(
      'default',
      Array.from({ length: 250 }, () => ({ type: 'a.b', data: null })),
    );
    world.jump(40 * DAY);
    down = true;
    await world.advance(2 * MINUTE);
    assert.ok(world.troubles.includes('content could not expire; trying again'));
    down = false;
    while (!steps.some(({ what, done }) => what === 'events' && done.expired > 0)) await world.advance(10);
    await world.engine.stop(0);
    const before = steps.length;
    await world.advance(5 * MINUTE);
    assert.equal(steps.length, before);
    const next = world.another();
    await next.start();
    await world.advance(2 * MINUTE);
    assert.equal(
      steps.reduce((sum, { what, done }) => sum + (what === 'events' ? done.expired : 0), 0),
      250,
    );
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await next.stop(0);
    await world.stop();
  });
});
