import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toJson } from '@paybell/sdk';
import type { DeliveryRow } from '../../src/storage/contract.ts';
import { held, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const MINUTE = 60_000;

const payment = (reference: string, status: string, minute = 0) => ({
  type: `payment.${status}`,
  provider: 'paybell',
  occurredAt: Date.UTC(2026, 10, 22, 8, minute),
  data: toJson({ reference, amount: { value: '100', exponent: 2, currency: 'KES' } }),
});

const said = (world: World): string[] =>
  world.calls.map(({ request }) => (JSON.parse(Buffer.from(request.body).toString()) as { type: string }).type.replace('payment.', ''));

const deliveries = async (world: World): Promise<readonly DeliveryRow[]> =>
  (await world.storage.listDeliveries({ merchant: null, limit: 50, cursor: null })).rows;

const stories = async (world: World): Promise<string[]> =>
  (await deliveries(world)).map(({ eventType, status, cause, attemptCount }) => `${eventType} ${status} ${cause} ${attemptCount}`).sort();

const answersTo = (failing: string) => (request: { body: Uint8Array }) => (Buffer.from(request.body).includes(failing) ? 500 : 200);

async function settledDown(world: World): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await world.advance(2 * LOOK_MS);
}

describe('skipStale', () => {
  test('a retry that a delivered event has overtaken is not sent; it ends so that everyone sees why', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true, retry: { delays: ['0s', '1m', '1m'] } });
    const seen: string[] = [];
    world.engine.observe.on('delivery', ({ eventType, status, cause }) => seen.push(`${eventType} ${status} ${cause}`));
    world.answer(answersTo('payment.pending'));
    await world.engine.publish('default', [payment('A', 'pending', 1)]);
    await settledDown(world);
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await world.advance(5 * MINUTE);
    assert.deepEqual(said(world), ['pending', 'succeeded']);
    assert.deepEqual(await stories(world), ['payment.pending failed superseded 1', 'payment.succeeded succeeded ok 1']);
    assert.equal(seen.at(-1), 'payment.pending failed superseded');
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('a fresh event that comes after it was overtaken is not sent at all', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true });
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await settledDown(world);
    await world.engine.publish('default', [payment('A', 'pending', 1), payment('B', 'pending', 1)]);
    await settledDown(world);
    await world.engine.publish('default', [payment('A', 'reversed', 9)]);
    await settledDown(world);
    assert.deepEqual(said(world), ['succeeded', 'pending', 'reversed']);
    const [ended] = (await deliveries(world)).filter(({ cause }) => cause === 'superseded');
    assert.deepEqual([ended?.status, ended?.attemptCount, ended?.statusCode], ['failed', 0, null]);
    await world.stop();
  });

  test('only what was really delivered counts: a failed success stops nothing', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true, retry: { delays: ['0s'] } });
    world.answer(answersTo('payment.succeeded'));
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await settledDown(world);
    await world.engine.publish('default', [payment('A', 'pending', 1)]);
    await settledDown(world);
    assert.deepEqual(await stories(world), ['payment.pending succeeded ok 1', 'payment.succeeded failed http_5xx 1']);
    await world.stop();
  });

  test('what is delivered while an event waits for its turn counts too', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true, maxInFlight: 1 });
    const slow = held();
    world.answer(slow.result);
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await settledDown(world);
    world.answer(200);
    await world.engine.publish('default', [payment('A', 'pending', 1), payment('B', 'pending', 1)]);
    await settledDown(world);
    assert.deepEqual(said(world), ['succeeded'], 'nothing else goes while the one call is out');
    slow.end(200);
    await settledDown(world);
    assert.deepEqual(said(world), ['succeeded', 'pending']);
    assert.deepEqual(await stories(world), [
      'payment.pending failed superseded 0',
      'payment.pending succeeded ok 1',
      'payment.succeeded succeeded ok 1',
    ]);
    await world.stop();
  });

  test('a restart, or another node, knows what was delivered', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true, retry: { delays: ['0s', '10m'] } });
    world.answer(answersTo('payment.pending'));
    await world.engine.publish('default', [payment('A', 'pending', 1)]);
    await settledDown(world);
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await settledDown(world);
    await world.engine.stop(0);
    const next = world.another();
    await next.start();
    await world.advance(11 * MINUTE);
    assert.deepEqual(said(world), ['pending', 'succeeded']);
    assert.deepEqual(await stories(world), ['payment.pending failed superseded 1', 'payment.succeeded succeeded ok 1']);
    await next.stop(0);
    await world.stop();
  });

  test('retried or resent by hand it goes; the same from the log for a whole time does not', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ skipStale: true });
    await world.engine.publish('default', [payment('A', 'succeeded', 2)]);
    await settledDown(world);
    const [late] = await world.engine.publish('default', [payment('A', 'pending', 1)]);
    await settledDown(world);
    const [row] = (await deliveries(world)).filter(({ cause }) => cause === 'superseded');
    await world.engine.retryDelivery(null, row?.id ?? '');
    await settledDown(world);
    assert.deepEqual(said(world), ['succeeded', 'pending']);
    await world.engine.resendEvent(null, late?.id ?? '', endpoint);
    await settledDown(world);
    assert.deepEqual(said(world), ['succeeded', 'pending', 'pending']);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('with order: what ends so lets the next one of its transaction go', async () => {
    const world = await makeWorld();
    await world.endpoint({ skipStale: true, ordered: true, orderedWait: '1h', retry: { delays: ['0s', '5m', '5m'] } });
    world.answer(answersTo('payment.pending'));
    await world.engine.publish('default', [payment('A', 'pending', 1), payment('A', 'authorized', 2)]);
    await settledDown(world);
    assert.deepEqual(said(world), ['pending']);
    world.answer(200);
    // The longest wait is over while the first one is still between its tries: the second goes, and overtakes it.
    world.answer((request) =>
      Buffer.from(request.body).includes('payment.pending') ? { status: 503, headers: { 'retry-after': '7200' } } : 200,
    );
    await world.advance(61 * MINUTE);
    assert.deepEqual(said(world).at(-1), 'authorized');
    await world.advance(200 * MINUTE);
    assert.equal(said(world).filter((type) => type === 'pending').length, 2);
    assert.deepEqual(await stories(world), ['payment.authorized succeeded ok 1', 'payment.pending failed superseded 2']);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
