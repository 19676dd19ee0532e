import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normalHeaders } from '@paybell/sdk';
import { Notices } from '../../src/engine/operational/notices.ts';
import type { NoticeType } from '../../src/engine/operational/notices.ts';
import { answered, LOOK_MS, makeWorld, profile } from '../support/world.ts';
import type { Call, World } from '../support/world.ts';

const MINUTE = 60_000;
const OPERATOR_URL = 'https://operator.example/hook';
const items = (count: number) => Array.from({ length: count }, () => ({ type: 'a.b', data: null }));

interface Told {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

const heard = (world: World): { call: Call; told: Told }[] =>
  world.calls
    .filter(({ request }) => request.url === OPERATOR_URL)
    .map((call) => ({ call, told: JSON.parse(Buffer.from(call.request.body).toString()) as Told }));

async function withOperator(): Promise<{ world: World; operator: string }> {
  const world = await makeWorld();
  const { id } = await world.engine.directory.createEndpoint({ merchant: 'operator', url: OPERATOR_URL });
  return { world, operator: id };
}

describe('operational events', () => {
  test('failing, disabled and recovered, each once, signed, naming the endpoint; what they say stays in the log', async () => {
    const { world, operator } = await withOperator();
    const id = await world.endpoint({ disableAfter: '30m' });
    world.answer(({ url }) => (url === OPERATOR_URL ? 200 : 500));
    await world.engine.publish('default', items(100));
    await world.advance(10 * MINUTE);
    world.answer(200);
    await world.advance(10 * MINUTE);
    world.answer(({ url }) => (url === OPERATOR_URL ? 200 : 502));
    await world.engine.publish('default', items(100));
    await world.advance(45 * MINUTE);
    const all = heard(world);
    assert.deepEqual(
      all.map(({ told }) => told.type),
      ['endpoint.failing', 'endpoint.recovered', 'endpoint.failing', 'endpoint.disabled'],
    );
    assert.match(
      String(heard(world).at(-1)?.told.data['message']),
      /it was disabled\. What waits for it stays pending .* resent as "missing"/,
    );
    const { secrets } = world.engine.directory.endpoint(null, operator);
    for (const { call } of all) {
      const { body, headers } = call.request;
      assert.ok(profile('paybell').verify({ body, headers: normalHeaders(headers), secrets, now: call.at }).ok);
    }
    const [failing, recovered, , disabled] = all.map(({ told }) => told.data);
    assert.deepEqual(
      { ...failing, failures: 0 },
      {
        merchant: 'default',
        endpoint: id,
        url: 'https://shop.example/hook',
        reason: 'http_5xx',
        message: 'The server failed while handling the webhook.',
        since: '2026-11-22T09:00:00.005Z',
        failures: 0,
      },
    );
    assert.ok((failing?.['failures'] as number) >= 5);
    assert.deepEqual([recovered?.['reason'], recovered?.['since']], ['ok', failing?.['since']]);
    assert.equal(disabled?.['reason'], 'failing');
    const log = await world.storage.listEvents({ merchant: 'operator', limit: 10, cursor: null });
    assert.deepEqual(log.rows.map(({ event }) => `${event.type} ${event.state}`).sort(), [
      'endpoint.disabled recorded',
      'endpoint.failing recorded',
      'endpoint.failing recorded',
      'endpoint.recovered recorded',
    ]);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('the last try of a delivery failed: how many, and which', async () => {
    const { world } = await withOperator();
    const id = await world.endpoint({ retry: { delays: ['0s'] }, maxInFlight: 8 });
    world.answer(({ url }) => (url === OPERATOR_URL ? 200 : 422));
    await world.engine.publish('default', items(150));
    await world.advance(MINUTE);
    const told = heard(world).map(({ told: one }) => one);
    assert.ok(told.length <= 2 && told.every(({ type }) => type === 'delivery.exhausted'));
    assert.equal(
      told.reduce((sum, { data }) => sum + (data['count'] as number), 0),
      150,
    );
    const { data } = told[0] as Told;
    assert.deepEqual(
      [data['endpoint'], data['reason'], data['statusCode'], data['attempts'], data['eventType']],
      [id, 'http_4xx', 422, 1, 'a.b'],
    );
    const { rows } = await world.storage.listDeliveries({ merchant: 'default', limit: 200, cursor: null });
    const ids = new Set(rows.map((row) => row.id));
    const named = data['deliveries'] as string[];
    assert.ok(named.length > 0 && named.length <= 100 && named.every((one) => ids.has(one)));
    await world.stop();
  });

  test('an endpoint of the operator that fails makes no events, and nothing is published where nobody listens', async () => {
    const { world, operator } = await withOperator();
    world.answer(500);
    await world.endpoint({ retry: { delays: ['0s'] } });
    await world.engine.publish('default', items(30));
    await world.advance(5 * MINUTE);
    const { rows } = await world.storage.listEvents({ merchant: 'operator', limit: 100, cursor: null });
    assert.ok(rows.length >= 1 && rows.every(({ event }) => JSON.parse(event.data ?? '')['merchant'] === 'default'));
    await world.engine.directory.changeEndpoint(null, operator, { events: ['delivery.exhausted'] });
    const before = rows.filter(({ event }) => event.type === 'endpoint.failing').length;
    await world.endpoint({ url: 'https://other.example/hook' });
    await world.engine.publish('default', items(30));
    await world.advance(5 * MINUTE);
    const after = await world.storage.listEvents({ merchant: 'operator', type: 'endpoint.failing', limit: 100, cursor: null });
    assert.equal(after.rows.length, before);
    await world.stop();
  });

  test('a store that is down for a moment: the operator is told afterwards', async () => {
    let down = false;
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get: (target, name) => (down && name === 'record' ? () => Promise.reject(new Error('gone')) : Reflect.get(target, name)),
        }),
    });
    await world.engine.directory.createEndpoint({ merchant: 'operator', url: OPERATOR_URL });
    await world.endpoint();
    world.answer(({ url }) => (url === OPERATOR_URL ? 200 : Promise.resolve({ ...answered(200), status: null, cause: 'conn_refused' })));
    await world.engine.publish('default', items(10));
    down = true;
    await world.advance(MINUTE);
    assert.deepEqual(heard(world), []);
    down = false;
    await world.advance(10_000);
    assert.deepEqual(
      heard(world).map(({ told }) => told.type),
      ['endpoint.failing'],
    );
    await world.stop();
  });

