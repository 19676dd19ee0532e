import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { codeOf, paymentBody, startServer } from './setup.ts';
import type { Answer, TestServer } from './setup.ts';

let server: TestServer;
let mine: string;
let theirs: string;
/** One id of each kind, of the merchant `theirs`. */
const ids: Record<string, string> = {};

before(async () => {
  server = await startServer();
  [mine, theirs] = [await server.merchant('mine'), await server.merchant('theirs')];
  const source = await server.source(theirs);
  ids['sources'] = source.id;
  const endpoint = { url: 'http://127.0.0.1:2/never', events: ['*'] };
  ids['endpoints'] = (await server.call('POST', '/v1/endpoints', { key: theirs, body: endpoint })).json.id;
  assert.equal((await source.post(paymentBody())).status, 200);
  const again = await server.call('POST', '/v1/events/resend', { key: theirs, body: { since: '2020-01-01T00:00:00Z' } });
  ids['resends'] = again.json.resend.id;
  for (const kind of ['requests', 'events', 'deliveries', 'transactions']) {
    ids[kind] = (await server.call('GET', `/v1/${kind}`, { key: theirs })).json.data[0].id;
  }
});
after(() => server.stop());

/** The least body that a call takes. */
const BODIES: Record<string, unknown> = { 'patch /v1/sources/{id}': { name: 'x' }, 'patch /v1/endpoints/{id}': { active: false } };

async function callsById(): Promise<[string, string][]> {
  const { paths } = (await server.call('GET', '/openapi.json')).json as { paths: Record<string, object> };
  return Object.entries(paths)
    .filter(([path]) => path.includes('{id}'))
    .flatMap(([path, methods]) => Object.keys(methods).map((method): [string, string] => [method, path]));
}

describe('one merchant and another', () => {
  it("answers 404 to every call with an id of somebody else, as to an id that is nobody's", async () => {
    const calls = await callsById();
    assert.ok(calls.length >= 17, `only ${calls.length} calls by id are described`);
    for (const [method, path] of calls) {
      const kind = path.split('/')[2]!;
      if (kind === 'api-keys') continue;
      const body = BODIES[`${method} ${path}`];
      const call = (id: string, key: string): Promise<Answer> =>
        server.call(method.toUpperCase(), path.replace('{id}', id), { key, ...(body === undefined ? {} : { body }) });
      const [other, nobodys] = [await call(ids[kind]!, mine), await call('none_1', mine)];
      assert.equal(codeOf(other), 'not_found', `${method} ${path}`);
      assert.equal(other.json.detail, nobodys.json.detail, 'the two cannot be told apart');
    }
  });

  it('shows the owner and the admin what it hides from others', async () => {
    for (const key of [theirs, undefined]) {
      for (const kind of Object.keys(ids)) {
        const answer = await server.call('GET', `/v1/${kind}/${ids[kind]}`, key === undefined ? {} : { key });
        assert.deepEqual([answer.status, answer.json.id, answer.json.merchant], [200, ids[kind], 'theirs'], kind);
      }
    }
  });

  it('lists only the own rows; the admin names a merchant, else sees `default`', async () => {
    for (const kind of Object.keys(ids)) {
      assert.deepEqual((await server.call('GET', `/v1/${kind}`, { key: mine })).json.data, [], kind);
      assert.deepEqual((await server.call('GET', `/v1/${kind}`)).json.data, [], kind);
      assert.ok((await server.call('GET', `/v1/${kind}?merchant=theirs`)).json.data.length > 0, kind);
      assert.equal(codeOf(await server.call('GET', `/v1/${kind}?merchant=theirs`, { key: mine })), 'forbidden', kind);
    }
    assert.deepEqual((await server.call('GET', '/v1/stats', { key: mine })).json.standing, []);
    assert.equal((await server.call('GET', '/v1/stats', { key: theirs })).json.standing.length, 1);
    assert.deepEqual(
      (await server.call('GET', '/v1/merchants', { key: mine })).json.data.map(({ id }: { id: string }) => id),
      ['mine'],
    );
  });

  it('lets nobody write for another merchant', async () => {
    const event = { type: 'payment.completed', data: {} };
    const bodies: Record<string, object> = {
      sources: { provider: 'serixpay', secret: 'long-enough-secret' },
      endpoints: { url: 'https://example.com/hook' },
      events: event,
      'events/batch': { events: [event] },
      'events/resend': { since: '2026-01-01T00:00:00Z' },
    };
    for (const [path, body] of Object.entries(bodies)) {
      assert.equal(
        codeOf(await server.call('POST', `/v1/${path}`, { key: mine, body: { ...body, merchant: 'theirs' } })),
        'forbidden',
        path,
      );
    }
  });

  it("resends nothing of somebody else, whoever's endpoint is named", async () => {
    const answer = await server.call('POST', '/v1/events/resend', { key: mine, body: { since: '2020-01-01T00:00:00Z', dryRun: true } });
    assert.deepEqual([answer.status, answer.json.events, answer.json.deliveries], [202, 0, 0]);
    const own = (await server.call('POST', '/v1/events', { key: mine, body: { type: 'payment.completed', data: { id: 'a' } } })).json
      .id as string;
    assert.equal(
      codeOf(await server.call('POST', `/v1/events/${own}/resend`, { key: mine, body: { endpoint: ids['endpoints'] } })),
      'not_found',
    );
  });

  it("keeps what is the operator's from merchants", async () => {
    const admins: [string, string, unknown?][] = [
      ['POST', '/v1/merchants', { name: 'x' }],
      ['GET', '/v1/api-keys'],
      ['POST', '/v1/api-keys', { name: 'x' }],
      ['DELETE', '/v1/api-keys/key_1'],
    ];
    for (const [method, path, body] of admins) {
      assert.equal(codeOf(await server.call(method, path, { key: mine, ...(body === undefined ? {} : { body }) })), 'forbidden', path);
    }
  });

  it('shows a key once, and never again its text or its hash', async () => {
    const made = (await server.call('POST', '/v1/api-keys', { body: { name: 'shown once', merchant: 'mine' } })).json;
    const list = await server.call('GET', '/v1/api-keys?limit=200');
    assert.ok(list.text.includes(made.id));
    assert.ok(!list.text.includes(made.key) && !/hash/.test(list.text));
    assert.equal((await server.call('GET', '/v1/sources', { key: made.key })).status, 200);
    assert.equal((await server.call('DELETE', `/v1/api-keys/${made.id}`)).status, 204);
    assert.equal(codeOf(await server.call('GET', '/v1/sources', { key: made.key })), 'unauthorized');
  });
});
