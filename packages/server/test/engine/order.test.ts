import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toJson } from '@paybell/sdk';
import { makeWorld } from '../support/world.ts';

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

  test('one that waits has no next try to show, and ends with its endpoint', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ ordered: true });
    world.answer(500);
    await world.engine.publish('default', [payment('A', 'pending'), payment('A', 'succeeded')]);
    for (let turn = 0; turn < 3; turn++) await world.advance(LOOK_MS);
    const list = async () => (await world.storage.listDeliveries({ merchant: null, limit: 9, cursor: null })).rows;
    const [waiting] = await list();
    assert.deepEqual([waiting?.status, waiting?.nextAttemptAt], ['pending', null]);
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
});
