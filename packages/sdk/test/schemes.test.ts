import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { receive, stringifyJson, verify } from '@paybell/sdk';
import type { Headers, JsonObject, Provider, Verdict, VerifyInput } from '@paybell/sdk';
import { forged, inputOf, NOW, provider, secretFor } from './support/given.ts';

const firstType = (one: Provider): string => Object.keys(one.events)[0] ?? '';

function reason(verdict: Verdict): string {
  return verdict.ok ? 'ok' : verdict.reason;
}

function given(id: string, change: (input: VerifyInput) => Partial<VerifyInput> = () => ({})): string {
  const one = provider(id);
  const input = inputOf(one, forged(one, firstType(one)));
  return reason(one.verify({ ...input, ...change(input) }));
}

const header = (name: string, value: Headers[string]) => (input: VerifyInput) => ({ headers: { ...input.headers, [name]: value } });
const HEX = 'ab'.repeat(32);

test('HMAC over the body: every reason', () => {
  const name = 'x-serixpay-signature';
  assert.equal(given('serixpay'), 'ok');
  assert.equal(given('serixpay', header(name, undefined)), 'signature_missing');
  assert.equal(given('serixpay', header(name, '')), 'signature_missing');
  assert.equal(given('serixpay', header(name, [HEX, HEX])), 'signature_ambiguous');
  assert.equal(given('serixpay', header(name, `${HEX}, ${HEX}`)), 'signature_ambiguous');
  for (const bad of [
    'zz'.repeat(32),
    HEX.slice(1),
    `${HEX}ab`,
    HEX.slice(2),
    `é${HEX.slice(1)}`,
    ` ${HEX}`,
    `sha256=${HEX}`,
    Buffer.from(HEX, 'hex').toString('base64'),
  ]) {
    assert.equal(given('serixpay', header(name, bad)), 'signature_malformed', bad);
  }
  assert.equal(given('serixpay', header(name, HEX)), 'signature_mismatch');
  assert.equal(
    given('serixpay', () => ({ secrets: [] })),
    'not_configured',
  );
  // With an empty key anybody could sign.
  const empty = createHmac('sha256', '').update('{}').digest('hex');
  assert.equal(
    given('serixpay', () => ({ secrets: [''], body: Buffer.from('{}'), headers: { [name]: empty } })),
    'not_configured',
  );
  assert.equal(
    given('serixpay', ({ headers }) => header(name, String(headers[name]).toUpperCase())({ headers } as VerifyInput)),
    'ok',
  );
});

test('Standard Webhooks: every reason', () => {
  const entry = `v1,${Buffer.alloc(32, 1).toString('base64')}`;
  assert.equal(given('paybell'), 'ok');
  assert.equal(given('paybell', header('webhook-signature', undefined)), 'signature_missing');
  assert.equal(given('paybell', header('webhook-id', undefined)), 'signature_missing');
  assert.equal(given('paybell', header('webhook-signature', [entry, entry])), 'signature_ambiguous');
  assert.equal(given('paybell', header('webhook-timestamp', undefined)), 'timestamp_missing');
  for (const bad of ['1700000000abc', '-1', '1.5', ['1', '2'], ' 1', '1'.repeat(13)])
    assert.equal(given('paybell', header('webhook-timestamp', bad)), 'timestamp_malformed');
  assert.equal(
    given('paybell', () => ({ now: NOW + 301_000 })),
    'timestamp_too_old',
  );
  assert.equal(
    given('paybell', () => ({ now: NOW - 301_000 })),
    'timestamp_too_new',
  );
  assert.equal(
    given('paybell', () => ({ now: NOW + 299_000 })),
    'ok',
  );
  const urlSafe = `v1,${Buffer.alloc(32, 0xfb).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
  for (const bad of [
    urlSafe,
    `${entry.slice(0, 9)}#${entry.slice(9)}`,
    entry.replace('=', ''),
    'v1,',
    'v1',
    'v2,abc',
    'v1,abc',
    `v1a,${entry.slice(3)}`,
  ])
    assert.equal(given('paybell', header('webhook-signature', bad)), 'signature_malformed', bad);
  assert.equal(given('paybell', header('webhook-signature', entry)), 'signature_mismatch');
  assert.equal(given('paybell', header('webhook-signature', Array(17).fill(entry).join(' '))), 'too_many_signatures');
  assert.equal(
    given('paybell', ({ headers }) =>
      header(
        'webhook-signature',
        `v1a,zzz ${Array(15).fill(entry).join(' ')} ${String(headers['webhook-signature'])}`,
      )({ headers } as VerifyInput),
    ),
    'ok',
  );
  assert.equal(
    given('paybell', () => ({ secrets: ['whsec_***'] })),
    'not_configured',
  );
});

