import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forge, providers } from '@paybell/sdk';
import { customHeaders } from '../../src/engine/directory/custom-headers.ts';
import type { CustomHeaders } from '../../src/engine/directory/custom-headers.ts';
import { Refusal } from '../../src/engine/refusal.ts';
import type { EndpointRow } from '../../src/storage/contract.ts';
import { LOOK_MS, makeWorld, profile, secretOf } from '../support/world.ts';

const paybell = profile('paybell');
const kept = (given: CustomHeaders, before?: CustomHeaders): CustomHeaders =>
  customHeaders(given, { provider: paybell, options: null, ...(before && { before }) });

function refusalOf(given: CustomHeaders, more: Partial<Parameters<typeof customHeaders>[1]> = {}): string {
  try {
    customHeaders(given, { provider: paybell, options: null, ...more });
  } catch (error) {
    assert.ok(error instanceof Refusal && error.code === 'invalid_headers', String(error));
    assert.match(error.message, /^\S.*\.$/);
    return error.message;
  }
  return '';
}

describe('custom headers', () => {
  test('are kept with names in lower case', () => {
    assert.deepEqual(kept({ Authorization: 'Bearer abc.def', 'X-Tenant_Id': 'shop 7' }), {
      authorization: 'Bearer abc.def',
      'x-tenant_id': 'shop 7',
    });
    assert.deepEqual(kept({}), {});
  });

  for (const name of [
    'Host',
    'content-length',
    'Connection',
    'transfer-encoding',
    'TE',
    'Trailer',
    'upgrade',
    'expect',
    'keep-alive',
    'content-type',
    'content-encoding',
    'user-agent',
    'proxy-authorization',
    'proxy-anything',
    'forwarded',
    'X-Forwarded-For',
    'via',
    'date',
    'http2-settings',
    'webhook-id',
    'Webhook-Anything',
  ])
    // prettier-ignore
    test(`${name} is reserved`, () => assert.match(refusalOf({ [name]: 'x' }), /set by Paybell or belongs to the connection/));

  test('no header in which any provider signs can be set', () => {
    for (const provider of providers) {
      const type = Object.keys(provider.events)[0] ?? '';
      const { headers } = forge({ provider, type, id: 'evt_1', now: 0, secret: secretOf(provider) });
      for (const name of Object.keys(headers)) assert.notEqual(refusalOf({ [name.toUpperCase()]: 'x' }), '', `${provider.id}: ${name}`);
    }
    for (const name of ['x-paystack-signature', 'signature', 'my-signature-2'])
      assert.match(refusalOf({ [name]: 'x' }), /carries the signature/);
  });

  test('nor the one that the options of the endpoint name', () => {
    const echezona = profile('echezona');
    const options = { signature: { header: 'x-auth-code', hash: 'sha512', encoding: 'hex' }, amountUnit: 'major' };
    assert.equal(echezona.checkOptions?.(options), null);
    assert.equal(refusalOf({ 'x-auth-code': 'x' }), '');
    assert.match(refusalOf({ 'X-Auth-Code': 'x' }, { provider: echezona, options }), /carries the signature/);
  });

  for (const [what, value] of [
    ['a line break', 'a\r\nx-evil: 1'],
    ['a bare LF', 'a\nb'],
    ['a bare CR', 'a\rb'],
    ['a NUL', 'a\0b'],
    ['a tab', 'a\tb'],
    ['DEL', 'a\x7f'],
    ['Latin-1', 'caf\u00e9'],
    ['Unicode that ends in CR LF as bytes', 'a\u010d\u010ab'],
    ['a space at the end', 'a '],
    ['a space at the start', ' a'],
    ['nothing', ''],
  ] as const)
    test(`a value with ${what} is refused`, () => assert.match(refusalOf({ 'x-a': value }), /one line of plain ASCII/));

  for (const name of ['', 'a b', 'a:b', 'a\r\nb', '__proto__', '-a', 'é', 'a\0', 'x'.repeat(65)])
    test(`the name ${JSON.stringify(name).slice(0, 20)} is refused`, () =>
      assert.match(refusalOf(Object.fromEntries([[name, 'x']])), /is no header name/));

  test('number and length are bounded', () => {
    const many = (count: number, value = 'x'): CustomHeaders =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, value]));
    assert.equal(refusalOf(many(20)), '');
    assert.match(refusalOf(many(21)), /at most 20/);
    assert.equal(refusalOf({ 'x-a': 'v'.repeat(4_096) }), '');
    assert.match(refusalOf({ 'x-a': 'v'.repeat(4_097) }), /longer than 4096/);
    assert.match(refusalOf(many(9, 'v'.repeat(1_000))), /at most 8192/);
  });

  test('a name given twice in two spellings is refused', () => {
    assert.match(refusalOf({ 'x-a': '1', 'X-A': '2' }), /given twice/);
  });

  test('a secret is sealed in the store and hidden in the log of attempts; a restart knows it', async () => {
    const saved: string[] = [];
    const world = await makeWorld({
      wrap: (storage) =>
        new Proxy(storage, {
          get: (target, name, receiver) =>
            name === 'saveEndpoints'
              ? (rows: readonly EndpointRow[]) => (saved.push(JSON.stringify(rows)), target.saveEndpoints(rows))
              : Reflect.get(target, name, receiver),
        }),
    });
    const headers = { Authorization: 'Bearer sesame', 'x-shop': 'nairobi' };
    const id = await world.endpoint({ headers });
    await world.engine.publish('default', [{ type: 'order.paid', data: null }]);
    await world.advance(LOOK_MS);
    assert.equal(world.calls[0]?.request.headers['authorization'], 'Bearer sesame');
    const [row] = (await world.storage.listDeliveries({ merchant: null, limit: 1, cursor: null })).rows;
    const [attempt] = (await world.storage.getDelivery({ merchant: null, id: row?.id ?? '' }))?.attempts ?? [];
    const { authorization, 'x-shop': shop } = JSON.parse(attempt?.requestHeaders ?? '{}') as Record<string, string>;
    assert.deepEqual([authorization, shop], ['[hidden]', 'nairobi']);
    assert.equal(saved.length, 1);
    assert.ok(!saved.join().includes('sesame'));
    const again = world.another();
    await again.start();
    assert.deepEqual(again.directory.endpoint(null, id).headers, { authorization: 'Bearer sesame', 'x-shop': 'nairobi' });
    await again.stop(0);
    await world.stop();
  });

  test('a hidden value that is sent back stays as it was, and only where it was', () => {
    assert.deepEqual(kept({ authorization: '[hidden]', 'x-b': '2' }, { authorization: 'Bearer abc', 'x-c': '3' }), {
      authorization: 'Bearer abc',
      'x-b': '2',
    });
    assert.match(refusalOf({ authorization: '[hidden]' }), /has none yet/);
    assert.match(refusalOf({ constructor: '[hidden]' }), /has none yet/);
  });
});
