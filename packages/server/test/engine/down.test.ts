import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answered, held, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const items = (count: number, type = 'a.b') => Array.from({ length: count }, () => ({ type, data: null }));
const rows = async (world: World) => (await world.storage.listDeliveries({ merchant: null, limit: 1_000, cursor: null })).rows;
const timedOut = () => Promise.resolve({ ...answered(200), status: null, cause: 'timeout' as const });
const now = (world: World, id: string) => world.engine.endpointNow(world.engine.directory.endpoint(null, id));

describe('an endpoint that is down', () => {
  test('what is due waits without burning tries or being failed, longer than its whole schedule; when it is back all goes out', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ retry: { delays: ['0s', '10s'] } });
    world.answer(500);
    await world.engine.publish('default', items(200));
    await world.advance(100);
    assert.equal(now(world, id).breaker, 'open');
    const spent = world.calls.length;
    assert.ok(spent < 20, `${spent} calls until it was taken for down`);
    assert.equal(world.engine.gauges().queued, 0, 'what was leased and not sent was given back');
    await world.advance(HOUR);
    const probes = world.calls.length - spent;
    assert.ok(probes >= 50 && probes <= 90, `${probes} probes in an hour`);
    const waiting = (await rows(world)).filter(({ attemptCount }) => attemptCount === 0);
    assert.ok(waiting.length >= 200 - world.calls.length);
    assert.ok(waiting.every(({ status }) => status === 'pending'));
    world.answer(200);
    await world.advance(5 * MINUTE);
    const all = await rows(world);
    assert.equal(all.filter(({ status }) => status === 'pending').length, 0);
    assert.ok(
      all.every(({ status, attemptCount }) => status === 'succeeded' || attemptCount === 2),
      'only those with two tries have failed',
    );
    assert.equal(now(world, id).breaker, 'closed');
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('new deliveries are recorded as due and not leased; one probe at a time, each later than the one before', async () => {
    const world = await makeWorld();
    await world.endpoint();
    world.answer(502);
    await world.engine.publish('default', items(20));
    await world.advance(LOOK_MS);
    const before = world.calls.length;
    await world.engine.publish('default', items(10, 'late.one'));
    await world.advance(100);
    const late = (await rows(world)).filter(({ eventType }) => eventType === 'late.one');
    assert.ok(late.every(({ attemptCount, status }) => attemptCount === 0 && status === 'pending'));
    assert.equal(world.calls.length, before, 'nothing is sent');
    const probe = held();
    world.answer(() => probe.result);
    await world.advance(10 * MINUTE);
    assert.equal(world.calls.length, before + 1, 'while the probe is on its way nothing else is');
    world.answer(502);
    probe.end(502);
    await world.advance(5 * MINUTE);
    const times = world.calls.slice(before).map(({ at }) => at);
    const waits = times.slice(2).map((at, n) => at - (times[n + 1] ?? 0));
    assert.ok(waits.length >= 4);
    for (const [n, wait] of waits.entries())
      assert.ok(wait >= Math.min(48_000, 6_400 * 2 ** n) && wait <= 72_000 + LOOK_MS, `wait ${n}: ${wait}`);
    await world.stop();
  });

  test('when it is back it gets one call, then twice as many every five seconds', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ maxInFlight: 64 });
    world.answer(503);
    await world.engine.publish('default', items(900));
    await world.advance(1_000);
    let flying = 0;
    let most = 0;
    world.answer(() => {
      most = Math.max(most, (flying += 1));
      return new Promise((resolve) => {
        world.timers.after(500, () => {
          flying -= 1;
          resolve(answered(200));
        });
      });
    });
    const peaks: number[] = [];
    for (let n = 0; n < 7; n++) {
      most = 0;
      await world.advance(5_000);
      peaks.push(most);
    }
    assert.equal(peaks[0], 1);
    for (const [n, peak] of peaks.entries()) assert.ok(peak <= 2 ** (n + 1) && peak >= (peaks[n - 1] ?? 0), `peaks ${peaks.join()}`);
    assert.ok((peaks.at(-1) ?? 0) >= 32, `peaks ${peaks.join()}`);
    assert.equal(now(world, id).breaker, 'closed');
    await world.stop();
  });

  test('Retry-After of an endpoint that is overloaded holds all of it back', async () => {
    const world = await makeWorld();
    const id = await world.endpoint();
    world.answer({ status: 503, headers: { 'retry-after': '600' } });
    await world.engine.publish('default', items(50));
    await world.advance(100);
    const before = world.calls.length;
    world.answer(200);
    await world.advance(599_000);
    assert.equal(world.calls.length, before);
    assert.equal(now(world, id).breaker, 'open');
    await world.advance(2_000);
    assert.ok(world.calls.length > before);
    await world.stop();
  });

  test('a body that one endpoint cannot digest parks nothing', async () => {
    const world = await makeWorld();
    const id = await world.endpoint({ retry: { delays: ['0s', '1s', '1s', '1s', '1s', '1s', '1s', '1s', '1s', '1s'] }, maxInFlight: 1 });
    world.answer(({ body }) => (Buffer.from(body).includes('poison') ? 500 : 200));
    await world.engine.publish('default', [{ type: 'a.b', data: 'poison' }]);
    await world.advance(20_000);
    assert.equal(world.calls.length, 10);
    assert.equal(now(world, id).breaker, 'closed');
    await world.engine.publish('default', items(1));
    await world.advance(0);
    assert.equal(world.calls.length, 11);
    await world.stop();
  });

  test('whoever changes it, or enables it again, sees it tried at once', async () => {
    const world = await makeWorld();
    const id = await world.endpoint();
    world.answer(timedOut);
    await world.engine.publish('default', items(20));
    await world.advance(1_000);
    assert.equal(now(world, id).breaker, 'open');
    world.answer(200);
    await world.engine.directory.changeEndpoint(null, id, { url: 'https://new.example/hook' });
    await world.advance(LOOK_MS);
    assert.ok(world.calls.some(({ request }) => request.url.startsWith('https://new.example')));
    assert.equal(now(world, id).breaker, 'closed');
    await world.stop();
  });

  test('enabled or changed while it is still down it costs one try, not as many as go at once', async () => {
    const world = await makeWorld();
    const id = await world.endpoint();
    world.answer(timedOut);
    await world.engine.publish('default', items(40));
    await world.advance(1_000);
    for (const change of [{ active: false }, { active: true }, { timeout: '5s' }]) {
      const calls = world.calls.length;
      await world.engine.directory.changeEndpoint(null, id, change);
      await world.advance(LOOK_MS);
      assert.equal(world.calls.length - calls, change.active === false ? 0 : 1, JSON.stringify(change));
    }
    world.answer(200);
    await world.advance(120_000);
    assert.ok((await rows(world)).every(({ status }) => status === 'succeeded'));
    await world.stop();
  });

  test('what a commit held for it when it was taken for down is given back untried', async () => {
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
    await world.endpoint();
    const calls = Array.from({ length: 5 }, () => held());
    world.answer((_request, index) => calls[index]?.result ?? 200);
    await world.engine.publish('default', items(5));
    await world.advance(0);
    slow = true;
    const publishing = world.engine.publish('default', items(2, 'late.one'));
    for (const call of calls) call.end(500);
    await world.advance(0);
    assert.equal(world.engine.gauges().openBreakers, 1);
    gate.resolve();
    await publishing;
    await world.advance(0);
    const late = (await rows(world)).filter(({ eventType }) => eventType === 'late.one');
    assert.deepEqual(
      late.map(({ status, attemptCount }) => `${status} ${attemptCount}`),
      ['pending 0', 'pending 0'],
    );
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
