import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { receive } from '@paybell/sdk';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';
import type { Sink } from '../support/sink.ts';

const DATA = {
  serixpay: { transactionId: 'txn_pub_1', orderId: 'ORD-77', amount: '1250.50', currency: 'KES', method: 'mpesa', status: 'completed' },
  makapay: { id: 'pay_pub_1', orderId: 'ORD-78', amount: '19.90', currency: 'USDC', status: 'completed' },
} as const;

let server: TestServer;
let sink: Sink;
before(async () => {
  server = await startServer();
  sink = await startSink();
});
after(async () => {
  await sink.close();
  await server.stop();
});

describe('an event published by an app', () => {
  for (const [provider, data] of Object.entries(DATA)) {
    it(`is spoken in ${provider}'s format, signed the way that ${provider} signs`, async () => {
      const { body: endpoint } = await server.call('POST', '/v1/endpoints', { url: sink.url, provider, events: ['payment.completed'] });
      const before = sink.calls.length;
      const key = { 'idempotency-key': `publish-${provider}` };
      const published = await server.call('POST', '/v1/events', { type: 'payment.completed', data, provider }, key);
      assert.equal(published.status, 202, JSON.stringify(published.body));
      assert.deepEqual([published.body.deliveries, published.body.duplicate], [1, false]);
      await sink.reached(before + 1);
      const call = sink.calls[before]!;
      const got = receive(provider, { body: call.body, headers: call.headers, secret: endpoint.secret, now: Date.now() });
      assert.ok(got.ok, JSON.stringify(got));
      assert.equal(got.facts[0]?.type, 'payment.completed');
      if (provider === 'serixpay') {
        assert.equal(call.headers['x-serixpay-signature'], createHmac('sha256', endpoint.secret).update(call.body).digest('hex'));
        assert.deepEqual((JSON.parse(call.body.toString()) as { data: unknown }).data, data);
      }
      const again = await server.call('POST', '/v1/events', { type: 'payment.completed', data, provider }, key);
      assert.deepEqual([again.body.id, again.body.duplicate], [published.body.id, true]);
      const { body: other } = await server.call(
        'POST',
        '/v1/events',
        { type: 'payment.completed', data: { ...data, amount: '1' }, provider },
        key,
      );
      assert.deepEqual([other.status, other.code], [422, 'idempotency_conflict']);
      await server.call('DELETE', `/v1/endpoints/${endpoint.id}`);
    });
  }
});
