import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tempDir } from '../support/server.ts';
import { held, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const items = (count: number) => Array.from({ length: count }, () => ({ type: 'a.b', data: null }));
const rows = async (world: World) => (await world.storage.listDeliveries({ merchant: null, limit: 500, cursor: null })).rows;
const of = (world: World, id: string) => world.engine.directory.endpoint(null, id);

describe('an endpoint that does nothing but fail', () => {
  test('is disabled after its time, what waits stays pending with its tries, and goes out when it is enabled again', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ disableAfter: '1h', retry: { delays: ['0s', '10m', '10m'] } });
    const told: string[] = [];
    world.engine.observe.on('endpoint', ({ happened, reason }) => told.push(`${happened} ${reason}`));
    world.answer(500);
    await world.engine.publish('default', items(100));
    await world.advance(HOUR - MINUTE);
    assert.equal(of(world, id).active, true);
    await world.advance(3 * MINUTE);
    assert.deepEqual([of(world, id).active, of(world, id).disabledReason], [false, 'failing']);
    assert.equal(told.filter((line) => line === 'disabled failing').length, 1);
    const spent = world.calls.length;
    await world.advance(48 * HOUR);
    assert.equal(world.calls.length, spent, 'nothing is sent to it any more');
    const waiting = (await rows(world)).filter(({ status }) => status === 'pending');
    assert.ok(waiting.length >= 60 && waiting.filter(({ attemptCount }) => attemptCount === 0).length > 20, `${waiting.length} wait`);
    world.answer(200);
    await world.engine.directory.changeEndpoint(null, id, { active: true });
    await world.advance(MINUTE);
    assert.deepEqual([of(world, id).active, of(world, id).disabledReason], [true, null]);
    assert.ok(
      (await rows(world)).every(({ status, attemptCount }) => status === 'succeeded' || (status === 'failed' && attemptCount === 3)),
    );
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('its time goes on over a restart, and a new process begins with one probe', async () => {
    const dir = tempDir();
    const first = await makeWorld({ dir: dir.path });
    const id = await first.endpoint({ disableAfter: '2h' });
    first.answer(500);
    await first.engine.publish('default', items(50));
    await first.advance(90 * MINUTE);
    assert.equal(of(first, id).active, true);
    // A crash: nothing more is written.
    const next = first.another();
    const calls = first.calls.length;
    const probe = held();
    first.answer(() => probe.result);
    await next.start();
    await first.advance(20 * LOOK_MS);
    assert.ok(first.calls.length - calls <= 2, 'one call of either process finds out');
    probe.end(500);
    first.answer(500);
    await first.advance(29 * MINUTE);
    assert.equal(next.directory.endpoint(null, id).active, true);
    await first.advance(4 * MINUTE);
    assert.equal(next.directory.endpoint(null, id).disabledReason, 'failing');
    assert.equal((await first.storage.loadFailing()).length, 1);
    await next.directory.deleteEndpoint(null, id);
    await first.advance(LOOK_MS);
    assert.deepEqual(await first.storage.loadFailing(), [], 'a deleted one is forgotten');
    await next.stop(0);
    await first.stop();
    dir.remove();
  });

  test('one success begins its time anew, also one that only the store knows of', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ disableAfter: '1h', retry: { delays: ['0s'] } });
    const other = world.another();
    await other.start();
    const tick = async (engine: World['engine'], status: number): Promise<void> => {
      world.answer(status);
      await engine.publish('default', items(1));
      await world.advance(5 * MINUTE);
    };
    for (let n = 0; n < 11; n++) await tick(world.engine, 400);
    await tick(other, 200);
    for (let n = 0; n < 6; n++) await tick(world.engine, 400);
    assert.equal(of(world, id).active, true, 'another process saw it succeed');
    for (let n = 0; n < 4; n++) await tick(world.engine, 400);
    await tick(world.engine, 200);
    for (let n = 0; n < 11; n++) await tick(world.engine, 400);
    assert.equal(of(world, id).active, true);
    await tick(world.engine, 400);
    await tick(world.engine, 400);
    assert.equal(of(world, id).disabledReason, 'failing');
    await other.stop(0);
    await world.stop();
  });

  test('never, where it says so; five days otherwise', async () => {
    const world = await makeWorld();
    const never = await world.endpoint({ disableAfter: 'never', url: 'https://never.example/', retry: { delays: ['0s'] } });
    const usual = await world.endpoint({ retry: { delays: ['0s'] } });
    world.answer(404);
    for (let n = 0; n < 10; n++) {
      await world.engine.publish('default', items(1));
      world.jump(12 * HOUR);
      await world.advance(LOOK_MS);
    }
    assert.equal(of(world, usual).active, true);
    await world.engine.publish('default', items(1));
    await world.advance(LOOK_MS);
    assert.deepEqual([of(world, usual).disabledReason, of(world, never).active], ['failing', true]);
    await assert.rejects(world.engine.directory.changeEndpoint(null, never, { disableAfter: '5s' }), /"1m" to "366d", or "never"/);
    await world.stop();
  });

  test('one that is disabled while calls are in flight: their results stand, their tries are kept', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ retry: { delays: ['0s', '1m'] } });
    const call = held();
    world.answer(() => call.result);
    await world.engine.publish('default', items(1));
    await world.advance(0);
    await world.engine.directory.changeEndpoint(null, id, { active: false });
    call.end(500);
    await world.advance(HOUR);
    const [row] = await rows(world);
    assert.deepEqual([row?.status, row?.attemptCount, world.calls.length], ['pending', 1, 1]);
    world.answer(200);
    await world.engine.directory.changeEndpoint(null, id, { active: true });
    await world.advance(LOOK_MS);
    assert.equal((await rows(world))[0]?.status, 'succeeded');
    await world.stop();
  });

  test('what is written of it is written when it begins and ends, not with each attempt', async () => {
    let writes = 0;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get(target, name) {
            if (name === 'saveFailing') writes += 1;
            return Reflect.get(target, name);
          },
        }),
    });
    await world.endpoint({ retry: { delays: ['0s'] } });
    for (let n = 0; n < 100; n++) {
      world.answer(n % 2 === 0 ? 400 : 200);
      await world.engine.publish('default', items(1));
      await world.advance(1_000);
    }
    assert.equal(writes, 0, 'flapping costs nothing');
    world.answer(400);
    for (let n = 0; n < 100; n++) {
      await world.engine.publish('default', items(1));
      await world.advance(10_000);
    }
    assert.equal(writes, 1);
    world.answer(200);
    await world.engine.publish('default', items(1));
    await world.advance(1_000);
    assert.equal(writes, 2);
    assert.deepEqual(await world.storage.loadFailing(), []);
    await world.stop();
  });
});
