import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normalHeaders } from '@paybell/sdk';
import { Refusal } from '../../src/engine/refusal.ts';
import { makeWorld, profile, START } from '../support/world.ts';
import type { World } from '../support/world.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const deliveries = async (world: World) => (await world.storage.listDeliveries({ merchant: null, limit: 100, cursor: null })).rows;

describe('resend, retry, test', () => {
  test('one event to all that select it, or to one: new deliveries, the same id and bytes', async () => {
    const world = await makeWorld();
    await world.endpoint({ url: 'https://shop.example/a' });
    const other = await world.endpoint({ url: 'https://shop.example/b', events: ['other.*'] });
    const [event] = await world.engine.publish('default', [{ type: 'a.b', data: null }]);
    await world.advance(0);
    const all = await world.engine.resendEvent('default', event?.id ?? '');
    const one = await world.engine.resendEvent('default', event?.id ?? '', other);
    await world.advance(1000);
    assert.deepEqual([all.deliveries.length, one.deliveries.length], [1, 1]);
    assert.deepEqual(
      world.calls.map(({ request }) => request.url.at(-1)),
      ['a', 'a', 'b'],
    );
    assert.equal(new Set(world.calls.map(({ request }) => request.headers['webhook-id'])).size, 1);
    assert.equal(new Set(world.calls.map(({ request }) => Buffer.from(request.body).toString())).size, 1);
    assert.deepEqual(
      (await deliveries(world)).map(({ status }) => status),
      ['succeeded', 'succeeded', 'succeeded'],
    );
    await assert.rejects(world.engine.resendEvent('m2', event?.id ?? ''), refused('not_found'));
    await assert.rejects(world.engine.resendEvent('default', 'evt_none'), refused('not_found'));
    await assert.rejects(world.engine.resendEvent('default', event?.id ?? '', 'end_none'), refused('not_found'));
    await world.stop();
  });

  test('many: a dry run counts and sends nothing; the run sends as many; only the failed, only where they failed', async () => {
    const world = await makeWorld();
    const flaky = await world.endpoint({ url: 'https://shop.example/flaky', retry: { delays: ['0s'] } });
    await world.endpoint({ url: 'https://shop.example/fine' });
    world.answer(({ url }, index) => (url.endsWith('flaky') && index < 8 ? 500 : 200));
    await world.engine.publish(
      'default',
      Array.from({ length: 5 }, () => ({ type: 'a.b', data: null })),
    );
    await world.advance(1000);
    const failed = (await deliveries(world)).filter(({ status }) => status === 'failed').length;
    assert.ok(failed > 0 && failed < 10);
    const calls = world.calls.length;
    const dry = await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed', dryRun: true });
    await world.advance(1000);
    assert.deepEqual([dry.dryRun, dry.events, dry.deliveries, world.calls.length], [true, failed, failed, calls]);
    const run = await world.engine.resendMany({ merchant: 'default', since: START, status: 'failed' });
    await world.advance(1000);
    assert.deepEqual([run.dryRun, run.events, run.deliveries], [false, failed, failed]);
    const sent = world.calls.slice(calls);
    assert.deepEqual([sent.length, sent.every(({ request }) => request.url.endsWith('flaky'))], [failed, true]);
    const named = await world.engine.resendMany({ merchant: 'default', since: START, endpoint: flaky, dryRun: true });
    assert.deepEqual([named.events, named.deliveries], [5, 5]);
    assert.deepEqual(await world.engine.resendMany({ merchant: 'default', since: world.clock.now() + 1 }), {
      events: 0,
      deliveries: 0,
      dryRun: false,
      resend: null,
    });
    assert.deepEqual(await world.engine.resendMany({ merchant: 'default', since: START, until: START - 1 }), {
      events: 0,
      deliveries: 0,
      dryRun: false,
      resend: null,
    });
    await assert.rejects(world.engine.resendMany({ merchant: 'm2', since: START, endpoint: flaky }), refused('not_found'));
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('more events than a page are all resent once', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ active: false });
    await world.engine.publish(
      'default',
      Array.from({ length: 230 }, () => ({ type: 'a.b', data: null })),
    );
    await world.engine.directory.changeEndpoint(null, endpoint, { active: true });
    world.jump(1);
    const { events, deliveries: made } = await world.engine.resendMany({ merchant: 'default', since: START });
    assert.deepEqual([events, made], [230, 230]);
    await world.advance(60_000);
    assert.equal(world.calls.length, 230);
    assert.equal(new Set(world.calls.map(({ request }) => request.headers['webhook-id'])).size, 230);
    await world.stop();
  });

  test('to one endpoint: all that it selects, also from before it was made', async () => {
    const world = await makeWorld();
    await world.engine.publish(
      'default',
      ['a.b', 'a.c', 'x.y'].map((type) => ({ type, data: null })),
    );
    const endpoint = await world.endpoint({ events: ['a.*'] });
    const told: string[] = [];
    world.engine.observe.on('delivery', ({ status }) => told.push(status));
    const run = await world.engine.resendMany({ merchant: 'default', since: START, endpoint });
    await world.advance(1000);
    assert.deepEqual([run.events, run.deliveries, world.calls.length], [2, 2, 2]);
    assert.deepEqual(told.toSorted(), ['pending', 'pending', 'succeeded', 'succeeded'], 'a live console sees them at once');
    await world.stop();
  });

  test('a failed delivery is tried once more by hand', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ retry: { delays: ['0s', '1s'] } });
    world.answer(500);
    await world.engine.publish('default', [{ type: 'a.b', data: null }]);
    await world.advance(10_000);
    const [row] = await deliveries(world);
    assert.deepEqual([row?.status, row?.attemptCount], ['failed', 2]);
    world.answer(200);
    assert.equal((await world.engine.retryDelivery('default', row?.id ?? '')).status, 'pending');
    await world.advance(100);
    const [after] = await deliveries(world);
    assert.deepEqual([after?.status, after?.attemptCount, world.calls.length], ['succeeded', 3, 3]);
    await assert.rejects(world.engine.retryDelivery('m2', row?.id ?? ''), refused('not_found'));
    await world.engine.directory.deleteEndpoint(null, endpoint);
    await assert.rejects(world.engine.retryDelivery('default', row?.id ?? ''), refused('conflict'));
    await world.stop();
  });

  test('a test event is signed like any other and leaves no trace', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ provider: 'altafinex' });
    const { attempt, request } = await world.engine.test('default', endpoint, 'refund.completed');
    assert.deepEqual([attempt.outcome, attempt.statusCode, world.calls.length], ['succeeded', 200, 1]);
    const { secrets } = world.engine.directory.endpoint(null, endpoint);
    assert.ok(
      profile('altafinex').verify({ body: request.body, headers: normalHeaders(request.headers), secrets, now: world.clock.now() }).ok,
    );
    assert.match(Buffer.from(request.body).toString(), /"event":"refund.completed"/);
    world.answer(404);
    assert.deepEqual((await world.engine.test('default', endpoint)).attempt.cause, 'http_4xx');
    await assert.rejects(world.engine.test('default', endpoint, 'no.such'), refused('invalid_event_type'));
    await assert.rejects(world.engine.test('m2', endpoint), refused('not_found'));
    const { accepted, pending } = await world.storage.facts();
    assert.deepEqual([accepted, pending], [0, 0]);
    await world.stop();
  });
});
