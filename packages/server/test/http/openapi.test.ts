import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BATCH_FIELDS, BATCH_ITEM_FIELDS, BatchInput, PUBLISH_FIELDS, PublishInput } from '../../src/http/schema/events.ts';
import { startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

interface Operation {
  readonly summary?: string;
  readonly tags?: string[];
  readonly security?: unknown[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly parameters?: { readonly name: string; readonly in: string; readonly schema?: unknown }[];
  readonly responses: Record<string, { readonly description?: string; readonly content?: Record<string, { readonly schema?: unknown }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

/** As design/interface.md has it. */
const ROUTES = `
post /in/{source}
get /v1/sources · post /v1/sources · get /v1/sources/{id} · get /v1/sources/{id}/secret · patch /v1/sources/{id} · delete /v1/sources/{id} · post /v1/sources/{id}/reverify
get /v1/requests · get /v1/requests/{id} · get /v1/requests/{id}/body
get /v1/endpoints · post /v1/endpoints · get /v1/endpoints/{id} · patch /v1/endpoints/{id} · delete /v1/endpoints/{id}
get /v1/endpoints/{id}/secret · post /v1/endpoints/{id}/rotate-secret · post /v1/endpoints/{id}/test
get /v1/events · post /v1/events · post /v1/events/batch · get /v1/events/{id} · post /v1/events/{id}/resend · post /v1/events/resend
get /v1/resends · get /v1/resends/{id} · post /v1/resends/{id}/cancel
get /v1/deliveries · get /v1/deliveries/{id} · post /v1/deliveries/{id}/retry
get /v1/transactions · get /v1/transactions/{id} · get /v1/stats · get /v1/live · get /v1/providers
get /v1/merchants · post /v1/merchants · get /v1/api-keys · post /v1/api-keys · delete /v1/api-keys/{id}
get /v1/session · post /v1/session · delete /v1/session
get /healthz · get /readyz · get /metrics · get /openapi.json
`
  .split(/\n|·/)
  .map((route) => route.trim())
  .filter((route) => route !== '');

let server: TestServer;
let document: Document;
before(async () => {
  server = await startServer();
  document = (await server.call('GET', '/openapi.json', { key: null })).json as Document;
});
after(() => server.stop());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );

describe('the OpenAPI document', () => {
  it('has every route of the interface and no other', () => {
    assert.equal(document.openapi, '3.1.0');
    assert.deepEqual(
      operations()
        .map(([name]) => name)
        .sort(),
      [...ROUTES].sort(),
    );
  });

  it('describes what each takes, what it answers, and its problems', () => {
    for (const [name, { summary, tags, responses, security, parameters = [] }] of operations()) {
      assert.ok(summary !== undefined && tags?.length === 1, name);
      const [success] = Object.keys(responses).filter((status) => status.startsWith('2'));
      assert.ok(success !== undefined, `${name} has no success`);
      for (const [status, response] of Object.entries(responses)) assert.ok(response.description !== undefined, `${name} ${status}`);
      if (security === undefined)
        assert.ok(responses['401']?.content?.['application/problem+json']?.schema !== undefined, `${name} can be refused`);
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      assert.deepEqual(
        parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name),
        inPath,
        name,
      );
    }
  });

  it('has bodies where bodies are read', () => {
    const bodies = operations().filter(([, { requestBody }]) => requestBody !== undefined);
    assert.deepEqual(
      bodies.map(([name]) => name).sort(),
      ROUTES.filter((route) => /^(post|patch)/.test(route) && !/(reverify|retry|cancel)$/.test(route)).sort(),
    );
  });

  it('names no schema that it does not hold', () => {
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) assert.fail(`${reference} is not there`);
  });

  it('says of published events what the check by hand takes', () => {
    assert.deepEqual(PUBLISH_FIELDS.toSorted(), Object.keys(PublishInput.properties).sort());
    assert.deepEqual(BATCH_FIELDS.toSorted(), Object.keys(BatchInput.properties).sort());
    assert.deepEqual(BATCH_ITEM_FIELDS.toSorted(), Object.keys(BatchInput.properties.events.items.properties).sort());
  });
});

describe('operations', () => {
  it('answer health, readiness and metrics without a key', async () => {
    assert.deepEqual((await server.call('GET', '/healthz', { key: null })).json, { status: 'ok' });
    const ready = (await server.call('GET', '/readyz', { key: null })).json;
    assert.deepEqual([ready.status, ready.store.driver], ['ready', 'sqlite']);
    const source = await server.source();
    await source.post('{}', { 'x-serixpay-signature': 'wrong' });
    const { text } = await server.call('GET', '/metrics', { key: null });
    assert.match(text, /^paybell_requests_total\{verdict="rejected"\} [1-9]/m);
    assert.match(text, /^paybell_deliveries_finished_total\{status="succeeded"\} 0$/m);
    assert.match(text, /^nodejs_eventloop_lag_seconds /m);
    assert.doesNotMatch(text, new RegExp(source.id));
  });

  it('serve a page at / under a strict policy', async () => {
    const page = await server.call('GET', '/', { key: null });
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type')!, /^text\/html/);
    const policy = page.headers.get('content-security-policy')!;
    for (const rule of ["default-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"])
      assert.ok(policy.includes(rule), rule);
    assert.equal(page.headers.get('x-frame-options'), 'DENY');
  });
});
