import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normalHeaders, parseJson, providers, toJson } from '@paybell/sdk';
import type { Call, World } from '../support/world.ts';
import { LOOK_MS, makeWorld, profile } from '../support/world.ts';

const HOUR = 3_600_000;

async function delivery(world: World, n = 0) {
  const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 50, cursor: null });
  return rows[n];
}

const verified = (id: string, { request, at }: Call, secrets: readonly string[]): boolean => {
  const options = profile(id).exampleOptions;
  return profile(id).verify({
    body: request.body,
    headers: normalHeaders(request.headers),
    secrets,
    now: at,
    url: request.url,
    ...(options && { options }),
  }).ok;
};

describe('every try of a delivery', () => {
  for (const { id, events, exampleOptions: options } of providers) {
    test(`${id}: the same id and the same bytes, a signature that verifies at its time`, async () => {
      const world = await makeWorld();
      const endpoint = await world.endpoint({ provider: id, retry: { delays: ['0s', '10m', '20m'] }, ...(options && { options }) });
      world.answer(503);
      const [type = '', spec] = Object.entries(events)[0] ?? [];
      await world.engine.publish('default', [{ type, data: toJson(spec?.example) }]);
      for (const minutes of [0, 10, 20]) {
        world.jump(Math.max(0, minutes * 60_000 - 1000));
        await world.advance(2000);
      }
      assert.equal(world.calls.length, 3);
      const { secrets } = world.engine.directory.endpoint(null, endpoint);
      const [first] = world.calls;
      for (const call of world.calls) {
        assert.deepEqual(call.request.body, first?.request.body);
        assert.ok(verified(id, call, secrets));
        assert.ok(!verified(id, call, [profile(id).makeSecret(new Uint8Array(32).fill(1))]));
        const changed = Object.keys(call.request.headers).filter((name) => call.request.headers[name] !== first?.request.headers[name]);
        assert.ok(
          changed.every((name) => /signature|timestamp/.test(name)),
          `${changed.join()} changed`,
        );
      }
      await world.stop();
    });
  }

  test('after a rotation both secrets verify until the overlap ends; the others of one event’s url follow', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint();
    const url = 'https://order.example/hook';
    const { directory } = world.engine;
    const [old = ''] = directory.endpoint(null, endpoint).secrets;
    await world.engine.publish('default', [{ type: 'a.b', data: null, url }]);
    await directory.rotateSecret(null, endpoint, { overlapMs: HOUR });
    const [fresh = ''] = directory.endpoint(null, endpoint).secrets;
    assert.notEqual(fresh, old);
    await world.advance(LOOK_MS);
    world.calls.length = 0;
    await world.engine.publish('default', [{ type: 'a.b', data: null, url }]);
    await world.advance(LOOK_MS);
    assert.equal(world.calls.length, 2);
    assert.deepEqual(world.calls.map(({ request }) => request.url).sort(), [url, 'https://shop.example/hook']);
    for (const call of world.calls)
      assert.deepEqual([verified('paybell', call, [old]), call.request.url === url || verified('paybell', call, [fresh])], [true, true]);
    world.jump(HOUR);
    world.calls.length = 0;
    await world.engine.publish('default', [{ type: 'a.b', data: null, url }]);
    await world.advance(LOOK_MS);
    for (const call of world.calls) assert.ok(!verified('paybell', call, [old]), 'the old secret is out of use');
    await world.stop();
  });

  test('Retry-After makes a try later, never earlier, never more', async () => {
    const world = await makeWorld();
    await world.endpoint({ retry: { delays: ['0s', '5s', '10s'] } });
    const headers = [{ 'retry-after': '60' }, { 'retry-after': '1' }, { 'retry-after': '5' }];
    world.answer((_request, index) => ({ status: 429, headers: headers[index] ?? {} }));
    await world.engine.publish('default', [{ type: 'a.b', data: null }]);
    await world.advance(200_000);
    const waits = world.calls.map(({ at }, n) => at - (world.calls[n - 1]?.at ?? at));
    assert.equal(waits.length, 3);
    for (const [n, printed] of [0, 60_000, 10_000].entries())
      assert.ok((waits[n] ?? 0) >= printed && (waits[n] ?? 0) <= printed + LOOK_MS, `wait ${n} is ${waits[n]}`);
    assert.equal((await delivery(world))?.status, 'failed');
    await world.stop();
  });

  test('410 disables the endpoint at once; events are kept, and go out when it is enabled again', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ maxInFlight: 1 });
    const told: string[] = [];
    world.engine.observe.on('endpoint', ({ id, reason }) => told.push(`${id} ${reason}`));
    world.answer(410);
    await world.engine.publish(
      'default',
      Array.from({ length: 5 }, () => ({ type: 'a.b', data: null })),
    );
    await world.advance(HOUR);
    assert.equal(world.calls.length, 1);
    assert.deepEqual(told, [`${endpoint} gone`]);
    assert.deepEqual(
      [world.engine.directory.endpoint(null, endpoint).active, world.engine.directory.endpoint(null, endpoint).disabledReason],
      [false, 'gone'],
    );
    const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 50, cursor: null });
    assert.ok(
      rows.every(({ status, nextAttemptAt }) => status === 'pending' && nextAttemptAt !== null),
      'the one that was answered with 410 too',
    );
    world.answer(200);
    await world.engine.directory.changeEndpoint(null, endpoint, { active: true });
    await world.advance(200);
    assert.equal(world.calls.length, 6);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('an endpoint’s own timeout and retry go before the provider’s', async () => {
    const world = await makeWorld();
    await world.endpoint({ provider: 'serixpay', timeout: '3s', retry: { first: '2s', factor: 2, cap: '8s', window: '14s', jitter: 0 } });
    world.answer(500);
    await world.engine.publish('default', [{ type: 'payment.completed', data: parseJson('{"transactionId":"t"}') }]);
    await world.advance(HOUR / 10);
    assert.deepEqual(
      world.calls.map(({ request }) => request.deadlineMs),
      [3000, 3000, 3000, 3000],
    );
    const seconds = world.calls.map(({ at }, n) => Math.round((at - (world.calls[n - 1]?.at ?? at)) / 1000));
    assert.deepEqual(seconds, [0, 2, 4, 8]);
    await world.stop();
  });

  test('an endpoint that cannot sign fails its own delivery with the cause, and sends nothing', async () => {
    const world = await makeWorld();
    await world.endpoint({ provider: 'echezona', retry: { delays: ['0s'] } });
    await world.engine.publish('default', [{ type: 'payment.success', data: null }]);
    await world.advance(1000);
    assert.equal(world.calls.length, 0);
    const row = await delivery(world);
    assert.deepEqual([row?.status, row?.cause], ['failed', 'signing_failed']);
    await world.stop();
  });
});
