import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Refusal, REFUSALS } from '../../src/engine/refusal.ts';
import { PROBLEMS, PROBLEM_CODES, Problem, problemDocument, toProblem } from '../../src/http/problems.ts';
import type { ProblemCode } from '../../src/http/problems.ts';
import { codeOf, paymentBody, startServer } from './setup.ts';
import type { Answer, TestServer } from './setup.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const post = (path: string, body: unknown): Promise<Answer> => server.call('POST', path, { body });
const endpoint = (more: object): Promise<Answer> => post('/v1/endpoints', { url: 'https://example.com/hook', ...more });
const event = { type: 'payment.completed', data: { id: 'x' } };
const send = (key: string, body: unknown): Promise<Answer> =>
  server.call('POST', '/v1/events', { body, headers: { 'idempotency-key': key } });

/** One call for every code that a caller can bring about. */
const CALLS: Partial<Record<ProblemCode, () => Promise<Answer>>> = {
  bad_request: () => server.call('GET', '/v1/sources/%E0%A4%A'),
  invalid_json: () => server.call('POST', '/v1/sources', { raw: '{"provider":', headers: { 'content-type': 'application/json' } }),
  body_required: () => server.call('POST', '/v1/events', { raw: '', headers: { 'content-type': 'application/json' } }),
  invalid_query: () => server.call('GET', '/v1/events?limit=0'),
  invalid_cursor: () => server.call('GET', '/v1/events?cursor=made-up'),
  unauthorized: () => server.call('GET', '/v1/sources', { key: 'wrong' }),
  signature_rejected: async () => (await server.source()).post(paymentBody(), { 'x-serixpay-signature': '00'.repeat(32) }),
  forbidden: async () => server.call('GET', '/v1/sources?merchant=default', { key: await server.merchant('errors-a') }),
  origin_refused: () => server.call('POST', '/v1/session', { body: { key: 'k' }, headers: { origin: 'https://evil.example' } }),
  not_found: () => server.call('GET', '/v1/transactions/txn_none'),
  route_not_found: () => server.call('GET', '/v1/source'),
  unknown_source: () => server.call('POST', '/in/src_none', { raw: '{}' }),
  source_paused: async () => {
    const source = await server.source();
    await server.call('PATCH', `/v1/sources/${source.id}`, { body: { active: false } });
    return source.post(paymentBody());
  },
  method_not_allowed: () => server.call('PUT', '/v1/sources'),
  conflict: async () => {
    await post('/v1/merchants', { id: 'twice', name: 'Twice' });
    return post('/v1/merchants', { id: 'twice', name: 'Twice' });
  },
  payload_too_large: () => post('/v1/events', { type: 'payment.completed', data: { long: 'x'.repeat(300_000) } }),
  unsupported_media_type: () =>
    server.call('POST', '/v1/sources', { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  unsupported_encoding: () =>
    server.call('POST', '/v1/events', { raw: 'x', headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' } }),
  invalid_body: () => post('/v1/sources', { provider: 'serixpay', secrt: 'x' }),
  unknown_provider: () => post('/v1/sources', { provider: 'serixpya', secret: 'x' }),
  invalid_options: () => post('/v1/sources', { provider: 'serixpay', secret: 'long-enough-secret', options: { colour: 'red' } }),
  invalid_secret: () => endpoint({ provider: 'paybell', secret: 'no standard secret' }),
  invalid_url: () => endpoint({ url: 'ftp://example.com/' }),
  address_blocked: () => endpoint({ url: 'https://169.254.169.254/latest' }),
  invalid_retry: () => endpoint({ retry: { delays: Array.from({ length: 100 }, () => '366d') } }),
  invalid_timeout: () => endpoint({ timeout: '300d' }),
  invalid_headers: () => endpoint({ headers: { host: 'example.com' } }),
  ping_failed: () => endpoint({ url: 'http://127.0.0.1:2/nobody-listens', ping: true }),
  invalid_event_type: () => post('/v1/events', { ...event, type: 'payment completed\n' }),
  idempotency_conflict: async () => {
    await send('errors-1', event);
    return send('errors-1', { ...event, data: { id: 'y' } });
  },
};

/** Brought about elsewhere, where it can be done without breaking this server. */
const ELSEWHERE: Partial<Record<ProblemCode, string>> = {
  request_timeout: 'door.test.ts',
  headers_too_large: 'door.test.ts',
  closing: 'door.test.ts',
  too_many_streams: 'streams.test.ts',
  expired: 'retention.test.ts',
  internal: 'below',
  overloaded: 'below',
  store_down: 'below',
};

describe('problem documents', () => {
  it('every code of the table is brought about by a test', () => {
    assert.deepEqual([...Object.keys(CALLS), ...Object.keys(ELSEWHERE)].sort(), [...PROBLEM_CODES].sort());
  });

  for (const [code, call] of Object.entries(CALLS)) {
    it(`answers ${code}`, async () => {
      const answer = await call();
      assert.equal(codeOf(answer), code, answer.text);
      assert.equal(answer.status, PROBLEMS[code as ProblemCode].status);
    });
  }

  it('gives every refusal of the engine its own code', () => {
    for (const code of REFUSALS) assert.equal(toProblem(new Refusal(code, 'A sentence.')).code, code);
  });

  it('says nothing of the cause of what nobody foresaw', () => {
    const document = JSON.stringify(problemDocument(toProblem(new TypeError('secret whsec_abc')), '/x'));
    assert.equal(toProblem(new TypeError('x')).code, 'internal');
    assert.doesNotMatch(document, /whsec/);
  });

  it("calls a driver's error store_down, to be tried again", () => {
    const error = Object.assign(new Error('disk full'), { name: 'StorageError' });
    const { code, retryable } = problemDocument(toProblem(error), '/x');
    assert.deepEqual([code, retryable], ['store_down', true]);
  });

  it('names every wrong field, and the right name of one that was misspelt', async () => {
    const { json } = await post('/v1/endpoints', { urll: 'https://example.com', maxInFlight: 0, retry: { delays: [] } });
    const messages = Object.fromEntries((json.errors as { path: string; message: string }[]).map(({ path, message }) => [path, message]));
    assert.match(messages['urll']!, /Did you mean url\?/);
    assert.match(messages['url']!, /required/);
    assert.ok('maxInFlight' in messages);
  });

  const said = (answer: Answer): string => (answer.json as { detail: string }).detail;

  it('says what a field should be in words, not as a pattern or a schema', async () => {
    assert.equal(said(await endpoint({ timeout: '5 min' })), 'timeout: must be a duration such as 30s, 5m or 20h.');
    assert.equal(said(await endpoint({ disableAfter: 'soon' })), 'disableAfter: must be a duration such as 30s, 5m or 20h, or never.');
    assert.equal(said(await endpoint({ events: '*' })), 'events: must be a list.');
    assert.equal(said(await endpoint({ events: [] })), 'events: must have at least 1 item.');
    assert.equal(said(await endpoint({ provider: 5 })), 'provider: must be a text.');
    assert.equal(said(await endpoint({ ordered: 'yes' })), 'ordered: must be true or false.');
    assert.equal(said(await endpoint({ maxInFlight: 0 })), 'maxInFlight: must be at least 1.');
    assert.equal(said(await endpoint({ maxInFlight: 1000 })), 'maxInFlight: must be at most 256.');
    assert.equal(said(await endpoint({ maxInFlight: 1.5 })), 'maxInFlight: must be a whole number.');
    assert.equal(said(await post('/v1/endpoints', [])), 'The body must be an object.');
    assert.equal(said(await post('/v1/sources', { provider: 'serixpay', secret: '' })), 'secret: must not be empty.');
    assert.equal(
      said(await server.call('GET', '/v1/transactions?from=yesterday')),
      'from: must be an RFC 3339 time such as 2026-01-31T12:00:00Z.',
    );
    assert.equal(said(await server.call('GET', '/v1/events?since=now')), 'since: must be an RFC 3339 time such as 2026-01-31T12:00:00Z.');
    assert.equal(said(await server.call('GET', '/v1/stats?window=15x')), 'window: must be a duration such as 30s, 5m or 20h.');
    assert.equal(said(await server.call('GET', '/v1/events?limit=many')), 'limit: must be a whole number.');
  });

  it('names what is wrong with a value that nobody else would notice', async () => {
    assert.match(said(await endpoint({ provider: 'serixpai' })), /no provider "serixpai"\. Did you mean serixpay\?/);
    assert.match(said(await server.call('GET', '/v1/transactions?provider=serixpai')), /provider: .*Did you mean serixpay\?/);
    assert.match(said(await server.call('GET', '/v1/endpoints/end_none')), /no such endpoint; see GET \/v1\/endpoints/);
    assert.match(said(await server.call('GET', '/v1/sources/src_none')), /no such source; see GET \/v1\/sources/);
    assert.match(said(await post('/v1/sources', { provider: 'serixpay' })), /"secret"/);
    const since = '2026-01-01T00:00:00Z';
    const resend = (more: object): Promise<Answer> => post('/v1/events/resend', { since, dryRun: true, ...more });
    assert.match(said(await resend({ until: '2025-01-01T00:00:00Z' })), /"until" is before "since"/);
    assert.match(said(await resend({ endpoint: 'end_none' })), /no such endpoint/);
  });

  it('answers a ping that failed with plain JSON numbers', async () => {
    const { json } = await endpoint({ url: 'http://127.0.0.1:2/nobody-listens', ping: true });
    const times = [json.ping.durationMs, ...Object.values(json.ping.timings as Record<string, unknown>)];
    for (const ms of times) assert.ok(ms === null || typeof ms === 'number', JSON.stringify(ms));
  });

  it('names the field in a batch by its place', async () => {
    const { json } = await post('/v1/events/batch', {
      events: [event, { ...event, ocurredAt: 'x' }, { ...event, occurredAt: 'yesterday' }],
    });
    assert.deepEqual(
      (json.errors as { path: string }[]).map(({ path }) => path),
      ['events.1.ocurredAt', 'events.2.occurredAt'],
    );
    assert.match(json.detail, /Did you mean occurredAt\?/);
  });

  it('refuses unknown query parameters on every list', async () => {
    for (const path of [
      'sources',
      'requests',
      'endpoints',
      'events',
      'deliveries',
      'transactions',
      'stats',
      'merchants',
      'api-keys',
      'providers',
      'live',
    ]) {
      const answer = await server.call('GET', `/v1/${path}?lmit=1`);
      assert.equal(codeOf(answer), 'invalid_query', path);
    }
  });

  it('lists the methods that an address takes', async () => {
    const answer = await server.call('PUT', '/v1/sources/src_1');
    assert.equal(answer.headers.get('allow'), 'GET, PATCH, DELETE');
  });

  it('is a Problem only once', () => {
    const problem = new Problem('conflict', 'x');
    assert.equal(toProblem(problem), problem);
  });
});
