import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bodyText } from '../../src/http/rows.ts';
import { codeOf, paymentBody, startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const NUMBERS = '{"amount":1.00,"big":12345678901234567890,"tiny":1e-400,"list":[0.10,-0],"__proto__":{"admin":true}}';
const publish = (path: string, raw: string, headers: Record<string, string> = {}) =>
  server.call('POST', path, { raw, headers: { 'content-type': 'application/json', ...headers } });

describe('what was written comes back', () => {
  it('keeps the text of every number, published one by one or in a batch', async () => {
    const one = await publish('/v1/events', `{"type":"order.paid","data":${NUMBERS}}`);
    const batch = await publish('/v1/events/batch', `{"events":[{"type":"order.paid","data":${NUMBERS}}]}`);
    assert.deepEqual([one.status, batch.status], [202, 202]);
    for (const id of [one.json.id, batch.json.data[0].id]) {
      const { text } = await server.call('GET', `/v1/events/${id}`);
      assert.ok(text.includes(`"data":${NUMBERS}`), text);
    }
    assert.ok((await server.call('GET', '/v1/events')).text.includes(NUMBERS));
  });

  it('keeps the text of the numbers of an inbound webhook', async () => {
    const source = await server.source();
    await source.post(
      '{"event":"payment.completed","timestamp":"2026-11-20T10:00:00Z","data":{"transactionId":"exact","amount":7.10,"currency":"USD"}}',
    );
    const list = await server.call('GET', `/v1/events?source=${source.id}`);
    assert.match(list.text, /"amount":7\.10[,}]/);
  });

  it('tells of a batch with a key that was used for another body which were published, and as what', async () => {
    const item = (n: number, key?: string): string =>
      `{"type":"batch.${n}","data":{"n":${n}}${key === undefined ? '' : `,"idempotencyKey":"${key}"`}}`;
    await publish('/v1/events', '{"type":"batch.old","data":{}}', { 'idempotency-key': 'taken' });
    const { status, json } = await publish(
      '/v1/events/batch',
      `{"events":[${item(1)},${item(2, 'taken')},${item(3, 'free')},${item(4, 'free')}]}`,
    );
    assert.deepEqual([status, json.code], [422, 'idempotency_conflict']);
    assert.deepEqual(
      (json.errors as { path: string }[]).map(({ path }) => path),
      ['events.1', 'events.3'],
    );
    assert.match(json.detail, /^events\.1, events\.3: .*The other 2 were published: see "data"\.$/);
    const ids = (json.data as ({ id: string } | null)[]).map((line) => line?.id ?? null);
    assert.deepEqual([ids[1], ids[3]], [null, null]);
    for (const [id, type] of [
      [ids[0], 'batch.1'],
      [ids[2], 'batch.3'],
    ])
      assert.equal((await server.call('GET', `/v1/events/${id}`)).json.type, type);
    for (const [n, count] of [
      [1, 1],
      [2, 0],
      [3, 1],
      [4, 0],
    ])
      assert.equal((await server.call('GET', `/v1/events?type=batch.${n}`)).json.data.length, count, `batch.${n}`);
    const [event] = (await server.call('GET', '/v1/events?type=batch.3')).json.data;
    assert.equal(event.duplicates, 0, 'the problem itself says it; nobody asked again');
  });

  it('answers a repeated Idempotency-Key with the first event, in a batch too', async () => {
    const event = '{"type":"order.paid","data":{"n":1}}';
    const first = await publish('/v1/events', event, { 'idempotency-key': 'once' });
    const again = await publish('/v1/events', event, { 'idempotency-key': 'once' });
    assert.deepEqual([again.json.id, first.json.duplicate, again.json.duplicate], [first.json.id, false, true]);
    const batch = `{"events":[${event},${event}]}`;
    const made = (await publish('/v1/events/batch', batch, { 'idempotency-key': 'many' })).json.data;
    const repeated = (await publish('/v1/events/batch', batch, { 'idempotency-key': 'many' })).json.data;
    assert.notEqual(made[0].id, made[1].id);
    assert.deepEqual(
      repeated.map(({ id }: { id: string }) => id),
      made.map(({ id }: { id: string }) => id),
    );
  });

  it('refuses a batch with one event over the limit, and publishes none of it', async () => {
    const long = `{"type":"order.big","data":{"text":"${'x'.repeat(262_144)}"}}`;
    const answer = await publish('/v1/events/batch', `{"events":[{"type":"order.big","data":{}},${long}]}`);
    assert.equal(codeOf(answer), 'payload_too_large');
    assert.deepEqual((await server.call('GET', '/v1/events?type=order.big')).json.data, []);
    assert.equal(
      codeOf(
        await server.call('POST', '/v1/events/batch', { body: { events: Array.from({ length: 1_001 }, () => ({ type: 'a', data: {} })) } }),
      ),
      'invalid_body',
    );
  });

  it('shows bytes that are no UTF-8 as base64', () => {
    assert.deepEqual(bodyText(Buffer.from([0xff, 0x00])), { body: '/wA=', encoding: 'base64' });
    assert.deepEqual(bodyText(Buffer.from('\ufeffé')), { body: '\ufeffé', encoding: 'utf-8' });
  });
});

