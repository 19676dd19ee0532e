import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/engine/refusal.ts';
import type { Storage } from '../../src/storage/contract.ts';
import { answered, makeWorld, START } from '../support/world.ts';
import type { World } from '../support/world.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const publish = async (world: World, type: string, count: number): Promise<void> => {
  await world.engine.publish(
    'default',
    Array.from({ length: count }, () => ({ type, data: null })),
  );
};
const idsOf = (world: World, from = 0): string[] => world.calls.slice(from).map(({ request }) => request.headers['webhook-id'] ?? '');
const row = async (world: World, id = '') => (await world.storage.getResend({ merchant: null, id })) ?? assert.fail('no such resend');

/** A world whose endpoint has failed `count` events for good, at START. */
async function afterAnOutage(
  count: number,
  more: Parameters<World['endpoint']>[0] = {},
): Promise<{ world: World; endpoint: string; sent: number }> {
  const world = await makeWorld();
  const endpoint = await world.endpoint({ retry: { delays: ['0s'] }, ...more });
  // Refused one by one: that says nothing of the endpoint, which stays what it is.
  world.answer(400);
  await publish(world, 'old.one', count);
  await world.advance(30_000);
  world.answer(200);
  assert.equal((await world.storage.facts()).failed, count);
  return { world, endpoint, sent: world.calls.length };
}

