import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answered, LOOK_MS, makeWorld } from '../support/world.ts';

const MINUTE = 60_000;
const items = (count: number, type = 'a.b') => Array.from({ length: count }, () => ({ type, data: null }));
const timedOut = () => Promise.resolve({ ...answered(200), status: null, cause: 'timeout' as const });

describe('isolation', () => {
  test('a hundred and thirty endpoints that hang hold up none of the others of the same merchant', async () => {
    const world = await makeWorld();
    for (let n = 0; n < 130; n++)
      await world.engine.directory.createEndpoint({ merchant: 'default', url: `https://hang.example/${n}`, events: ['hang.*'] });
    for (let n = 0; n < 10; n++)
      await world.engine.directory.createEndpoint({ merchant: 'default', url: `https://fine.example/${n}`, events: ['fine.*'] });
    await world.advance(LOOK_MS);
    world.answer(({ url }) => {
      if (!url.startsWith('https://hang')) return 200;
      return new Promise((resolve) => world.timers.after(15_000, () => void timedOut().then(resolve)));
    });
    await world.engine.publish('default', items(6, 'hang.one'));
    await world.advance(LOOK_MS);
    await world.advance(3_000);
    assert.equal(world.engine.gauges().inFlight, 520, 'more than there are young places');
    const lag: number[] = [];
    for (let n = 0; n < 15; n++) {
      const before = world.calls.length;
      await world.engine.publish('default', items(1, 'fine.one'));
      await world.engine.publish('default', items(1, 'hang.one'));
      const at = world.clock.now();
      await world.advance(100);
      const fine = world.calls.slice(before).filter(({ request }) => request.url.startsWith('https://fine'));
      assert.equal(fine.length, 10);
      lag.push(...fine.map((call) => call.at - at));
    }
    assert.equal(Math.max(...lag), 0, 'every one of them went out at once');
    await world.advance(15_000);
    const spent = world.calls.length;
    await world.advance(2 * MINUTE);
    const probes = world.calls.length - spent;
    assert.equal(world.engine.gauges().openBreakers, 130);
    assert.ok(probes <= 130 * 5, `${probes} probes in two minutes`);
    await world.stop();
  });

  test('sixty endpoints of one merchant take no more turns than the one endpoint of another', async () => {
    const world = await makeWorld();
    for (const id of ['big', 'small']) await world.engine.directory.createMerchant({ id, name: id });
    for (let n = 0; n < 60; n++) await world.engine.directory.createEndpoint({ merchant: 'big', url: `https://big.example/${n}` });
    await world.engine.directory.createEndpoint({ merchant: 'small', url: 'https://small.example/' });
    await world.advance(LOOK_MS);
    world.answer(() => new Promise((resolve) => world.timers.after(50, () => resolve(answered(200)))));
    await world.engine.publish('big', items(15));
    await world.advance(20);
    const before = world.calls.length;
    await world.engine.publish('small', items(20));
    const at = world.clock.now();
    await world.advance(2_000);
    const mine = world.calls.slice(before).filter(({ request }) => request.url.startsWith('https://small'));
    assert.equal(mine.length, 20);
    assert.ok((mine[3]?.at ?? Infinity) - at <= 50, 'the first four go at once');
    assert.ok((mine.at(-1)?.at ?? Infinity) - at <= 300, `the last one after ${(mine.at(-1)?.at ?? 0) - at} ms`);
    assert.ok(world.calls.length > before + 200, 'while the other one is kept busy');
    await world.stop();
  });
});
