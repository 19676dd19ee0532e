import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalHeaders, parseJson, providers, receive, REJECTIONS, verify } from '@paybell/sdk';
import type { Provider, Verdict } from '@paybell/sdk';
import { forged, inputOf, NOW, provider, secretFor } from './support/given.ts';

const firstType = (one: Provider): string => Object.keys(one.events)[0] ?? '';

function reason(verdict: Verdict): string {
  return verdict.ok ? 'ok' : verdict.reason;
}

const HEX = 'ab'.repeat(32);

test('any of several secrets passes, and the verdict says which', () => {
  for (const one of providers) {
    const input = inputOf(one, forged(one, firstType(one)));
    const verdict = one.verify({ ...input, secrets: [secretFor(one, 'next'), ...input.secrets] });
    assert.equal(verdict.ok && verdict.secretIndex, 1, one.id);
    assert.equal(one.verify({ ...input, secrets: [secretFor(one, 'other')] }).ok, false, one.id);
  }
});

test('no byte of the body can be changed', () => {
  for (const one of providers.filter((candidate) => candidate.authenticity === 'signed-body')) {
    const input = inputOf(one, forged(one, firstType(one)));
    for (let at = 0; at < input.body.length; at++) {
      const body = Uint8Array.from(input.body);
      body[at] = (body[at] ?? 0) ^ 1;
      assert.equal(reason(one.verify({ ...input, body })), 'signature_mismatch', `${one.id} byte ${at}`);
    }
    for (const body of [input.body.subarray(1), input.body.subarray(0, -1), Buffer.concat([input.body, Buffer.from('\n')])])
      assert.equal(one.verify({ ...input, body }).ok, false);
  }
});

test('Adyen: what is signed of an item cannot be changed', () => {
  const adyen = provider('adyen');
  const input = inputOf(adyen, forged(adyen, 'REFUND'));
  const text = Buffer.from(input.body).toString();
  for (const [from, to] of [
    ['1130', '1131'],
    ['"EUR"', '"USD"'],
    ['"true","reason"', '"false","reason"'],
    ['QFQT', 'QFQS'],
    ['NC6H', 'NC6I'],
    ['ORD-60417', 'ORD-60418'],
    ['"REFUND"', '"CAPTURE"'],
    ['DukaOnline', 'DukaOffline'],
  ] as const) {
    const body = Buffer.from(text.replace(from, to));
    assert.notEqual(body.toString(), text, from);
    assert.equal(reason(adyen.verify({ ...input, body })), 'signature_mismatch', from);
  }
});

test('property: a garbled request gives a verdict, never an error', () => {
  const seen = new Set<string>();
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('é', '', ',', `t=1,v1=${HEX}`, `v1,${HEX} `.repeat(17), HEX, `sha256=${HEX}`, '\ud800'),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...providers),
      fc.array(value, { minLength: 4, maxLength: 4 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      (one, values, bytes, keepBody) => {
        const input = inputOf(one, forged(one, firstType(one)));
        const names = [...Object.keys(input.headers), 'x-malipopay-timestamp'];
        const headers = Object.fromEntries(names.map((name, index) => [name, values[index % values.length]]));
        const verdict = one.verify({ ...input, headers, body: keepBody ? input.body : bytes });
        if (verdict.ok) return assert.ok(one.authenticity === 'signed-fields' && keepBody);
        seen.add(verdict.reason);
        assert.ok(REJECTIONS.includes(verdict.reason) && verdict.detail.length > 0);
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(seen.size >= 4, [...seen].join());
});

test('headers of any framework, in any case', () => {
  const request = forged(provider('serixpay'), 'payment.completed');
  const secret = secretFor(provider('serixpay'));
  const headers = new Headers(request.headers as Record<string, string>);
  assert.equal(verify('serixpay', { body: request.body, headers, secret, now: NOW }).ok, true);
  assert.equal(
    verify('serixpay', {
      body: Buffer.from(request.body).toString(),
      headers: { 'X-SERIXPAY-Signature': request.headers['x-serixpay-signature'] },
      secret,
      now: NOW,
    }).ok,
    true,
  );
  assert.deepEqual(normalHeaders({ A: '1', a: '2' })['a'], ['1', '2']);
  assert.equal(normalHeaders({ __proto__x: '1' })['toString'], undefined);
  assert.throws(() => verify('serixpai', { body: '', headers, secret, now: NOW }), RangeError);
  const refused = receive('serixpay', { body: '{}', headers: {}, secret, now: NOW });
  assert.ok(!refused.ok && refused.reason === 'signature_missing');
  const broken = forged(provider('serixpay'), 'payment.completed', { fault: 'invalid-json' });
  const unread = receive('serixpay', { ...broken, secret, now: NOW });
  assert.ok(!unread.ok && unread.reason === 'body_unreadable');
  assert.throws(() => parseJson(broken.body));
});
