import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createHttp } from '../../src/http/app.ts';
import type { Http } from '../../src/http/app.ts';
import { noSignal } from '../../src/signal/signal.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const KEY = 'admin-key-of-the-schedules';

/** The real API over an engine whose clock the test holds. */
let world: World;
let http: Http;
let url: string;
before(async () => {
  world = await makeWorld();
  await world.engine.directory.createKey({ name: 'test', merchant: null, key: KEY });
  const silent = () => undefined;
  http = await createHttp({
    engine: world.engine,
    storage: world.storage,
    settings: { publicUrl: null, consoleDir: 'no-such-folder' },
    clock: world.clock,
    log: { info: silent, warn: silent, error: silent },
    metrics: createMetrics(),
    vault: world.vault,
    signal: noSignal,
  });
  url = await http.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await http.close();
  await world.stop();
});
beforeEach(() => {
  world.calls.length = 0;
  world.answer(500);
});

// oxlint-disable-next-line typescript/no-explicit-any -- looks into answers of every shape
async function call(method: string, path: string, body?: unknown): Promise<{ status: number; json: any }> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : JSON.parse(text) };
}

const SECOND = 1_000;
const near = (waits: readonly number[]): number[] => waits.map((ms) => Math.round(ms / SECOND));

/** An endpoint for events of this type alone. */
let types = 0;
async function endpoint(more: object): Promise<{ id: string; type: string }> {
  const type = `schedule${++types}.made`;
  const { status, json } = await call('POST', '/v1/endpoints', { url: `https://shop.example/${types}`, events: [type], ...more });
  assert.equal(status, 201, JSON.stringify(json));
  return { id: json.id, type };
}

/** Seconds after the first try at which each try came. */
async function triesOf(type: string, more: object = {}): Promise<number[]> {
  assert.equal((await call('POST', '/v1/events', { type, data: { id: 'p1' }, ...more })).status, 202);
  await world.advance(3_600 * SECOND);
  const [first] = world.calls;
  return near(world.calls.map(({ at }) => at - (first?.at ?? 0)));
}

describe('the schedule of an endpoint, set and seen through the API', () => {
  it('a list of delays is kept to the second, and then the delivery has failed', async () => {
    const { id, type } = await endpoint({ retry: { delays: ['0s', '10s', '1m'] } });
    assert.deepEqual(await triesOf(type), [0, 10, 70]);
    const [row] = (await call('GET', `/v1/deliveries?endpoint=${id}`)).json.data;
    assert.deepEqual([row.status, row.attemptCount, row.nextAttemptAt], ['failed', 3, null]);
    const { attempts } = (await call('GET', `/v1/deliveries/${row.id}`)).json;
    assert.deepEqual(
      attempts.map(({ n, cause }: { n: number; cause: string }) => [n, cause]),
      [
        [1, 'http_5xx'],
        [2, 'http_5xx'],
        [3, 'http_5xx'],
      ],
    );
  });

  it('a formula grows by its factor up to its cap, and ends with its window', async () => {
    const { type } = await endpoint({ retry: { first: '1s', factor: 3, cap: '10s', window: '30s', jitter: 0 } });
    assert.deepEqual(await triesOf(type), [0, 1, 4, 13, 23]);
  });

  it('the provider’s own schedule where none is set', async () => {
    const { type } = await endpoint({ provider: 'makapay' });
    assert.deepEqual(await triesOf(type), [0, 300, 900]);
  });

  it('a change counts for what is pending already', async () => {
    const { id, type } = await endpoint({ retry: { delays: ['0s', '10s', '10s', '10s'] } });
    await call('POST', '/v1/events', { type, data: {} });
    await world.advance(11 * SECOND);
    assert.equal((await call('PATCH', `/v1/endpoints/${id}`, { retry: { delays: ['0s', '10s', '30s'] } })).status, 200);
    await world.advance(3_600 * SECOND);
    assert.deepEqual(near(world.calls.map(({ at }) => at - (world.calls[0]?.at ?? 0))), [0, 10, 20]);
  });

  it('what makes no schedule is refused with what to change', async () => {
    for (const retry of [
      { delays: ['5s'] },
      { delays: ['0s', 'soon'] },
      { first: '1s', factor: 1, cap: '1s', window: '10h' },
      { first: '10s', factor: 2, cap: '1s', window: '1h' },
      { first: '1s', factor: 2, cap: '1m' },
    ]) {
      const { status, json } = await call('POST', '/v1/endpoints', { url: 'https://shop.example/x', retry });
      assert.equal(status, 422, JSON.stringify(retry));
      assert.match(json.detail, /retry|"delays"|"first"|"cap"|"window"|tries/);
    }
  });
});