describe('lists', () => {
  it('page through everything once, newest first, whatever arrives meanwhile', async () => {
    const key = await server.merchant('paging');
    const publishOne = (n: number) => server.call('POST', '/v1/events', { key, body: { type: 'order.paid', data: { n } } });
    for (let n = 0; n < 7; n++) {
      await publishOne(n);
      await server.call('POST', '/v1/endpoints', { key, body: { url: `https://example.com/${n}`, events: ['none'] } });
    }
    for (const kind of ['events', 'endpoints']) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: { data: { id: string }[]; nextCursor: string | null } = (
          await server.call('GET', `/v1/${kind}?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`, { key })
        ).json;
        assert.ok(page.data.length <= 3);
        seen.push(...page.data.map(({ id }) => id));
        cursor = page.nextCursor;
        if (kind === 'events') await publishOne(100);
      } while (cursor !== null && seen.length < 30);
      assert.equal(seen.length, 7, kind);
      assert.equal(new Set(seen).size, 7, kind);
    }
  });

  it('filter by time, and refuse what is no time', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    assert.deepEqual((await server.call('GET', `/v1/events?since=${later}`)).json.data, []);
    assert.ok((await server.call('GET', '/v1/events?since=2020-01-01T00:00:00Z')).json.data.length > 0);
    assert.equal(codeOf(await server.call('GET', '/v1/events?since=last-monday')), 'invalid_query');
    assert.equal(codeOf(await server.call('GET', '/v1/stats?window=1000d')), 'invalid_query');
  });
});

