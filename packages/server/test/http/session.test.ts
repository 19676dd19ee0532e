import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { makeVault } from '../../src/config/vault.ts';
import { Sessions } from '../../src/http/sessions.ts';
import { ADMIN, codeOf, startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

async function signIn(key = ADMIN): Promise<{ readonly cookie: string; readonly header: string }> {
  const answer = await server.call('POST', '/v1/session', { key: null, body: { key } });
  assert.equal(answer.status, 200);
  const header = answer.headers.get('set-cookie')!;
  return { header, cookie: header.split(';', 1)[0]! };
}

const withCookie = (method: string, path: string, cookie: string, more: { headers?: Record<string, string>; body?: unknown } = {}) =>
  server.call(method, path, { key: null, ...more, headers: { cookie, ...more.headers } });

describe('sessions', () => {
  it('trade a key for a cookie that scripts and other sites cannot use', async () => {
    const { header, cookie } = await signIn();
    assert.match(header, /; HttpOnly/);
    assert.match(header, /; SameSite=Strict/);
    assert.ok(!header.includes(ADMIN), 'the key itself is not in it');
    assert.deepEqual((await withCookie('GET', '/v1/session', cookie)).json, { merchant: null, admin: true });
    assert.equal((await withCookie('GET', '/v1/sources', cookie)).status, 200);
  });

  it('stay with the merchant of the key', async () => {
    const { cookie } = await signIn(await server.merchant('session-a'));
    assert.deepEqual((await withCookie('GET', '/v1/session', cookie)).json, { merchant: 'session-a', admin: false });
    assert.equal(codeOf(await withCookie('GET', '/v1/sources?merchant=default', cookie)), 'forbidden');
  });

  it('change nothing when another site, or another port of this host, sends them', async () => {
    const { cookie } = await signIn();
    const body = { name: 'by session' };
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null']) {
      assert.equal(codeOf(await withCookie('POST', '/v1/merchants', cookie, { body, headers: { origin } })), 'origin_refused', origin);
    }
    assert.equal((await withCookie('POST', '/v1/merchants', cookie, { body, headers: { origin: server.url } })).status, 201);
  });

  it('end when signed out, when the key is withdrawn, and for made-up tokens', async () => {
    const { cookie } = await signIn();
    const out = await withCookie('DELETE', '/v1/session', cookie);
    assert.equal(out.status, 204);
    assert.match(out.headers.get('set-cookie')!, /Max-Age=0/);
    assert.equal(codeOf(await withCookie('GET', '/v1/session', cookie)), 'unauthorized');

    const made = (await server.call('POST', '/v1/api-keys', { body: { name: 'short', admin: true } })).json;
    const second = await signIn(made.key);
    await server.call('DELETE', `/v1/api-keys/${made.id}`);
    assert.equal(codeOf(await withCookie('GET', '/v1/session', second.cookie)), 'unauthorized');
    assert.equal(codeOf(await withCookie('GET', '/v1/session', 'paybell_session=made-up')), 'unauthorized');
    assert.equal(codeOf(await server.call('POST', '/v1/session', { key: null, body: { key: 'wrong' } })), 'unauthorized');
  });

  it('end after twelve hours, and are nothing where the seal is another', () => {
    let now = 1_000;
    const parts = { clock: { now: () => now }, directory: { endSession: async () => undefined, isEnded: () => false } };
    const seals = ['a', 'b'].map((name) => makeVault([{ name, bytes: randomBytes(32) }], randomBytes));
    const [sessions, others] = seals.map((vault) => new Sessions({ ...parts, vault })) as [Sessions, Sessions];
    const { token } = sessions.open({ key: 'key_1', merchant: null });
    now += 12 * 3_600_000 - 1;
    assert.equal(sessions.find(token)?.key, 'key_1');
    assert.equal(others.find(token), null);
    assert.equal(sessions.find(`${token}x`), null);
    now += 1;
    assert.equal(sessions.find(token), null);
  });
});
