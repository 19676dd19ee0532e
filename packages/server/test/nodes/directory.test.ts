import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { forge } from '@paybell/sdk';
import { startNodes, within } from '../support/nodes.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { ADMIN_KEY, api, startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';

/** What one node saves the other ones know within this time, with nothing but the database between them. */
const HEARD_MS = 2_500;
const postgres = await startPostgres();
after(() => postgres?.stop());

describe('two nodes on one PostgreSQL', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  let database: TestDatabase;
  let a: TestServer;
  let b: TestServer;
  before(async () => {
    database = await postgres!.fresh();
    [a, b] = (await startNodes(2, { PAYBELL_DATABASE_URL: database.url })) as [TestServer, TestServer];
  });
  after(async () => {
    await Promise.all([a, b].map((node) => node.stop()));
    await database.drop();
  });

  it('a source and an endpoint made at one work at the other: accepted there, delivered, seen by both', async () => {
    const sink = await startSink();
    const secret = 'nodes-secret-nodes-secret';
    const { body: source } = await a.call('POST', '/v1/sources', { provider: 'serixpay', secret });
    const { body: endpoint } = await a.call('POST', '/v1/endpoints', { url: sink.url, provider: 'serixpay' });
    await within(
      HEARD_MS,
      'the endpoint at the other node',
      async () => (await b.call('GET', `/v1/endpoints/${endpoint.id}`)).status === 200,
    );
    const webhook = forge({ provider: 'serixpay', type: 'payment.completed', id: 'evt_two', now: Date.now(), secret });
    const answer = await fetch(b.url + source.ingestPath, { method: 'POST', headers: webhook.headers, body: Buffer.from(webhook.body) });
    assert.equal(answer.status, 200);
    await sink.reached(1);
    assert.equal((await a.call('GET', '/v1/events')).body.data.length, 1);
    await b.call('DELETE', `/v1/endpoints/${endpoint.id}`);
    await within(HEARD_MS, 'that it is deleted', async () => (await a.call('GET', `/v1/endpoints/${endpoint.id}`)).status === 404);
    await b.call('PATCH', `/v1/sources/${source.id}`, { active: false });
    await within(HEARD_MS, 'that it is paused', async () => (await a.call('POST', source.ingestPath, {})).body.code === 'source_paused');
    await sink.close();
  });

  it('changes of one endpoint at both nodes at once all stand', async () => {
    const { body: endpoint } = await a.call('POST', '/v1/endpoints', { url: 'https://shop.example/hook' });
    await within(HEARD_MS, 'the endpoint', async () => (await b.call('GET', `/v1/endpoints/${endpoint.id}`)).status === 200);
    const path = `/v1/endpoints/${endpoint.id}`;
    const answers = await Promise.all([
      a.call('PATCH', path, { maxInFlight: 3 }),
      b.call('PATCH', path, { timeout: '7s' }),
      a.call('PATCH', path, { events: ['payment.*'] }),
      b.call('PATCH', path, { ordered: true }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    for (const node of [a, b]) {
      await within(HEARD_MS, 'all four changes', async () => {
        const { maxInFlight, timeout, events, ordered } = (await node.call('GET', path)).body;
        return JSON.stringify([maxInFlight, timeout, events, ordered]) === '[3,"7s",["payment.*"],true]';
      });
    }
  });

  it('secrets rotated at both nodes at once are both in use, and so is the one before', async () => {
    const { body: endpoint } = await a.call('POST', '/v1/endpoints', { url: 'https://shop.example/rotated' });
    const path = `/v1/endpoints/${endpoint.id}`;
    await within(HEARD_MS, 'the endpoint', async () => (await b.call('GET', path)).status === 200);
    const rotated = await Promise.all([a, b].map((node) => node.call('POST', `${path}/rotate-secret`, { overlap: '1h' })));
    assert.deepEqual(
      rotated.map(({ status }) => status),
      [200, 200],
    );
    const rows = await database.sql(`SELECT version FROM endpoints WHERE id = '${endpoint.id}'`);
    for (const node of [a, b])
      await within(
        HEARD_MS,
        'both',
        async () => (await node.call('GET', '/readyz')).body.directory.version >= Number(rows[0]?.['version']),
      );
    const secrets = await Promise.all([a, b].map(async (node) => (await node.call('GET', `${path}/secret`)).body));
    assert.deepEqual(secrets[0], secrets[1]);
    const text = JSON.stringify(secrets[0]);
    for (const secret of [endpoint.secret, ...rotated.map(({ body }) => body.secret)]) assert.ok(text.includes(secret), 'one was lost');
  });

  it('a key withdrawn at one opens nothing at the other', async () => {
    const { body: made } = await a.call('POST', '/v1/api-keys', { name: 'short', admin: true });
    const withKey = api(b.url, made.key);
    await within(HEARD_MS, 'the key', async () => (await withKey.call('GET', '/v1/sources')).status === 200);
    await a.call('DELETE', `/v1/api-keys/${made.id}`);
    await within(HEARD_MS, 'that it is withdrawn', async () => (await withKey.call('GET', '/v1/sources')).status === 401);
  });

  it('a session opened at one is open at the other at once, and ends at both', async () => {
    const opened = await a.call('POST', '/v1/session', { key: ADMIN_KEY });
    const cookie = opened.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const session = (node: TestServer, method = 'GET'): Promise<Response> =>
      fetch(`${node.url}/v1/session`, { method, headers: { cookie } });
    assert.deepEqual([(await session(a)).status, (await session(b)).status], [200, 200]);
    assert.equal((await session(b, 'DELETE')).status, 204);
    assert.equal((await session(b)).status, 401);
    await within(HEARD_MS, 'that it is signed out', async () => (await session(a)).status === 401);
  });

  it('each shows itself and the other, and what it knows of the directory', async () => {
    await within(HEARD_MS, 'each other', async () =>
      (await Promise.all([a, b].map((node) => node.call('GET', '/readyz')))).every(({ body }) => body.node.others === 1),
    );
    const [one, two] = await Promise.all([a, b].map(async (node) => (await node.call('GET', '/readyz')).body));
    assert.notEqual(one.node.id, two.node.id);
    assert.deepEqual([one.status, one.directory.behind, one.directory.unreadable], ['ready', 0, 0]);
    assert.match((await a.call('GET', '/metrics')).body, /^paybell_other_nodes 1$/m);
  });

  it('a node with other master keys does not start, and says why', async () => {
    const other = `shared:${Buffer.alloc(32, 6).toString('base64')}`;
    await assert.rejects(
      startServer({ env: { PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: other } }),
      /not the master keys that this store was written with/,
    );
    await assert.rejects(startServer({ env: { PAYBELL_DATABASE_URL: database.url } }), /master key is missing.*PAYBELL_MASTER_KEYS/);
  });

  it('a row sealed with a key that a running node lacks is shown, and its old secrets stay in use', async () => {
    const key = `next:${Buffer.alloc(32, 8).toString('base64')}`;
    const before = await a.call('POST', '/v1/endpoints', { url: 'https://shop.example/sealed' });
    const path = `/v1/endpoints/${before.body.id}`;
    const shared = `shared:${Buffer.alloc(32, 5).toString('base64')}`;
    const c = await startServer({ env: { PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: `${key},${shared}` } });
    await c.call('POST', `${path}/rotate-secret`, { overlap: '1h' });
    await within(HEARD_MS, 'degraded', async () => (await a.call('GET', '/readyz')).body.status === 'degraded');
    assert.equal((await a.call('GET', '/readyz')).status, 200);
    assert.equal((await a.call('GET', `${path}/secret`)).body.secret, before.body.secret);
    await c.stop();
  });
});
