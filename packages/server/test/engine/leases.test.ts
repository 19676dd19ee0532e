import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { held, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const publish = (world: World, count: number) =>
  world.engine.publish(
    'default',
    Array.from({ length: count }, () => ({ type: 'a.b', data: null })),
  );
const rows = async (world: World) => (await world.storage.listDeliveries({ merchant: null, limit: 100, cursor: null })).rows;

describe('leases', () => {
  test('stop waits for what is in flight and gives the rest back untried; another engine sends it at once', async () => {
    const world = await makeWorld();
    await world.endpoint({ maxInFlight: 2 });
    const calls = [held(), held()];
    world.answer((_request, index) => calls[index]?.result ?? 200);
    await publish(world, 4);
    await world.advance(0);
    assert.equal(world.engine.gauges().queued, 2);
    let stopped = false;
    const stopping = world.engine.stop(10_000).then(() => (stopped = true));
    await world.advance(1000);
    assert.equal(stopped, false);
    for (const call of calls) call.end(200);
    await world.advance(0);
    await stopping;
    assert.deepEqual((await rows(world)).map(({ status, attemptCount }) => `${status} ${attemptCount}`).sort(), [
      'pending 0',
      'pending 0',
      'succeeded 1',
      'succeeded 1',
    ]);
    const next = world.another();
    await next.start();
    await world.advance(LOOK_MS);
    assert.equal(world.calls.length, 4);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await next.stop(0);
    await world.stop();
  });

  test('stop ends in time though a call hangs and the store is down', async () => {
    let down = false;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get: (target, name) =>
            down && (name === 'settle' || name === 'release') ? () => Promise.reject(new Error('gone')) : Reflect.get(target, name),
        }),
    });
    await world.endpoint({ maxInFlight: 2 });
    world.answer((_request, index) => (index === 0 ? 200 : held().result));
    down = true;
    await publish(world, 6);
    await world.advance(0);
    let stopped = false;
    void world.engine.stop(3000).then(() => (stopped = true));
    await world.advance(2999);
    assert.equal(stopped, false);
    await world.advance(1);
    assert.equal(stopped, true);
    down = false;
    await world.stop();
  });

  test('a claim that comes back after the stop is given back', async () => {
    const gate = Promise.withResolvers<void>();
    let slow = false;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get(target, name) {
            if (name !== 'claim' || !slow) return Reflect.get(target, name);
            return async (claim: Parameters<typeof storage.claim>[0]) => {
              const claimed = await target.claim(claim);
              await gate.promise;
              return claimed;
            };
          },
        }),
    });
    const id = await world.endpoint({ active: false });
    await publish(world, 1);
    await world.engine.resendMany({ merchant: 'default', since: 0, endpoint: id });
    await world.advance(0);
    slow = true;
    await world.engine.directory.changeEndpoint(null, id, { active: true });
    await world.advance(LOOK_MS);
    const stopping = world.engine.stop(10_000);
    gate.resolve();
    await world.advance(0);
    await stopping;
    assert.deepEqual(
      (await rows(world)).map(({ status, attemptCount }) => `${status} ${attemptCount}`),
      ['pending 0'],
    );
    assert.equal(world.calls.length, 0);
    await world.stop();
  });

  for (const [name, done] of [
    ['record', true],
    ['claim', true],
    ['addDeliveries', true],
    ['release', true],
    ['release', false],
  ] as const) {
    test(`${name} ${done ? 'whose answer is lost' : 'that fails'} costs a moment, not a lease, and nothing is sent twice`, async () => {
      let state: 'fine' | 'armed' | 'down' = 'fine';
      const world = await makeWorld({
        wrap: (storage) =>
          new Proxy(storage, {
            get(target, asked) {
              const method = Reflect.get(target, asked) as (argument: unknown) => Promise<unknown>;
              if (typeof method !== 'function') return method;
              return async (argument: unknown) => {
                if (state === 'fine' || (state === 'armed' && asked !== name)) return method(argument);
                // What was asked for stands; from then on nothing comes through for a while.
                if (state === 'armed' && done) await method(argument);
                state = 'down';
                throw Object.assign(new Error('the connection was lost'), { unsure: true });
              };
            },
          }),
      });
      const id = await world.endpoint({ maxInFlight: 1 });
      const call = held();
      world.answer((_request, index) => (index === 0 ? call.result : 200));
      if (name !== 'record') await publish(world, name === 'addDeliveries' ? 1 : 6);
      const [first] = await rows(world);
      state = 'armed';
      if (name === 'record') await assert.rejects(publish(world, 1), { code: 'store_down' });
      else if (name === 'addDeliveries') await assert.rejects(world.engine.resendEvent(null, first?.event ?? '', id));
      else if (name === 'claim') call.end(200);
      else await world.engine.directory.changeEndpoint(null, id, { active: false }).catch(() => undefined);
      await world.advance(3_000);
      assert.equal(state as string, 'down');
      state = 'fine';
      if (name === 'release') await world.engine.directory.changeEndpoint(null, id, { active: true });
      call.end(200);
      await world.advance(8_000);
      const all = await rows(world);
      assert.deepEqual([...new Set(all.map(({ status, attemptCount }) => `${status} ${attemptCount}`))], ['succeeded 1']);
      assert.equal(world.calls.length, all.length);
      assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
      await world.stop();
    });
  }

  test('what a process that was killed had in flight is taken over at once: the same bytes, its attempt unknown, no try burnt', async () => {
    const world = await makeWorld();
    await world.endpoint({ retry: { delays: ['0s', '1m'] } });
    world.answer((_request, index) => (index < 3 ? held().result : 200));
    await publish(world, 3);
    await world.advance(0);
    const next = world.another();
    await next.start();
    await world.advance(LOOK_MS);
    assert.equal(world.calls.length, 6);
    for (const id of new Set(world.calls.map(({ request }) => request.headers['webhook-id']))) {
      const [first, second] = world.calls.filter(({ request }) => request.headers['webhook-id'] === id);
      assert.deepEqual(second?.request.body, first?.request.body);
    }
    for (const { id } of await rows(world)) {
      const { attempts } = (await world.storage.getDelivery({ merchant: null, id })) ?? { attempts: [] };
      assert.deepEqual(
        attempts.map(({ n, outcome }) => `${n} ${outcome}`),
        ['1 unknown', '2 succeeded'],
      );
    }
    await next.stop(0);
    await world.stop();
  });

  test('the result of a lease that ran out while it was in flight is fenced: written by nobody, counted once', async () => {
    const world = await makeWorld();
    await world.endpoint();
    const late = held();
    world.answer((_request, index) => (index === 0 ? late.result : 200));
    await publish(world, 1);
    await world.advance(0);
    await world.advance(90_000);
    assert.equal(world.calls.length, 2, 'its lease ended, so it was sent once more');
    late.end(500);
    await world.advance(1000);
    const [row] = await rows(world);
    assert.deepEqual([row?.status, row?.attemptCount], ['succeeded', 2]);
    const { attempts } = (await world.storage.getDelivery({ merchant: null, id: row?.id ?? '' })) ?? { attempts: [] };
    assert.deepEqual(
      attempts.map(({ n, outcome }) => `${n} ${outcome}`),
      ['1 unknown', '2 succeeded'],
    );
    assert.ok(world.troubles.some((text) => /after its lease was taken over/.test(text)));
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('a lease that ran out in the queue is not given back: it is another try by then, and is sent once', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ maxInFlight: 4 });
    const first = held();
    world.answer((_request, index) => (index < 4 ? first.result : 200));
    await publish(world, 5);
    await world.advance(0);
    const flying = new Set(world.calls.map(({ request }) => request.headers['webhook-id']));
    assert.deepEqual([flying.size, world.engine.gauges().queued], [4, 1]);
    // All leases end while four calls hang; with more room, all five are claimed again while the first copy of the last one still waits.
    world.jump(100_000);
    await world.engine.directory.changeEndpoint(null, id, { maxInFlight: 16 });
    await world.advance(100);
    first.end(200);
    await world.advance(100_000);
    assert.equal(world.calls.filter(({ request }) => !flying.has(request.headers['webhook-id'])).length, 1);
    assert.ok((await rows(world)).every(({ status }) => status === 'succeeded'));
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('a machine that was suspended: leases that are over are not given back, and every delivery ends once', async () => {
    const world = await makeWorld();
    await world.endpoint({ maxInFlight: 1 });
    const first = held();
    world.answer((_request, index) => (index === 0 ? first.result : 200));
    await publish(world, 3);
    await world.advance(0);
    world.jump(600_000);
    first.end(200);
    await world.advance(120_000);
    const all = await rows(world);
    assert.ok(all.every(({ status }) => status === 'succeeded'));
    assert.ok(world.calls.length <= 4, `${world.calls.length} calls for 3 events: only the one in flight may come twice`);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