test('timestamped list: every reason', () => {
  const name = 'stripe-signature';
  const time = NOW / 1000;
  assert.equal(given('stripe'), 'ok');
  assert.equal(given('stripe', header(name, undefined)), 'signature_missing');
  assert.equal(given('stripe', header(name, `t=${time},v0=${HEX}`)), 'signature_missing');
  assert.equal(given('stripe', header(name, ['a', 'b'])), 'signature_ambiguous');
  assert.equal(given('stripe', header(name, `v1=${HEX}`)), 'timestamp_missing');
  assert.equal(given('stripe', header(name, `t=12x,v1=${HEX}`)), 'timestamp_malformed');
  assert.equal(given('stripe', header(name, `t=${time},t=${time},v1=${HEX}`)), 'timestamp_malformed');
  assert.equal(
    given('stripe', () => ({ now: NOW + 301_000 })),
    'timestamp_too_old',
  );
  assert.equal(
    given('stripe', () => ({ now: NOW - 301_000 })),
    'timestamp_too_new',
  );
  assert.equal(given('stripe', header(name, `t=${time},v1=zz`)), 'signature_malformed');
  assert.equal(given('stripe', header(name, `t=${time},v1=${HEX}`)), 'signature_mismatch');
  assert.equal(given('stripe', header(name, `t=${time}${`,v1=${HEX}`.repeat(17)}`)), 'too_many_signatures');
  assert.equal(
    given('stripe', ({ headers }) => header(name, `${String(headers[name])},v1=${HEX},v0=${HEX}`)({ headers } as VerifyInput)),
    'ok',
  );
  assert.equal(
    given('stripe', () => ({ secrets: [''] })),
    'not_configured',
  );
});