describe('resends of many', () => {
  test('counted, made at the rate that was set, told how far they are, each event once', async () => {
    const { world, endpoint, sent } = await afterAnOutage(120);
    const query = { merchant: 'default', since: START, endpoint, status: 'failed', perSecond: 20 } as const;
    const dry = await world.engine.resendMany({ ...query, dryRun: true });
    assert.deepEqual(dry, { events: 120, deliveries: 120, dryRun: true, resend: null });
    assert.deepEqual((await world.storage.listResends({ merchant: null, limit: 9, cursor: null })).rows, []);
    const { resend, ...counts } = await world.engine.resendMany(query);
    assert.deepEqual(counts, { events: 120, deliveries: 120, dryRun: false });
    assert.deepEqual([resend?.state, resend?.made], ['running', 0]);
    for (const seconds of [1, 2, 3]) {
      await world.advance(1000);
      const { made } = await row(world, resend?.id);
      assert.ok(Math.abs(made - seconds * 20) <= 5, `${made} after ${seconds} s`);
    }
    await world.advance(10_000);
    const done = await row(world, resend?.id);
    assert.deepEqual([done.state, done.made, done.pending, done.failed], ['done', 120, 0, 0]);
    assert.equal(new Set(idsOf(world, sent)).size, 120);
    assert.equal(world.calls.length - sent, 120);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('what came while an endpoint was switched off is made up for, each event once, however often it is asked', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ events: ['a.*'] });
    const pause = () => world.engine.directory.endpoint(null, endpoint).pause;
    assert.equal(pause(), null);
    await publish(world, 'a.before', 2);
    await world.advance(1_000);
    await world.engine.directory.changeEndpoint(null, endpoint, { active: false });
    const since = world.clock.now();
    assert.deepEqual(pause(), { since, until: null });
    await publish(world, 'a.meanwhile', 3);
    await publish(world, 'b.meanwhile', 1);
    await world.advance(60_000);
    await world.engine.directory.changeEndpoint(null, endpoint, { active: true });
    assert.deepEqual(pause(), { since, until: world.clock.now() });
    await publish(world, 'a.after', 2);
    await world.advance(1_000);
    assert.equal(world.calls.length, 4);
    const query = { merchant: 'default', since, endpoint, status: 'missing' } as const;
    const { events, deliveries } = await world.engine.resendMany(query);
    assert.deepEqual([events, deliveries], [3, 3]);
    await world.advance(5_000);
    assert.equal(new Set(idsOf(world)).size, 7);
    assert.equal(world.calls.length, 7);
    assert.deepEqual(await world.engine.resendMany(query), { events: 0, deliveries: 0, dryRun: false, resend: null });
    await assert.rejects(world.engine.resendMany({ merchant: 'default', since, status: 'missing' }), refused('conflict'));
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('resending failed ones twice sends nothing that has succeeded since, and again what has failed again', async () => {
    const { world, endpoint, sent } = await afterAnOutage(10);
    const query = { merchant: 'default', since: START, status: 'failed' } as const;
    world.answer((_request, index) => (index < sent + 4 ? 400 : 200));
    await world.engine.resendMany(query);
    await world.advance(5_000);
    const again = await world.engine.resendMany({ ...query, endpoint });
    assert.deepEqual([again.events, again.deliveries], [4, 4]);
    await world.advance(5_000);
    assert.equal(world.calls.length - sent, 14);
    assert.deepEqual(await world.engine.resendMany(query), { events: 0, deliveries: 0, dryRun: false, resend: null });
    await world.stop();
  });

  test('by type, by endpoint, to all that select it, from before an endpoint was made; what cannot be is refused', async () => {
    const world = await makeWorld();
    await publish(world, 'a.b', 3);
    await publish(world, 'a.c', 2);
    await publish(world, 'x.y', 1);
    const endpoint = await world.endpoint({ events: ['a.*'] });
    await world.endpoint({ url: 'https://shop.example/all' });
    const count = async (more: object) => {
      const { events, deliveries } = await world.engine.resendMany({ merchant: 'default', since: START, dryRun: true, ...more });
      return [events, deliveries];
    };
    assert.deepEqual(await count({}), [6, 11]);
    assert.deepEqual(await count({ endpoint }), [5, 5]);
    assert.deepEqual(await count({ types: ['a.c', 'x.*'] }), [3, 5]);
    assert.deepEqual(await count({ since: START + 60_000 }), [0, 0]);
    assert.deepEqual(await count({ merchant: 'm2' }), [0, 0]);
    await assert.rejects(count({ endpoint: 'end_none' }), refused('not_found'));
    await assert.rejects(count({ types: ['a.**'] }), refused('invalid_event_type'));
    await assert.rejects(world.engine.cancelResend('default', 'rsd_none'), refused('not_found'));
    await world.stop();
  });

  test('canceled: what waits is withdrawn, nothing more is sent, another resend sends it', async () => {
    const { world, sent } = await afterAnOutage(150, { maxInFlight: 1 });
    const gate = Promise.withResolvers<void>();
    const { resend } = await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed', perSecond: 40 });
    world.answer(() => gate.promise.then(() => answered(400)));
    await world.advance(3_000);
    const canceled = await world.engine.cancelResend('default', resend?.id ?? '');
    assert.equal(canceled.state, 'canceled');
    gate.resolve();
    await world.advance(20_000);
    const after = await row(world, resend?.id);
    assert.deepEqual([after.state, after.pending], ['canceled', 0]);
    assert.ok(after.made < 150 && after.made > 50, `made ${after.made}`);
    const calls = world.calls.length;
    assert.ok(calls - sent < after.made, 'most were withdrawn');
    await world.advance(60_000);
    assert.equal(world.calls.length, calls);
    assert.equal((await world.engine.cancelResend('default', resend?.id ?? '')).state, 'canceled', 'twice is no harm');
    world.answer(200);
    const again = await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed', perSecond: 10_000 });
    assert.equal(again.deliveries, 150);
    await world.advance(60_000);
    assert.equal((await row(world, again.resend?.id)).made, 150);
    assert.equal((await world.storage.facts()).pending, 0);
    await world.stop();
  });

  test('a process that ends in the middle: the next one goes on, nothing comes twice and nothing is left out', async () => {
    const { world, sent } = await afterAnOutage(200);
    const { resend } = await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed', perSecond: 40 });
    await world.advance(2_000);
    const stopping = world.engine.stop(1_000);
    await world.advance(1_000);
    await stopping;
    const { made, state } = await row(world, resend?.id);
    assert.ok(made > 40 && made < 160 && state === 'running', `${made} ${state}`);
    const next = world.another();
    await next.start();
    await world.advance(20_000);
    const done = await row(world, resend?.id);
    assert.deepEqual([done.state, done.made, done.failed, done.pending], ['done', 200, 0, 0]);
    assert.equal(world.calls.length - sent, 200);
    assert.equal(new Set(idsOf(world, sent)).size, 200);
    await next.stop(0);
    await world.stop();
  });

  test('a store that fails for a while: it goes on where it was', async () => {
    let down = false;
    const world = await makeWorld({
      wrap: (storage: Storage) =>
        new Proxy(storage, {
          get: (target, name) =>
            down && (name === 'stepResend' || name === 'findResendable')
              ? () => Promise.reject(new Error('gone'))
              : Reflect.get(target, name),
        }),
    });
    await publish(world, 'a.b', 60);
    await world.endpoint();
    const { resend } = await world.engine.resendMany({ merchant: 'default', since: START, perSecond: 20 });
    await world.advance(1_000);
    down = true;
    await world.advance(30_000);
    assert.ok(world.troubles.some((trouble) => trouble.includes('resend')));
    down = false;
    await world.advance(30_000);
    const done = await row(world, resend?.id);
    assert.deepEqual([done.state, done.made, world.calls.length, new Set(idsOf(world)).size], ['done', 60, 60, 60]);
    await world.stop();
  });

  test('its endpoint is deleted in the middle: it fails, says why, and sends nowhere else', async () => {
    const { world, endpoint } = await afterAnOutage(100);
    await world.endpoint({ url: 'https://shop.example/other' });
    const { resend } = await world.engine.resendMany({ merchant: 'default', since: START, endpoint, perSecond: 20 });
    await world.advance(1_000);
    await world.engine.directory.deleteEndpoint(null, endpoint);
    await world.advance(10_000);
    const after = await row(world, resend?.id);
    assert.deepEqual([after.state, after.note, after.pending], ['failed', 'Its endpoint was deleted.', 0]);
    assert.ok(world.calls.every(({ request }) => !request.url.endsWith('other')));
    await world.stop();
  });

  test('a live event goes before hundreds that are sent again', async () => {
    const { world, sent } = await afterAnOutage(300, { maxInFlight: 2 });
    await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed', perSecond: 10_000 });
    const open: (() => void)[] = [];
    world.answer(() => {
      const { promise, resolve } = Promise.withResolvers<void>();
      open.push(resolve);
      return promise.then(() => answered(200));
    });
    await world.advance(1_000);
    assert.ok((await world.storage.facts()).pending > 290);
    const before = world.calls.length;
    await publish(world, 'new.one', 1);
    await world.advance(0);
    assert.equal(world.calls.length, before + 1, 'at once, though bulk is under way');
    assert.match(Buffer.from(world.calls.at(-1)?.request.body ?? []).toString(), /new\.one/);
    assert.equal(before - sent, 1, 'bulk has one of two calls');
    world.answer(200);
    for (const end of open) end();
    await world.advance(60_000);
    assert.equal((await world.storage.facts()).pending, 0);
    await world.stop();
  });
});
