import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openStorage } from '../../src/storage/open.ts';
import { claimAll, delivery, event, inbound, payment, request, settlement, T } from '../storage/given.ts';
import { tempDir } from '../support/server.ts';
import { codeOf, startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

const MINUTE = 60_000;
const LONG_AGO = T - 1000 * 24 * 60 * MINUTE;
const folder = tempDir();
let server: TestServer;

/** A store as an old installation left it, and a server over it that keeps content for a minute. */
before(async () => {
  const databaseUrl = join(folder.path, 'paybell.db');
  const storage = await openStorage(databaseUrl);
  await storage.open();
  const at = { recordedAt: LONG_AGO, occurredAt: LONG_AGO };
  await storage.record([
    inbound(
      request('req_old', { receivedAt: LONG_AGO }),
      event('evt_old', { ...at, movement: payment('p1'), deliveries: [delivery('dlv_old', 'end_1')] }),
    ),
    { request: request('req_new', { receivedAt: Date.now() + MINUTE, verdict: 'rejected', reason: 'signature_missing' }), events: [] },
  ]);
  const [job] = await claimAll(storage, 'end_1');
  assert.ok(job);
  await storage.settle([settlement(job, { attempt: { ...settlement(job).attempt, startedAt: LONG_AGO } })]);
  await storage.close();
  server = await startServer({ dataDir: folder.path, databaseUrl, retentionBodies: MINUTE, retentionAttempts: MINUTE });
  for (let n = 0; n < 400 && (await server.call('GET', '/v1/deliveries/dlv_old')).json.attempts[0].expiredAt === null; n++) await wait(25);
});
after(async () => {
  await server.stop();
  folder.remove();
});

describe('what has expired says so', () => {
  it('a request: its facts stay, its body is gone, and the answer says what to do', async () => {
    const { json } = await server.call('GET', '/v1/requests/req_old');
    assert.match(json.expiredAt, /^20\d\d-/);
    assert.deepEqual([json.verdict, json.size, json.rawHeaders, json.headers], ['accepted', 16, [], {}]);
    const body = await server.call('GET', '/v1/requests/req_old/body');
    assert.deepEqual([body.status, codeOf(body)], [410, 'expired']);
    assert.match(body.json.detail, /expired on 20\d\d-.*PAYBELL_RETENTION_BODIES/);
    assert.equal((await server.call('GET', '/v1/requests/req_new')).json.expiredAt, null);
    assert.equal((await server.call('GET', '/v1/requests/req_new/body')).status, 200);
    assert.equal((await server.call('GET', '/v1/requests/req_none/body')).status, 404);
  });

  it('an event and its transaction: the data is gone, the ledger is not', async () => {
    const { json } = await server.call('GET', '/v1/events/evt_old');
    assert.deepEqual([json.data, json.type], [null, 'payment.completed']);
    assert.match(json.expiredAt, /^20\d\d-/);
    const list = await server.call('GET', '/v1/events?merchant=m1');
    assert.deepEqual([list.json.data[0].id, list.json.data[0].data], ['evt_old', null]);
    const { json: row } = await server.call('GET', `/v1/transactions/${json.transaction}`);
    assert.deepEqual([row.status, row.amount.text, row.timeline.length], ['succeeded', '2500.00', 1]);
  });

  it('a delivery: how and when stay, what was sent and answered is gone; sending it again is refused', async () => {
    const { json } = await server.call('GET', '/v1/deliveries/dlv_old');
    assert.match(json.expiredAt, /^20\d\d-/);
    const [attempt] = json.attempts;
    assert.deepEqual(
      [json.status, attempt.statusCode, attempt.request, attempt.response],
      ['succeeded', 200, { headers: {}, body: null, encoding: 'utf-8' }, null],
    );
    for (const path of ['/v1/deliveries/dlv_old/retry', '/v1/events/evt_old/resend']) {
      const answer = await server.call('POST', path, { body: {} });
      assert.deepEqual([answer.status, codeOf(answer)], [410, 'expired'], path);
      assert.match(answer.json.detail, /expired, so it cannot be sent again/);
    }
  });

  it('metrics count what went', async () => {
    const { text } = await server.call('GET', '/metrics');
    assert.match(text, /paybell_expired_total\{what="events"\} 1\n/);
    assert.match(text, /paybell_expired_total\{what="attempts"\} 1\n/);
    assert.match(text, /paybell_expired_bytes_total\{what="events"\} [1-9]/);
  });
});
