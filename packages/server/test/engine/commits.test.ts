import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/engine/refusal.ts';
import type { Arrival, Recorded, Storage } from '../../src/storage/contract.ts';
import { inbound, makeWorld, quiet } from '../support/world.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const item = { type: 'a.b', data: null };

/** A store whose commits wait, or fail, as the test says. */
function gated(): {
  wrap: (storage: Storage) => Storage;
  batches: number[];
  close(): void;
  open(): void;
  fail(error: ((batch: readonly Arrival[]) => Error | null) | null): void;
} {
  const batches: number[] = [];
  let gate: Promise<void> = Promise.resolve();
  let release = (): void => undefined;
  let failing: ((batch: readonly Arrival[]) => Error | null) | null = null;
  const record =
    (storage: Storage) =>
    async (arrivals: readonly Arrival[]): Promise<readonly Recorded[]> => {
      batches.push(arrivals.length);
      await gate;
      const error = failing?.(arrivals) ?? null;
      if (error !== null) throw error;
      return storage.record(arrivals);
    };
  return {
    batches,
    wrap: (storage) => new Proxy(storage, { get: (target, name) => (name === 'record' ? record(target) : Reflect.get(target, name)) }),
    close: () => void ({ promise: gate, resolve: release } = Promise.withResolvers<void>()),
    open: () => release(),
    fail: (how) => void (failing = how),
  };
}

