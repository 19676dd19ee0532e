import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held, makeWorld } from '../support/world.ts';

// A process that turns round for ever would never say so: it is found by the simulation's watchdog, and held here by a story of its own.
test('an endpoint that is deleted while it is at its cap and a commit brings one more: the rest ends when the call ends', async () => {
  const recording = Promise.withResolvers<void>();
  const abandoning = Promise.withResolvers<void>();
  let slow = false;
  const world = await makeWorld({
    wrap: (storage) =>
      new Proxy(storage, {
        get(target, name) {
          if (name === 'record' && slow)
            return (arrivals: Parameters<typeof storage.record>[0]) => recording.promise.then(() => target.record(arrivals));
          if (name === 'abandon' && slow)
            return (query: Parameters<typeof storage.abandon>[0]) => abandoning.promise.then(() => target.abandon(query));
          return Reflect.get(target, name);
        },
      }),
  });
  const id = await world.endpoint({ maxInFlight: 1 });
  const call = held();
  world.answer(call.result);
  await world.engine.publish('default', [{ type: 'a.b', data: null }]);
  await world.advance(0);
  slow = true;
  const second = world.engine.publish('default', [{ type: 'a.b', data: null }]);
  await world.advance(0);
  await world.engine.directory.deleteEndpoint(null, id);
  recording.resolve();
  await second;
  abandoning.resolve();
  await world.advance(0);
  call.end(200);
  await world.advance(10);
  const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 10, cursor: null });
  assert.deepEqual(rows.map(({ status, cause }) => `${status} ${cause}`).sort(), ['failed endpoint_deleted', 'succeeded ok']);
  assert.equal(world.calls.length, 1);
  await world.stop();
});

test('a store that fails while a deleted endpoint is cleared up: it is tried again, and what waited for it ends', async () => {
  let failures = 0;
  const world = await makeWorld({
    wrap: (storage) =>
      new Proxy(storage, {
        get(target, name) {
          if ((name === 'abandon' || name === 'release') && failures > 0) {
            failures -= 1;
            return () => Promise.reject(new Error('busy'));
          }
          return Reflect.get(target, name);
        },
      }),
  });
  const id = await world.endpoint({ maxInFlight: 1 });
  const call = held();
  world.answer(call.result);
  await world.engine.publish(
    'default',
    Array.from({ length: 4 }, () => ({ type: 'a.b', data: null })),
  );
  await world.advance(0);
  failures = 2;
  await world.engine.directory.deleteEndpoint(null, id);
  call.end(200);
  await world.advance(20_000);
  const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 10, cursor: null });
  assert.deepEqual(rows.map(({ status, cause }) => `${status} ${cause}`).sort(), [
    ...Array.from({ length: 3 }, () => 'failed endpoint_deleted'),
    'succeeded ok',
  ]);
  await world.stop();
});
