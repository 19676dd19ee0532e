import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSink } from '../support/sink.ts';
import type { Sink } from '../support/sink.ts';
import { codeOf, startServer } from './setup.ts';
import type { Answer, TestServer } from './setup.ts';

let server: TestServer;
let sink: Sink;
before(async () => {
  server = await startServer();
  sink = await startSink();
});
after(async () => {
  await server.stop();
  await sink.close();
});

const create = (body: Record<string, unknown> = {}): Promise<Answer> =>
  server.call('POST', '/v1/endpoints', { body: { url: sink.url, ...body } });
const change = (id: string, body: Record<string, unknown>): Promise<Answer> => server.call('PATCH', `/v1/endpoints/${id}`, { body });

describe('order and overtaken events, through the API', () => {
  it('are set, shown and changed back', async () => {
    const made = await create({ active: false, ordered: true, orderedWait: '10m', skipStale: true });
    assert.deepEqual([made.json.ordered, made.json.orderedWait, made.json.skipStale], [true, '10m', true]);
    const changed = await change(made.json.id, { orderedWait: null, skipStale: false });
    assert.deepEqual([changed.json.ordered, changed.json.orderedWait, changed.json.skipStale], [true, null, false]);
    assert.equal(codeOf(await change(made.json.id, { orderedWait: '31d' })), 'invalid_timeout');
    const plain = (await create({ active: false })).json;
    assert.deepEqual([plain.ordered, plain.orderedWait, plain.skipStale], [false, null, false]);
  });

  it('a delivery that was not sent tells its story', async () => {
    const { id } = (await create({ skipStale: true })).json;
    const publish = (type: string, minute: number) =>
      server.call('POST', '/v1/events', {
        body: {
          type,
          occurredAt: `2026-11-22T08:0${minute}:00Z`,
          data: { reference: 'INV-77', amount: { value: '100', exponent: 2, currency: 'KES' } },
        },
      });
    const count = sink.calls.length;
    await publish('payment.succeeded', 2);
    await sink.reached(count + 1);
    const latest = async () => (await server.call('GET', `/v1/deliveries?endpoint=${id}&limit=1`)).json.data[0];
    await until(async () => (await latest()).status === 'succeeded');
    await publish('payment.pending', 1);
    await until(async () => (await latest()).status === 'failed');
    const { cause, attemptCount, nextAttemptAt } = await latest();
    assert.deepEqual([cause, attemptCount, nextAttemptAt, sink.calls.length], ['superseded', 0, null, count + 1]);
  });
});

/** Looks again until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 500; look++) if (await isSo()) return;
  assert.fail('It did not come to it within 500 looks.');
}
