import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseJson } from '@paybell/sdk';
import { Refusal } from '../../src/engine/refusal.ts';
import type { Publish } from '../../src/engine/faces.ts';
import { makeWorld } from '../support/world.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const paid = (n: number, more: Partial<Publish> = {}): Publish => ({
  type: 'payment.succeeded',
  data: parseJson(`{"transactionId":"p${n}","amount":{"value":"100","exponent":2,"currency":"KES"}}`),
  ...more,
});

describe('publish', () => {
  test('the same Idempotency-Key and body is the same event; another body is refused; another merchant has keys of its own', async () => {
    const world = await makeWorld();
    await world.endpoint();
    await world.engine.directory.createMerchant({ id: 'm2', name: 'Other' });
    const [first] = await world.engine.publish('default', [paid(1, { idempotencyKey: 'k' })]);
    const [again] = await world.engine.publish('default', [paid(1, { idempotencyKey: 'k' })]);
    assert.deepEqual([first?.duplicate, again?.duplicate, again?.id, again?.deliveries], [false, true, first?.id, 1]);
    await assert.rejects(world.engine.publish('default', [paid(2, { idempotencyKey: 'k' })]), refused('idempotency_conflict'));
    await assert.rejects(
      world.engine.publish('default', [paid(1, { idempotencyKey: 'k', url: 'https://order.example/x' })]),
      refused('idempotency_conflict'),
    );
    assert.equal((await world.engine.publish('m2', [paid(2, { idempotencyKey: 'k' })]))[0]?.duplicate, false);
    await world.advance(5000);
    assert.equal(world.calls.length, 1);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('the same key at the same moment: one event, and every caller is told so', async () => {
    const world = await makeWorld();
    const all = await Promise.all(Array.from({ length: 20 }, () => world.engine.publish('default', [paid(1, { idempotencyKey: 'k' })])));
    assert.equal(new Set(all.map(([line]) => line?.id)).size, 1);
    assert.equal(all.filter(([line]) => line?.duplicate === false).length, 1);
    await world.stop();
  });

  test('a duplicate holds no room at its endpoint', async () => {
    const world = await makeWorld();
    await world.endpoint({ maxInFlight: 1 });
    for (let n = 0; n < 30; n++) await world.engine.publish('default', [paid(1, { idempotencyKey: 'k' })]);
    await world.advance(0);
    await world.engine.publish('default', [paid(2)]);
    await world.advance(0);
    assert.equal(world.calls.length, 2, 'the next new one is sent at once');
    await world.stop();
  });

  test('several at once are one commit, answered in their order', async () => {
    const batches: number[] = [];
    const world = await makeWorld({
      wrap: (storage) => new Proxy(storage, {
        get: (target, name) => (name === 'record' ? (arrivals: Parameters<typeof storage.record>[0]) => (batches.push(arrivals.length), target.record(arrivals)) : Reflect.get(target, name)),
      }), // prettier-ignore
    });
    const made = await world.engine.publish(
      'default',
      Array.from({ length: 50 }, (_, n) => paid(n)),
    );
    assert.deepEqual(batches, [1]);
    const { rows } = await world.storage.listEvents({ merchant: null, limit: 100, cursor: null, oldestFirst: true });
    assert.deepEqual(
      rows.map(({ event }) => event.id),
      made.map(({ id }) => id),
    );
    assert.deepEqual(await world.engine.publish('default', []), []);
    await world.stop();
  });

  test('what cannot be an event is refused with its reason, and nothing is written', async () => {
    const world = await makeWorld();
    const odd: [Partial<Publish>, string][] = [
      [{ type: '' }, 'invalid_event_type'],
      [{ type: 'a..b' }, 'invalid_event_type'],
      [{ type: 'a b' }, 'invalid_event_type'],
      [{ type: 'a\r\nx: y' }, 'invalid_event_type'],
      [{ type: 'x'.repeat(129) }, 'invalid_event_type'],
      [{ idempotencyKey: '' }, 'idempotency_conflict'],
      [{ idempotencyKey: 'k'.repeat(256) }, 'idempotency_conflict'],
      [{ provider: 'no-such' }, 'unknown_provider'],
    ];
    for (const [more, code] of odd)
      await assert.rejects(world.engine.publish('default', [paid(1, more)]), refused(code), JSON.stringify(more));
    await assert.rejects(world.engine.publish('no-such', [paid(1)]), refused('not_found'));
    assert.equal((await world.storage.facts()).accepted, 0);
    await world.stop();
  });

  test('published in a provider’s own words, it is read for the ledger as that provider’s', async () => {
    const world = await makeWorld();
    const data = parseJson('{"payment_id":"pay_1","amount":10000,"currency":"THB","reference":"BKK-1"}');
    await world.engine.publish('default', [{ type: 'payment.succeeded', provider: 'altafinex', data }]);
    const [row] = (await world.storage.listTransactions({ merchant: null, limit: 2, cursor: null })).rows;
    assert.deepEqual(
      [row?.provider, row?.status, row?.amount?.value, row?.amount?.exponent, row?.reference],
      ['altafinex', 'succeeded', '10000', 2, 'BKK-1'],
    );
    await world.stop();
  });
});