describe('timeouts, single tries and the URL of one event', () => {
  it('the timeout is the deadline of each call, the provider’s own unless told', async () => {
    const short = await endpoint({ timeout: '2s', retry: { delays: ['0s'] } });
    await triesOf(short.type);
    const own = await endpoint({ provider: 'makapay', retry: { delays: ['0s'] } });
    await triesOf(own.type);
    assert.deepEqual(
      world.calls.map(({ request }) => request.deadlineMs),
      [2_000, 30_000],
    );
    assert.equal((await call('POST', '/v1/endpoints', { url: 'https://shop.example/x', timeout: '61s' })).json.code, 'invalid_timeout');
  });

  it('an event that its provider never retries is tried once, whatever the schedule', async () => {
    const { status, json } = await call('POST', '/v1/endpoints', {
      url: 'https://shop.example/gas',
      provider: 'makapay',
      events: ['payment.awaiting_gas'],
      retry: { delays: ['0s', '1s', '1s'] },
    });
    assert.equal(status, 201);
    assert.deepEqual(await triesOf('payment.awaiting_gas'), [0]);
    const [row] = (await call('GET', `/v1/deliveries?endpoint=${json.id}`)).json.data;
    assert.deepEqual([row.status, row.attemptCount], ['failed', 1]);
    await call('DELETE', `/v1/endpoints/${json.id}`);
  });

  it('one event’s own URL gets it too, signed alike and retried on its own; headers of the endpoint stay with the endpoint', async () => {
    await world.engine.directory.createMerchant({ id: 'm2', name: 'Other' });
    const made = await call('POST', '/v1/endpoints', {
      url: 'https://shop.example/main',
      merchant: 'm2',
      headers: { authorization: 'Bearer for-the-shop' },
      retry: { delays: ['0s', '10s'] },
    });
    assert.equal(made.status, 201);
    world.answer(({ url: to }) => (to.endsWith('/order-7') ? 500 : 200));
    const event = { type: 'order.shipped', data: { id: 1 }, url: 'https://order.example/order-7', merchant: 'm2' };
    assert.equal((await call('POST', '/v1/events', event)).json.deliveries, 2);
    await world.advance(60 * SECOND);
    const lines = world.calls.map(({ request }) => [new URL(request.url).pathname, request.headers['authorization'] ?? null]);
    assert.deepEqual(lines, [
      ['/main', 'Bearer for-the-shop'],
      ['/order-7', null],
      ['/order-7', null],
    ]);
    const [main, other] = world.calls;
    assert.deepEqual(other?.request.body, main?.request.body);
    assert.equal(other?.request.headers['webhook-signature'], main?.request.headers['webhook-signature']);
    const { data } = (await call('GET', '/v1/deliveries?merchant=m2')).json;
    const id = (data as { endpoint: string }[]).map(({ endpoint }) => endpoint).find((one) => one !== made.json.id) ?? '';
    const rules = async () => {
      const { ordered, skipStale, timeout, retry } = (await call('GET', `/v1/endpoints/${id}`)).json;
      return { ordered, skipStale, timeout, retry };
    };
    assert.deepEqual(await rules(), { ordered: false, skipStale: false, timeout: null, retry: { delays: ['0s', '10s'] } });
    await call('PATCH', `/v1/endpoints/${made.json.id}`, { ordered: true, skipStale: true, timeout: '9s', retry: null });
    assert.deepEqual(await rules(), { ordered: true, skipStale: true, timeout: '9s', retry: null });
    await call('POST', '/v1/endpoints', { url: 'https://shop.example/second', merchant: 'm2' });
    assert.equal((await call('POST', '/v1/events', { ...event, url: 'https://order.example/order-8' })).status, 202);
    const made8 = (await call('GET', '/v1/deliveries?merchant=m2&limit=1')).json.data[0].endpoint as string;
    assert.deepEqual((await call('GET', `/v1/endpoints/${made8}`)).json.ordered, true, 'from the start');
  });

  it('null gives retry, timeout and disableAfter back to the provider and the server', async () => {
    const set = { retry: { delays: ['0s'] }, timeout: '9s', disableAfter: '1h' };
    const { json } = await call('POST', '/v1/endpoints', { url: 'https://usual.example/', ...set });
    const shown = (row: Record<string, unknown>) => ({ retry: row['retry'], timeout: row['timeout'], disableAfter: row['disableAfter'] });
    assert.deepEqual(shown(json), set);
    const usual = { retry: null, timeout: null, disableAfter: null };
    assert.deepEqual(shown((await call('PATCH', `/v1/endpoints/${json.id}`, usual)).json), usual);
    const wrong = await call('PATCH', `/v1/endpoints/${json.id}`, { retry: { delays: ['soon'] } });
    assert.equal(wrong.json.detail, 'retry.delays.0: must be a duration such as 30s, 5m or 20h.');
    await call('DELETE', `/v1/endpoints/${json.id}`);
  });
});