describe('commits', () => {
  test('what arrives while a commit runs is written together', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    gate.close();
    const first = world.engine.publish('default', [item]);
    await quiet();
    const rest = Array.from({ length: 100 }, () => world.engine.publish('default', [item]));
    await quiet();
    assert.equal(gate.batches[0], 1, 'the first does not wait for company');
    gate.open();
    await Promise.all([first, ...rest]);
    assert.ok(gate.batches.length <= 3, `101 arrivals took commits of ${gate.batches.join(', ')}`);
    assert.equal((await world.storage.facts()).accepted, 101);
    await world.stop();
  });

  test('nothing is acknowledged, sent or told before its commit', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    await world.endpoint();
    const source = await world.source('serixpay');
    const told: string[] = [];
    for (const name of ['request', 'transaction', 'delivery'] as const) world.engine.observe.on(name, () => told.push(name));
    gate.close();
    let acknowledged = false;
    const accepting = world.receive(source, { type: 'payment.completed' }).then(() => (acknowledged = true));
    await world.advance(7_000);
    assert.deepEqual([acknowledged, world.calls.length, told], [false, 0, []]);
    gate.open();
    await accepting;
    await world.advance(0);
    assert.deepEqual([world.calls.length, [...new Set(told)].sort()], [1, ['delivery', 'request', 'transaction']]);
    await world.stop();
  });

  test('a store that is down: every caller is refused with store_down, nothing is sent, and later all goes on', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    await world.endpoint({ maxInFlight: 2 });
    const source = await world.source('serixpay');
    gate.fail(() => new Error('disk I/O error'));
    const answers = await Promise.allSettled([
      ...Array.from({ length: 20 }, () => world.engine.publish('default', [item])),
      world.receive(source, { type: 'payment.completed' }),
    ]);
    assert.ok(answers.every((answer) => answer.status === 'rejected' && refused('store_down')(answer.reason)));
    await world.advance(10_000);
    assert.deepEqual([world.calls.length, (await world.storage.facts()).accepted], [0, 0]);
    gate.fail(null);
    await world.engine.publish('default', [item]);
    await world.advance(0);
    assert.equal(world.calls.length, 1, 'the room that the failed ones had reserved is free again');
    await world.stop();
  });

  test('a commit that hangs: its callers are told before they give up, newcomers at once; when it ends after all, all goes on', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    await world.endpoint();
    const told: string[] = [];
    world.engine.observe.on('delivery', ({ status }) => told.push(status));
    gate.close();
    const publish = () =>
      world.engine.publish('default', [item]).then(
        () => 'kept',
        (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
      );
    const hanging = publish();
    await quiet();
    const behind = publish();
    await world.advance(7_000);
    assert.equal(await Promise.race([hanging, behind, Promise.resolve('none')]), 'none', 'a slow commit is waited for');
    await world.advance(2_000);
    assert.deepEqual([await hanging, await behind, await publish()], ['store_down', 'store_down', 'store_down']);
    assert.equal(world.engine.gauges().hanging, 1);
    assert.deepEqual([gate.batches, world.calls.length], [[1], 0]);
    gate.open();
    await world.advance(0);
    assert.equal(world.engine.gauges().hanging, 0);
    assert.equal(await publish(), 'kept');
    await world.advance(0);
    assert.equal((await world.storage.facts()).accepted, 2, 'what was written after all counts');
    assert.deepEqual([world.calls.length, told.filter((status) => status === 'succeeded').length], [2, 2]);
    await world.stop();
  });

  test('a store that is out of reach is asked once for all who wait, not once for each', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    gate.fail(() => Object.assign(new Error('connect ETIMEDOUT'), { down: true }));
    gate.close();
    const calls = Array.from({ length: 20 }, () => world.engine.publish('default', [item]));
    const answers = Promise.allSettled(calls);
    await quiet();
    gate.open();
    assert.ok((await answers).every((answer) => answer.status === 'rejected' && refused('store_down')(answer.reason)));
    assert.equal(gate.batches.length, 1);
    gate.fail(null);
    await world.engine.publish('default', [item]);
    await world.stop();
  });

  test('one arrival that the store cannot take costs its neighbours nothing', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    gate.fail((batch) => (batch.some(({ events }) => events[0]?.type === 'poison') ? new Error('cannot') : null));
    gate.close();
    const first = world.engine.publish('default', [item]);
    await quiet();
    const rest = ['a.b', 'poison', 'c.d'].map((type) => world.engine.publish('default', [{ type, data: null }]));
    gate.open();
    const [good, bad, alsoGood] = await Promise.allSettled(rest);
    await first;
    assert.deepEqual([good?.status, bad?.status, alsoGood?.status], ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal((await world.storage.facts()).accepted, 3);
    await world.stop();
  });

  test('too much that waits is refused with overloaded; what was let in is written', async () => {
    const gate = gated();
    const world = await makeWorld({ wrap: gate.wrap });
    gate.close();
    const source = await world.source('serixpay');
    const big = { ...inbound(source, { type: 'payment.completed', now: world.clock.now() }), body: new Uint8Array(8 * 1024 * 1024) };
    const accepting = Array.from({ length: 40 }, () => world.engine.accept(source.id, big));
    const outcome = Promise.allSettled(accepting);
    await quiet();
    gate.open();
    const answers = await outcome;
    const over = answers.filter((answer) => answer.status === 'rejected' && refused('overloaded')(answer.reason)).length;
    const kept = answers.filter((answer) => answer.status === 'fulfilled').length;
    assert.ok(over > 0 && kept > 0 && over + kept === 40, `${over} refused, ${kept} kept`);
    assert.equal((await world.storage.listRequests({ merchant: null, limit: 100, cursor: null })).rows.length, kept);
    await world.stop();
  });

  test('results that cannot be written are written when the store is back, once', async () => {
    let down = true;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get: (target, name) => (name === 'settle' && down ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name)),
        }),
    });
    await world.endpoint();
    await world.engine.publish('default', [item]);
    await world.advance(5000);
    assert.equal((await world.storage.facts()).pending, 1);
    down = false;
    await world.advance(2000);
    const [row] = (await world.storage.listDeliveries({ merchant: null, limit: 2, cursor: null })).rows;
    assert.deepEqual([row?.status, row?.attemptCount, world.calls.length], ['succeeded', 1, 1]);
    await world.stop();
  });

  test('a listener that throws harms nobody', async () => {
    const world = await makeWorld();
    world.engine.observe.on('delivery', () => {
      throw new Error('a broken listener');
    });
    await world.endpoint();
    await world.engine.publish('default', [item]);
    await world.advance(0);
    assert.equal((await world.storage.facts()).delivered, 1);
    await world.stop();
  });
});