describe('from a webhook to its delivery', () => {
  it('shows the transaction with its timeline and why, the delivery with its attempts, and the counts', async () => {
    const received: { readonly url: string | undefined; readonly body: string }[] = [];
    const sink = createServer((request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ url: request.url, body: Buffer.concat(chunks).toString() });
        response.end('thanks');
        sink.emit('received');
      });
    });
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    try {
      const key = await server.merchant('journey');
      const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/hook`;
      const endpoint = (await server.call('POST', '/v1/endpoints', { key, body: { url, provider: 'serixpay' } })).json;
      assert.ok(endpoint.secret.length > 10);
      const source = await server.source(key);
      const arrived = once(sink, 'received');
      assert.equal((await source.post(paymentBody({ transactionId: 'journey-1', amount: '12.50' }))).status, 200);
      await arrived;

      const [row] = (await server.call('GET', '/v1/transactions?q=journey-1', { key })).json.data;
      assert.deepEqual([row.status, row.amount.value, row.amount.currency], ['succeeded', '1250', 'USD']);
      const transaction = (await server.call('GET', `/v1/transactions/${row.id}`, { key })).json;
      assert.deepEqual([transaction.timeline.length, transaction.timeline[0].verdict], [1, 'applied']);
      assert.ok(transaction.timeline[0].why.length > 10);
      assert.equal(transaction.deliveries[0].endpoint, endpoint.id);

      let delivery = (await server.call('GET', `/v1/deliveries/${transaction.deliveries[0].id}`, { key })).json;
      // The receiver has its webhook before the result is written.
      for (let tries = 0; delivery.status === 'pending' && tries < 200; tries++)
        delivery = (await server.call('GET', `/v1/deliveries/${delivery.id}`, { key })).json;
      assert.deepEqual([delivery.status, delivery.statusCode, delivery.attempts.length], ['succeeded', 200, 1]);
      const [attempt] = delivery.attempts;
      assert.deepEqual([attempt.n, attempt.outcome, attempt.response.body, attempt.response.truncated], [1, 'succeeded', 'thanks', false]);
      assert.equal(attempt.request.body, received[0]!.body);
      assert.ok('x-serixpay-signature' in attempt.request.headers);

      const health = (await server.call('GET', `/v1/endpoints/${endpoint.id}`, { key })).json.health;
      assert.deepEqual([health.successRate, health.backlog], [1, 0]);
      const stats = (await server.call('GET', '/v1/stats?window=15m&bucket=1m', { key })).json;
      assert.equal(stats.series.length, 15);
      assert.equal(stats.money[0].value, '1250');
      assert.deepEqual(stats.deliveries, { pending: 0, succeeded: 1, failed: 0, failedTries: 0 });

      const test = await server.call('POST', `/v1/endpoints/${endpoint.id}/test`, { key, body: {} });
      assert.deepEqual([test.status, test.json.outcome, test.json.statusCode], [200, 'succeeded', 200]);
      assert.equal(test.json.request.body, received.at(-1)!.body);

      const resent = await server.call('POST', `/v1/events/${delivery.event}/resend`, { key, body: {} });
      assert.deepEqual([resent.status, resent.json.deliveries.length], [202, 1]);
    } finally {
      sink.close();
      sink.closeAllConnections();
    }
  });

  it('rotates a secret and shows both while they overlap', async () => {
    const { id, secret } = (await server.call('POST', '/v1/endpoints', { body: { url: 'https://example.com/rotate' } })).json;
    const rotated = (await server.call('POST', `/v1/endpoints/${id}/rotate-secret`, { body: { overlap: '1h' } })).json;
    const { secrets } = (await server.call('GET', `/v1/endpoints/${id}/secret`)).json;
    assert.deepEqual(secrets, [rotated.secret, secret]);
    assert.ok(!(await server.call('GET', `/v1/endpoints/${id}`)).text.includes(secret));
  });

  it('judges quarantined requests again once the secret is right', async () => {
    const { id } = (await server.call('POST', '/v1/sources', { body: { provider: 'serixpay', secret: 'the-wrong-secret-at-first' } })).json;
    const source = await server.source();
    const body = paymentBody();
    const post = source.post;
    await post(body);
    const { headers } = (await server.call('GET', `/v1/requests?source=${source.id}`)).json.data[0];
    const first = await server.call('POST', `/in/${id}`, {
      raw: body,
      headers: { 'x-serixpay-signature': headers['x-serixpay-signature'] },
    });
    assert.equal(codeOf(first), 'signature_rejected');
    assert.equal((await server.call('PATCH', `/v1/sources/${id}`, { body: { addSecret: 'a-secret-of-the-http-tests' } })).json.secrets, 2);
    assert.deepEqual((await server.call('POST', `/v1/sources/${id}/reverify`)).json, { checked: 1, accepted: 1, rejected: 0 });
  });
});
