import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { verify } from '@paybell/sdk';
import type { EndpointRow } from '../../src/http/schema/endpoints.ts';
import { startSink } from '../support/sink.ts';
import type { Sink, SinkCall } from '../support/sink.ts';
import { codeOf, startServer } from './setup.ts';
import type { Answer, TestServer } from './setup.ts';

let server: TestServer;
let sink: Sink;
before(async () => {
  server = await startServer();
});
after(() => server.stop());
beforeEach(async (context) => {
  sink = await startSink();
  if ('after' in context) context.after(() => sink.close());
});

const create = (body: Record<string, unknown> = {}): Promise<Answer> =>
  server.call('POST', '/v1/endpoints', { body: { url: sink.url, ...body } });
const change = (id: string, body: Record<string, unknown>): Promise<Answer> => server.call('PATCH', `/v1/endpoints/${id}`, { body });
const detailOf = (answer: Answer): string => answer.json.detail as string;

let sent = 0;
/** Publishes to this endpoint alone and waits for the call. */
async function delivered(id: string): Promise<SinkCall> {
  for (const other of (await server.call('GET', '/v1/endpoints?limit=100')).json.data as EndpointRow[])
    if (other.id !== id && other.active) await change(other.id, { active: false });
  const before = sink.calls.length;
  const { status } = await server.call('POST', '/v1/events', { body: { type: 'payment.succeeded', data: { id: `p${++sent}` } } });
  assert.equal(status, 202);
  await sink.reached(before + 1);
  return sink.calls.at(-1) as SinkCall;
}

const judged = ({ body, headers }: SinkCall, secret: string): boolean => verify('paybell', { body, headers, secret, now: Date.now() }).ok;

describe('signing with a key pair', () => {
  it('v1a: the receiver gets the public key, the secret half is never shown', async () => {
    const made = await create({ signing: 'v1a' });
    assert.equal(made.status, 201);
    const { id, secret, publicKey, signing } = made.json;
    assert.match(secret, /^whpk_/);
    assert.deepEqual([publicKey, signing], [secret, 'v1a']);
    const shown = await server.call('GET', `/v1/endpoints/${id}/secret`);
    assert.deepEqual(shown.json, { secret, secrets: [secret], publicKey: secret, previousValidUntil: null });
    const everything = [made, shown, await server.call('GET', `/v1/endpoints/${id}`), await server.call('GET', '/v1/endpoints')];
    for (const { text } of everything) assert.ok(!text.includes('whsk_'));
    const call = await delivered(id);
    assert.match(String(call.headers['webhook-signature']), /^v1a,\S{88}$/);
    assert.equal(judged(call, secret), true);
  });

  it('both: one header with both signatures, each checked with its own', async () => {
    const { id, secret, publicKey } = (await create({ signing: 'both' })).json;
    assert.match(secret, /^whsec_/);
    const call = await delivered(id);
    assert.match(String(call.headers['webhook-signature']), /^v1,\S{44} v1a,\S{88}$/);
    assert.deepEqual([judged(call, secret), judged(call, publicKey)], [true, true]);
    const headers = Object.fromEntries(Object.entries(call.headers).map(([name, value]) => [name, String(value)]));
    assert.ok(new Webhook(secret).verify(call.body.toString(), headers));
  });

  it('rotation turns both, and during the overlap the old ones sign too', async () => {
    const { id, secret, publicKey } = (await create({ signing: 'both' })).json;
    const turned = await server.call('POST', `/v1/endpoints/${id}/rotate-secret`, { body: { overlap: '1h' } });
    assert.equal(turned.status, 200);
    assert.notEqual(turned.json.secret, secret);
    assert.notEqual(turned.json.publicKey, publicKey);
    const call = await delivered(id);
    for (const key of [secret, publicKey, turned.json.secret, turned.json.publicKey]) assert.equal(judged(call, key), true);
    const { secrets, previousValidUntil } = (await server.call('GET', `/v1/endpoints/${id}/secret`)).json;
    assert.equal(previousValidUntil, turned.json.previousValidUntil);
    assert.deepEqual(secrets, [turned.json.secret, turned.json.publicKey, secret, publicKey]);
    await server.call('POST', `/v1/endpoints/${id}/rotate-secret`, { body: { overlap: '0s' } });
    assert.equal((await server.call('GET', `/v1/endpoints/${id}/secret`)).json.previousValidUntil, null);
    const later = await delivered(id);
    for (const key of [secret, publicKey, turned.json.secret, turned.json.publicKey]) assert.equal(judged(later, key), false);
  });

  it('an endpoint moves from one way to the other, through both or at once', async () => {
    const { id, secret } = (await create()).json;
    const both = (await change(id, { signing: 'both' })).json;
    assert.equal(both.signing, 'both');
    const during = await delivered(id);
    assert.deepEqual([judged(during, secret), judged(during, both.publicKey)], [true, true]);
    assert.equal((await change(id, { signing: 'v1a' })).json.publicKey, both.publicKey);
    const afterwards = await delivered(id);
    assert.deepEqual([judged(afterwards, secret), judged(afterwards, both.publicKey)], [false, true]);
    assert.deepEqual((await change(id, { signing: 'v1' })).json.publicKey, null);
  });

  it('a key pair of your own is taken, half of one is not', async () => {
    const { publicKey } = (await create({ signing: 'v1a' })).json;
    const answer = await create({ secret: publicKey });
    assert.deepEqual([answer.status, codeOf(answer)], [422, 'invalid_secret']);
    assert.match(detailOf(answer), /public key, which cannot sign/);
    const seed = Buffer.alloc(32, 5).toString('base64');
    const own = await create({ secret: `whsk_${seed}` });
    assert.deepEqual([own.status, own.json.signing], [201, 'v1a']);
    assert.ok(!own.text.includes(seed));
    assert.equal(judged(await delivered(own.json.id), own.json.secret), true);
    assert.equal(codeOf(await create({ secret: `whsk_${seed}`, signing: 'v1' })), 'invalid_secret');
    assert.equal(codeOf(await create({ secret: 'whsk_AAAA' })), 'invalid_secret');
  });

  it('other providers sign in one way, and no key pair is carried over to them', async () => {
    assert.equal(codeOf(await create({ provider: 'serixpay', signing: 'v1a' })), 'invalid_options');
    const { id } = (await create({ signing: 'v1a' })).json;
    const moved = await change(id, { provider: 'serixpay' });
    assert.equal(codeOf(moved), 'invalid_secret');
    assert.match(detailOf(moved), /Set "signing" to "v1" first/);
    await change(id, { signing: 'v1' });
    assert.deepEqual([(await change(id, { provider: 'serixpay' })).json.signing], [null]);
  });

  it('a source takes the public key, and a forged request stays out', async () => {
    const { id: endpoint, publicKey } = (await create({ signing: 'v1a' })).json;
    const source = (await server.call('POST', '/v1/sources', { body: { provider: 'paybell', secret: publicKey } })).json;
    const call = await delivered(endpoint);
    const headers = Object.fromEntries(
      ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(call.headers[name])]),
    );
    assert.equal((await server.call('POST', `/in/${source.id}`, { key: null, raw: call.body, headers })).status, 200);
    const changed = Buffer.from(`${call.body.toString()} `);
    assert.equal((await server.call('POST', `/in/${source.id}`, { key: null, raw: changed, headers })).status, 401);
  });
});

