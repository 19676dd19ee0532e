import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { held, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const item = { type: 'a.b', data: null };
const publish = (world: World, count: number) =>
  world.engine.publish(
    'default',
    Array.from({ length: count }, () => item),
  );
const to = (world: World, name: string) => world.calls.filter(({ request }) => request.url.endsWith(name));

describe('bulkheads', () => {
  test('an endpoint never has more calls in flight than its cap, and gets all in the end', async () => {
    const world = await makeWorld();
    await world.endpoint({ maxInFlight: 3 });
    const open: (() => void)[] = [];
    let most = 0;
    world.answer(() => {
      const call = held();
      open.push(() => call.end(200));
      most = Math.max(most, open.length);
      return call.result;
    });
    await publish(world, 40);
    for (let round = 0; round < 60; round++) {
      await world.advance(LOOK_MS);
      assert.ok(world.engine.gauges().inFlight <= 3);
      open.shift()?.();
    }
    await world.advance(LOOK_MS);
    assert.equal(most, 3);
    assert.equal(world.calls.length, 40);
    assert.equal(new Set(world.calls.map(({ request }) => request.headers['webhook-id'])).size, 40);
    assert.equal((await world.storage.facts()).delivered, 40);
    await world.stop();
  });

  test('endpoints that hang hold up nobody else', async () => {
    const world = await makeWorld();
    for (let n = 0; n < 10; n++) await world.endpoint({ url: `https://shop.example/hang${n}` });
    await world.endpoint({ url: 'https://shop.example/fine', events: ['late.*'] });
    world.answer(({ url }) => (url.endsWith('fine') ? 200 : held().result));
    await publish(world, 100);
    await world.advance(1000);
    const { at } = (await world.engine.publish('default', [{ type: 'late.one', data: null }]), { at: world.clock.now() });
    await world.advance(LOOK_MS);
    assert.equal(to(world, 'fine').length, 1);
    assert.equal(to(world, 'fine')[0]?.at, at, 'it is sent at once');
    assert.equal(world.engine.gauges().inFlight, 40, 'ten endpoints that have never answered hold four calls each');
    await world.stop();
  });

  test('a long queue does not go before a short one: endpoints take turns', async () => {
    const world = await makeWorld();
    await world.endpoint({ url: 'https://shop.example/long', events: ['long.*'], maxInFlight: 1 });
    await world.endpoint({ url: 'https://shop.example/short', events: ['short.*'], maxInFlight: 1 });
    await world.engine.publish(
      'default',
      Array.from({ length: 50 }, () => ({ type: 'long.one', data: null })),
    );
    await world.engine.publish(
      'default',
      Array.from({ length: 5 }, () => ({ type: 'short.one', data: null })),
    );
    await world.advance(60_000);
    assert.equal(world.calls.length, 55);
    const last = world.calls.findLastIndex(({ request }) => request.url.endsWith('short'));
    assert.ok(last < 20, `the short queue ended at call ${last}`);
    await world.stop();
  });

  test('a backlog of 300 retries and new events: all go out, and no retry goes before its time', async () => {
    const world = await makeWorld();
    await world.endpoint({ retry: { delays: ['0s', '5m'] }, maxInFlight: 4 });
    world.answer(400);
    await publish(world, 300);
    await world.advance(10_000);
    assert.equal(world.calls.length, 300);
    world.answer(200);
    world.jump(250_000);
    await world.advance(100);
    assert.equal(world.calls.length, 300, 'not one before five minutes have passed');
    await world.advance(60_000);
    await publish(world, 20);
    await world.advance(60_000);
    assert.equal(world.calls.length, 620);
    assert.deepEqual((await world.storage.facts()).delivered, 320);
    await world.stop();
  });

  test('an endpoint that is paused sends nothing; resumed, all that waited', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ maxInFlight: 1 });
    const first = held();
    world.answer((_request, index) => (index === 0 ? first.result : 200));
    await publish(world, 6);
    await world.advance(0);
    await world.engine.directory.changeEndpoint(null, id, { active: false });
    first.end(200);
    await world.advance(60_000);
    assert.equal(world.calls.length, 1);
    await world.engine.directory.changeEndpoint(null, id, { active: true });
    await world.advance(500);
    assert.equal(world.calls.length, 6);
    assert.ok(
      (await world.storage.listDeliveries({ merchant: null, limit: 9, cursor: null })).rows.every(
        ({ attemptCount, status }) => attemptCount === 1 && status === 'succeeded',
      ),
    );
    await world.stop();
  });

  test('an endpoint that is deleted while a commit runs: what the commit held for it ends, nothing is sent', async () => {
    const gate = Promise.withResolvers<void>();
    let slow = false;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get(target, name) {
            if (name !== 'record' || !slow) return Reflect.get(target, name);
            return (arrivals: Parameters<typeof storage.record>[0]) => gate.promise.then(() => target.record(arrivals));
          },
        }),
    });
    const id = await world.endpoint();
    slow = true;
    const publishing = publish(world, 3);
    await world.advance(0);
    await world.engine.directory.deleteEndpoint(null, id);
    await world.advance(10);
    gate.resolve();
    await publishing;
    await world.advance(10_000);
    const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 9, cursor: null });
    assert.deepEqual(
      rows.map(({ status, cause }) => `${status} ${cause}`),
      Array.from({ length: 3 }, () => 'failed endpoint_deleted'),
    );
    assert.equal(world.calls.length, 0);
    await world.stop();
  });

  test('an endpoint that is deleted: what flies is written, what waits ends, nothing is sent any more', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ maxInFlight: 1 });
    const first = held();
    world.answer(() => first.result);
    await publish(world, 5);
    await world.advance(0);
    await world.engine.directory.deleteEndpoint(null, id);
    await world.advance(100);
    first.end(500);
    await world.advance(3_600_000 / 10);
    const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 9, cursor: null });
    assert.deepEqual(rows.map(({ status, cause }) => `${status} ${cause}`).sort(), [
      ...Array.from({ length: 4 }, () => 'failed endpoint_deleted'),
      'failed http_5xx',
    ]);
    assert.equal(world.calls.length, 1);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
