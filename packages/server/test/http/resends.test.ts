import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

const SINCE = '2020-01-01T00:00:00Z';
let server: TestServer;
before(async () => {
  server = await startServer();
  const events = Array.from({ length: 30 }, (_, n) => ({ type: n < 20 ? 'payment.failed' : 'payout.failed', data: { id: `p${n}` } }));
  await server.call('POST', '/v1/events/batch', { body: { events } });
  // Nothing listens there.
  const made = await server.call('POST', '/v1/endpoints', { body: { url: 'http://127.0.0.1:2/never', retry: { delays: ['0s'] } } });
  assert.equal(made.status, 201, made.text);
});
after(() => server.stop());

const resend = (body: object) => server.call('POST', '/v1/events/resend', { body: { since: SINCE, ...body } });

describe('resends', () => {
  it('a dry run counts and leaves nothing behind', async () => {
    const { status, json } = await resend({ dryRun: true });
    assert.deepEqual([status, json], [202, { events: 30, deliveries: 30, dryRun: true, resend: null }]);
    assert.deepEqual((await resend({ dryRun: true, types: ['payout.*'] })).json.deliveries, 10);
    assert.deepEqual((await server.call('GET', '/v1/resends')).json, { data: [], nextCursor: null });
  });

  it('one that runs is shown with how far it is, listed, and canceled', async () => {
    const { json } = await resend({ types: ['payment.*'], perSecond: 1 });
    const { id } = json.resend;
    assert.deepEqual(
      [json.events, json.deliveries, json.resend.state, json.resend.types, json.resend.perSecond],
      [20, 20, 'running', ['payment.*'], 1],
    );
    const { json: listed } = await server.call('GET', '/v1/resends');
    assert.deepEqual(
      listed.data.map((row: { id: string }) => row.id),
      [id],
    );
    const { status, json: canceled } = await server.call('POST', `/v1/resends/${id}/cancel`);
    assert.deepEqual([status, canceled.state], [202, 'canceled']);
    const end = Date.now() + 10_000;
    let row = canceled;
    while (row.pending > 0 && Date.now() < end) {
      await wait(20);
      row = (await server.call('GET', `/v1/resends/${id}`)).json;
    }
    assert.ok(row.made >= 1 && row.made < 20 && row.pending === 0, JSON.stringify(row));
    assert.equal(row.succeeded + row.failed + row.pending, row.made);
  });

  it('refuses what cannot be, and says why', async () => {
    assert.equal(codeOf(await resend({ types: ['a..b'] })), 'invalid_event_type');
    assert.equal(codeOf(await resend({ endpoint: 'end_none' })), 'not_found');
    assert.equal(codeOf(await resend({ perSecond: 0 })), 'invalid_body');
    assert.equal(codeOf(await resend({ since: 'yesterday' })), 'invalid_body');
    assert.equal(codeOf(await server.call('POST', '/v1/events/resend', { body: {} })), 'invalid_body');
    for (const path of ['/v1/resends/rsd_none', '/v1/resends/rsd_none/cancel'])
      assert.equal(codeOf(await server.call(path.endsWith('cancel') ? 'POST' : 'GET', path)), 'not_found');
  });
});
