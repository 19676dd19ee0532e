import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toJson } from '@paybell/sdk';
import { LOOK_MS as WORLD_LOOK_MS, makeWorld, START } from '../support/world.ts';

const LOOK_MS = 50;

const payment = (reference: string, status: string) => ({
  type: `payment.${status}`,
  provider: 'paybell',
  data: toJson({ reference, amount: { value: '100', exponent: 2, currency: 'KES' } }),
});

describe('order per transaction', () => {
  test('the next event of a transaction waits until the one before is finished; other transactions flow', async () => {
    const world = await makeWorld();
    await world.endpoint({ ordered: true, retry: { delays: ['0s', '1m'] } });
    world.answer(({ body }) => (Buffer.from(body).includes('"A"') && Buffer.from(body).includes('pending') ? 500 : 200));
    await world.engine.publish('default', [
      payment('A', 'pending'),
      payment('A', 'succeeded'),
      payment('B', 'pending'),
      payment('B', 'succeeded'),
    ]);
    for (let turn = 0; turn < 5; turn++) await world.advance(LOOK_MS);
    const seen = (): string[] =>
      world.calls.map(({ request }) => {
        const { type, data } = JSON.parse(Buffer.from(request.body).toString()) as { type: string; data: { reference: string } };
        return `${data.reference} ${type}`;
      });
    assert.deepEqual(
      seen().filter((line) => line.startsWith('A')),
      ['A payment.pending'],
    );
    assert.deepEqual(
      seen().filter((line) => line.startsWith('B')),
      ['B payment.pending', 'B payment.succeeded'],
    );
    // The second and last try of the first one fails too: it is finished, and the next one goes.
    await world.advance(60_000);
    for (let turn = 0; turn < 5; turn++) await world.advance(LOOK_MS);
    assert.deepEqual(
      seen().filter((line) => line.startsWith('A')),
      ['A payment.pending', 'A payment.pending', 'A payment.succeeded'],
    );
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('one that waits shows when it goes at the latest, and ends with its endpoint', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ ordered: true });
    world.answer(500);
    await world.engine.publish('default', [payment('A', 'pending'), payment('A', 'succeeded')]);
    for (let turn = 0; turn < 3; turn++) await world.advance(LOOK_MS);
    const list = async () => (await world.storage.listDeliveries({ merchant: null, limit: 9, cursor: null })).rows;
    const [waiting] = await list();
    assert.deepEqual([waiting?.status, waiting?.nextAttemptAt], ['pending', START + WORLD_LOOK_MS + 3_600_000]);
    await world.engine.directory.deleteEndpoint(null, endpoint);
    for (let turn = 0; turn < 3; turn++) await world.advance(LOOK_MS);
    assert.deepEqual(
      (await list()).map(({ status, cause }) => [status, cause]),
      [
        ['failed', 'endpoint_deleted'],
        ['failed', 'endpoint_deleted'],
      ],
    );
    await world.stop();
  });

  for (const [orderedWait, minutes] of [
    ['10m', 10],
    [undefined, 60],
  ] as const)
    test(`one waits ${orderedWait ?? 'an hour'} at the longest for the one before it, which is tried on`, async () => {
      const world = await makeWorld();
      await world.endpoint({
        ordered: true,
        ...(orderedWait && { orderedWait }),
        retry: { delays: Array.from({ length: 90 }, (_, n) => (n === 0 ? '0s' : '1m')) },
      });
      world.answer(({ body }) => (Buffer.from(body).includes('pending') ? 500 : 200));
      await world.engine.publish('default', [payment('A', 'pending'), payment('A', 'succeeded'), payment('A', 'reversed')]);
      const count = (status: string): number =>
        world.calls.filter(({ request }) => Buffer.from(request.body).includes(`payment.${status}`)).length;
      await world.advance((minutes - 1) * 60_000);
      assert.deepEqual([count('pending') > 5, count('succeeded'), count('reversed')], [true, 0, 0]);
      await world.advance(90_000);
      assert.deepEqual([count('succeeded'), count('reversed')], [1, 1]);
      const before = count('pending');
      await world.advance(5 * 60_000);
      assert.equal(count('pending'), before + 5, 'the first one keeps its own times');
      assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
      await world.stop();
    });

  test('the longest wait is a duration from a second to thirty days', async () => {
    const world = await makeWorld();
    for (const orderedWait of ['0s', '31d', 'soon', '999ms'])
      await assert.rejects(world.endpoint({ ordered: true, orderedWait }), { code: 'invalid_timeout' });
    const id = await world.endpoint({ ordered: true, orderedWait: '30d' });
    assert.equal(world.engine.directory.endpoint(null, id).orderedWait, '30d');
    await world.stop();
  });
});