test('signature in each item: every reason, and one bad item refuses all', () => {
  const adyen = provider('adyen');
  const items = (request: { body: Uint8Array }): unknown[] =>
    (JSON.parse(Buffer.from(request.body).toString()) as { notificationItems: unknown[] }).notificationItems;
  const batch = (list: unknown[]): Partial<VerifyInput> => ({
    body: Buffer.from(JSON.stringify({ live: 'true', notificationItems: list })),
  });
  const good = items(forged(adyen, 'AUTHORISATION'));
  const bad = items(forged(adyen, 'REFUND', { fault: 'bad-signature' }));
  const unsigned = items(forged(adyen, 'REFUND', { fault: 'no-signature' }));
  const garbled = JSON.parse(JSON.stringify(good).replace(/"hmacSignature":"[^"]*"/, '"hmacSignature":"###"')) as unknown[];
  assert.equal(
    given('adyen', () => batch([...good, ...items(forged(adyen, 'REFUND'))])),
    'ok',
  );
  assert.equal(
    given('adyen', () => batch([...good, ...bad])),
    'signature_mismatch',
  );
  assert.equal(
    given('adyen', () => batch([...good, ...unsigned])),
    'signature_missing',
  );
  assert.equal(
    given('adyen', () => batch(garbled)),
    'signature_malformed',
  );
  assert.equal(
    given('adyen', () => batch([])),
    'body_malformed',
  );
  assert.equal(
    given('adyen', () => batch([{ NotificationRequestItem: { additionalData: { hmacSignature: Buffer.alloc(32).toString('base64') } } }])),
    'body_malformed',
  );
  assert.equal(
    given('adyen', () => ({ body: Buffer.from('no json') })),
    'body_malformed',
  );
  assert.equal(
    given('adyen', () => batch(Array(17).fill(good[0]))),
    'too_many_signatures',
  );
  assert.equal(
    given('adyen', () => ({ secrets: ['not hex'] })),
    'not_configured',
  );
  const twice = Buffer.from(forged(adyen, 'AUTHORISATION').body)
    .toString()
    .replace('"success":"true"', '"success":"false","success":"true"');
  assert.equal(
    given('adyen', () => ({ body: Buffer.from(twice) })),
    'body_malformed',
  );
});

test('MALIPOPAY: with and without the prefix, with a timestamp, and the older form only where it is wanted', () => {
  const malipopay = provider('malipopay');
  const secret = secretFor(malipopay);
  const request = forged(malipopay, 'transaction.completed');
  const name = 'x-malipopay-signature';
  const time = String(NOW / 1000);
  const stamped = createHmac('sha256', secret).update(`${time}.`).update(request.body).digest('hex');
  assert.equal(given('malipopay', header(name, `sha256=${request.headers[name]}`)), 'ok');
  assert.equal(
    given('malipopay', () => ({ headers: { [name]: stamped, 'x-malipopay-timestamp': time } })),
    'ok',
  );
  assert.equal(
    given('malipopay', () => ({ headers: { [name]: stamped } })),
    'signature_mismatch',
  );
  assert.equal(given('malipopay', header('x-malipopay-timestamp', time)), 'signature_mismatch');
  assert.equal(
    given('malipopay', () => ({ now: NOW + 301_000, headers: { [name]: stamped, 'x-malipopay-timestamp': time } })),
    'timestamp_too_old',
  );

  const fields = {
    timestamp: '20261122090000',
    reference: 'R1',
    amount: 1000,
    status: 'Success',
    type: 'CHARGE',
    customer: { phoneNumber: '255712345678' },
  };
  const payloadSignature = createHash('sha256').update(`R1202611220900001000255712345678${secret}`).digest('hex');
  const legacy = (more: object): Partial<VerifyInput> => ({
    headers: {},
    body: Buffer.from(JSON.stringify({ ...fields, payloadSignature, ...more })),
  });
  const options = { legacyBodySignature: true } as unknown as JsonObject;
  assert.equal(
    given('malipopay', () => legacy({})),
    'signature_missing',
  );
  assert.equal(
    given('malipopay', () => ({ ...legacy({}), options })),
    'ok',
  );
  assert.equal(
    given('malipopay', () => ({ ...legacy({ amount: 2000 }), options })),
    'signature_mismatch',
  );
  assert.equal(
    given('malipopay', () => ({ ...legacy({ payloadSignature: 'zz' }), options })),
    'signature_malformed',
  );
  assert.equal(
    given('malipopay', () => ({ ...legacy({ payloadSignature: undefined }), options })),
    'signature_missing',
  );
  assert.equal(
    given('malipopay', () => ({ ...legacy({ reference: undefined }), options })),
    'body_malformed',
  );
  const verdict = malipopay.verify({ secrets: [secret], now: NOW, options, headers: {}, body: legacy({}).body ?? request.body });
  assert.equal(verdict.ok && verdict.authenticity, 'signed-fields');
});

test('Echezona: nothing passes until its signature is configured', () => {
  assert.equal(given('echezona'), 'ok');
  assert.equal(
    given('echezona', ({ options: _options, ...input }) => ({ ...input, options: {} })),
    'not_configured',
  );
});

test('SerixPay: the re-serialised form only as an opt-in, and then only those bytes are vouched for', () => {
  const secret = secretFor(provider('serixpay'));
  const sent = '{ "event": "payment.completed", "data": { "transactionId": "t1", "amount": 1000.0, "amount": 5.0, "currency": "KES" } }';
  const compact = JSON.stringify(JSON.parse(sent));
  const headers = { 'X-SerixPay-Signature': createHmac('sha256', secret).update(compact).digest('hex') };
  assert.equal(reason(verify('serixpay', { body: sent, headers, secret, now: NOW })), 'signature_mismatch');
  const verdict = verify('serixpay', { body: sent, headers, secret, now: NOW, options: { reserialised: true } });
  assert.ok(verdict.ok && verdict.authenticated);
  assert.equal(Buffer.from(verdict.authenticated).toString(), compact);
  const received = receive('serixpay', { body: sent, headers, secret, now: NOW, options: { reserialised: true } });
  assert.ok(received.ok);
  assert.equal(received.facts[0]?.movement?.amount?.text, '5');
  assert.equal(stringifyJson(received.facts[0]?.data ?? null), '{"transactionId":"t1","amount":5,"currency":"KES"}');
  const plain = forged(provider('serixpay'), 'payment.completed');
  assert.deepEqual(verify('serixpay', { ...plain, secret, now: NOW, options: { reserialised: true } }), {
    ok: true,
    authenticity: 'signed-body',
    secretIndex: 0,
  });
});