describe("signing with the merchant's API key (MakaPay)", () => {
  it('the key signs, and a new one takes over', async () => {
    const made = await create({ provider: 'makapay', secret: 'mk_live_of_the_merchant' });
    assert.deepEqual([made.status, made.json.secret], [201, 'mk_live_of_the_merchant']);
    const signature = (key: string, call: SinkCall): string => createHmac('sha256', key).update(call.body).digest('hex');
    const call = await delivered(made.json.id);
    assert.equal(call.headers['x-signature'], signature('mk_live_of_the_merchant', call));
    const turned = await server.call('POST', `/v1/endpoints/${made.json.id}/rotate-secret`, { body: { secret: 'mk_next', overlap: '0s' } });
    assert.deepEqual([turned.status, turned.json.secret], [200, 'mk_next']);
    const next = await delivered(made.json.id);
    assert.equal(next.headers['x-signature'], signature('mk_next', next));
    const again = await server.call('POST', `/v1/endpoints/${made.json.id}/rotate-secret`, { body: { secret: 'mk_next' } });
    assert.equal(codeOf(again), 'invalid_secret');
  });
});

describe('custom headers', () => {
  const headers = { Authorization: 'Bearer very-secret-1', 'X-Shop': 'nairobi', 'X-Api-Key': 'very-secret-2' };

  it('go with every call; what looks like a secret is shown nowhere, and is not in the log', async () => {
    const made = await create({ headers });
    assert.deepEqual([made.status, made.json.headers], [201, { authorization: '[hidden]', 'x-shop': 'nairobi', 'x-api-key': '[hidden]' }]);
    const call = await delivered(made.json.id);
    assert.deepEqual(
      ['authorization', 'x-shop', 'x-api-key'].map((name) => call.headers[name]),
      ['Bearer very-secret-1', 'nairobi', 'very-secret-2'],
    );
    const [row] = (await server.call('GET', `/v1/deliveries?endpoint=${made.json.id}`)).json.data;
    // The endpoint had it before the attempt was written down.
    let story = await server.call('GET', `/v1/deliveries/${row.id}`);
    for (let looks = 0; story.json.status === 'pending' && looks < 1_000; looks += 1)
      story = await server.call('GET', `/v1/deliveries/${row.id}`);
    const test = await server.call('POST', `/v1/endpoints/${made.json.id}/test`, { body: {} });
    for (const answer of [story.json.attempts[0], test.json]) {
      const { authorization, 'x-shop': shop } = answer.request.headers;
      assert.deepEqual([authorization, shop], ['[hidden]', 'nairobi']);
    }
    assert.ok(!(story.text + test.text).includes('very-secret'));
  });

  it('a change keeps what is sent back hidden, and replaces the rest', async () => {
    const { id } = (await create({ headers })).json;
    const changed = await change(id, { headers: { authorization: '[hidden]', 'x-new': '1' } });
    assert.deepEqual(changed.json.headers, { authorization: '[hidden]', 'x-new': '1' });
    const call = await delivered(id);
    assert.deepEqual(
      ['authorization', 'x-new', 'x-shop'].map((name) => call.headers[name]),
      ['Bearer very-secret-1', '1', undefined],
    );
    assert.deepEqual((await change(id, { headers: {} })).json.headers, {});
    assert.equal((await delivered(id)).headers['authorization'], undefined);
  });

  it('reserved names and hostile values are refused, at creation and at a change', async () => {
    const { id } = (await create()).json;
    for (const bad of [
      { Host: 'evil.example' },
      { 'content-length': '0' },
      { 'webhook-signature': 'v1,x' },
      { 'x-a': 'b\r\nx-c: d' },
      { 'x-a': 'é' },
    ])
      for (const answer of [await create({ headers: bad }), await change(id, { headers: bad })])
        assert.deepEqual([answer.status, codeOf(answer)], [422, 'invalid_headers'], JSON.stringify(bad));
    assert.equal(codeOf(await create({ headers: { 'x-a': 1 } })), 'invalid_body');
    const polluted = await server.call('POST', '/v1/endpoints', {
      raw: `{"url":"${sink.url}","headers":{"__proto__":"x"}}`,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(polluted.status, 422);
  });
});

describe('a test event before saving', () => {
  it('accepted: the endpoint is saved and the attempt is in the answer', async () => {
    const made = await create({ ping: true, events: ['refund.*'] });
    assert.equal(made.status, 201);
    assert.deepEqual([made.json.ping.outcome, made.json.ping.statusCode, sink.calls.length], ['succeeded', 200, 1]);
    const [call] = sink.calls;
    assert.ok(call !== undefined && judged(call, made.json.secret), 'signed with the secret that is saved');
    assert.match(call.body.toString(), /"type":"refund\./, 'an event that it selects');
  });

  it('not accepted: 422 with the cause and the attempt, and nothing is saved', async () => {
    const count = async (): Promise<number> => ((await server.call('GET', '/v1/endpoints?limit=200')).json.data as unknown[]).length;
    const before = await count();
    sink.answer(401);
    const refused = await create({ ping: true });
    assert.deepEqual([refused.status, codeOf(refused)], [422, 'ping_failed']);
    assert.match(detailOf(refused), /^Nothing was saved\. The endpoint refused the webhook \(HTTP 401\)\. See the answer/);
    assert.deepEqual([refused.json.ping.cause, refused.json.ping.statusCode], ['http_4xx', 401]);
    const { port } = new URL(sink.url);
    await sink.close();
    const gone = await create({ ping: true, url: `http://127.0.0.1:${port}/hook` });
    assert.deepEqual([codeOf(gone), gone.json.ping.cause], ['ping_failed', 'conn_refused']);
    assert.equal(await count(), before);
  });

  it('a change is tried as it would be, and only then made', async () => {
    const { id } = (await create({ active: false })).json;
    sink.answer((call) => (call.headers['x-shop'] === 'mombasa' ? 204 : 500));
    const refused = await change(id, { active: true, headers: { 'x-shop': 'kisumu' }, ping: true });
    assert.equal(codeOf(refused), 'ping_failed');
    const { active, headers } = (await server.call('GET', `/v1/endpoints/${id}`)).json;
    assert.deepEqual([active, headers], [false, {}]);
    const accepted = await change(id, { active: true, headers: { 'x-shop': 'mombasa' }, ping: true });
    assert.deepEqual([accepted.json.active, accepted.json.ping.statusCode], [true, 204]);
  });

  it('leaves no trace in the log of events', async () => {
    const before = (await server.call('GET', '/v1/events?limit=1')).json.data[0]?.id;
    await create({ ping: true });
    assert.equal((await server.call('GET', '/v1/events?limit=1')).json.data[0]?.id, before);
  });
});

describe('what is refused when it is saved', () => {
  it('URLs that could never be sent to', async () => {
    for (const [url, code] of [
      ['http://shop.example.com/hook', 201],
      ['http://93.184.216.34/hook', 'invalid_url'],
      ['https://10.0.0.1/hook', 'address_blocked'],
      ['https://169.254.169.254/latest', 'address_blocked'],
      ['https://user:pass@shop.example.com/', 'invalid_url'],
      ['ftp://shop.example.com/', 'invalid_url'],
      ['https://shop.example.com:25/', 'invalid_url'],
    ] as const) {
      const answer = await create({ url, active: false });
      assert.equal(answer.status === 201 ? 201 : codeOf(answer), code, url);
    }
  });

  it('events that nobody sends, with the nearest right name', async () => {
    const answer = await create({ events: ['refund.*', 'payment.suceeded'] });
    assert.deepEqual([answer.status, codeOf(answer)], [422, 'invalid_event_type']);
    assert.match(detailOf(answer), /Did you mean "payment\.succeeded"\?/);
    assert.equal((await create({ events: ['payment.suceeded'], customEvents: true })).status, 201);
  });
});