  test('the merchant is reserved', async () => {
    const world = await makeWorld();
    await assert.rejects(world.engine.directory.createMerchant({ id: 'operator', name: 'Me' }), /reserved/);
    assert.ok(!world.engine.directory.merchants().some(({ id }) => id === 'operator'));
    await world.advance(LOOK_MS);
    await world.stop();
  });
});

describe('notices', () => {
  const notice = (type: NoticeType, at: number, endpoint = 'end_1') => ({
    type,
    endpoint,
    at,
    data: { endpoint },
    ...(type === 'delivery.exhausted' ? { delivery: `dlv_${at}` } : {}),
  });
  const types = (taken: readonly { type: string }[]) => taken.map(({ type }) => type);

  test('gather for a second; of one endpoint the newest, once a minute; what went and came back is not told', () => {
    const notices = new Notices();
    notices.add(notice('endpoint.failing', 0));
    assert.deepEqual([notices.nextAt(), types(notices.take(999))], [1_000, []]);
    assert.deepEqual(types(notices.take(1_000)), ['endpoint.failing']);
    notices.add(notice('endpoint.recovered', 2_000));
    notices.add(notice('endpoint.failing', 3_000));
    assert.equal(notices.nextAt(), null);
    notices.add(notice('endpoint.recovered', 4_000));
    assert.equal(notices.nextAt(), 61_000);
    assert.deepEqual(types(notices.take(61_000)), ['endpoint.recovered']);
  });

  test('that one was disabled is told at once', () => {
    const notices = new Notices();
    notices.add(notice('endpoint.failing', 0));
    notices.take(1_000);
    notices.add(notice('endpoint.disabled', 2_000));
    assert.equal(notices.nextAt(), 3_000);
  });

  test('a flood is bounded, and no count is lost', () => {
    const notices = new Notices();
    for (let n = 0; n < 1_000; n++) notices.add(notice('delivery.exhausted', n, `end_${n % 200}`));
    const taken = [2_000, 3_000, 4_000, 5_000, 6_000].map((at) => notices.take(at));
    assert.deepEqual(
      taken.map(({ length }) => length),
      [50, 50, 50, 50, 0],
    );
    assert.equal(
      taken.flat().reduce((sum, { data }) => sum + (data['count'] as number), 0),
      1_000,
    );
    for (let n = 0; n < 500; n++) notices.add(notice('delivery.exhausted', 7_000 + n, 'end_0'));
    assert.equal(notices.nextAt(), 12_000);
    const [one] = notices.take(12_000);
    const { count, deliveries } = (one ?? { data: {} }).data as { count: number; deliveries: string[] };
    assert.deepEqual([count, deliveries.length], [500, 100]);
  });
});
