import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { CAUSES, diagnose, providers } from '@paybell/sdk';
import type { Cause, VerifyInput } from '@paybell/sdk';
import { forged, inputOf, NOW, provider, secretFor } from './support/given.ts';

const serixpay = provider('serixpay');
const paybell = provider('paybell');
const NAME = 'x-serixpay-signature';
const seen = new Set<Cause>();

function causes(id: string, change: (input: VerifyInput) => Partial<VerifyInput>, certain = true): Cause[] {
  const one = provider(id);
  const input = inputOf(one, forged(one, Object.keys(one.events)[0] ?? ''));
  const changed = { ...input, ...change(input) };
  const findings = diagnose(one, changed);
  const text = JSON.stringify(findings);
  for (const secret of [...input.secrets, ...changed.secrets].filter((word) => word !== ''))
    assert.ok(!text.includes(secret.trim()), 'a secret in a finding');
  for (const value of Object.values(input.headers))
    if (typeof value === 'string' && value.length > 30) assert.ok(!text.includes(value), 'a signature in a finding');
  assert.ok(
    findings.every((finding) => finding.certain === certain),
    text,
  );
  findings.forEach(({ cause }) => seen.add(cause));
  return findings.map(({ cause }) => cause);
}

const text = (body: Uint8Array): string => Buffer.from(body).toString();
const signed = (
  body: string | Uint8Array,
  key: string | Uint8Array = secretFor(serixpay),
  hash = 'sha256',
  encoding: 'hex' | 'base64' = 'hex',
): string => createHmac(hash, key).update(body).digest(encoding);

test('nothing is wrong: nothing is found', () => {
  for (const one of providers) assert.deepEqual(diagnose(one, inputOf(one, forged(one, Object.keys(one.events)[0] ?? ''))), []);
});

test('the secret', () => {
  assert.deepEqual(
    causes('serixpay', ({ secrets }) => ({ secrets: [`${secrets[0]}\n`] })),
    ['secret_whitespace'],
  );
  assert.deepEqual(
    causes('serixpay', ({ secrets }) => ({ secrets: [` ${secrets[0]}`] })),
    ['secret_whitespace'],
  );
  assert.deepEqual(
    causes('altafinex', ({ secrets }) => ({ secrets: [secrets[0]?.slice(6) ?? ''] })),
    ['secret_prefix'],
  );
  assert.deepEqual(
    causes('paybell', ({ secrets }) => ({ secrets: [`${secrets[0]}\n`] })),
    ['secret_whitespace'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { [NAME]: signed(body, Buffer.from(secretFor(serixpay), 'hex')) } })),
    ['secret_decoded'],
  );
  assert.deepEqual(
    causes('serixpay', () => ({ secrets: ['correct-horse-battery'] }), false),
    ['wrong_secret'],
  );
  assert.deepEqual(
    causes('serixpay', () => ({ secrets: [''] })),
    ['not_configured'],
  );
  assert.deepEqual(
    causes('adyen', () => ({ secrets: ['c0ffee00c0ffee00'] }), false),
    ['wrong_secret'],
  );
});

test('the body', () => {
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ body: Buffer.from(JSON.stringify(JSON.parse(text(body)), null, 2)) })),
    ['body_reserialised'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ body: Buffer.from(`${text(body)}\n`) })),
    ['body_newline'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { [NAME]: signed(`${text(body)}\n`) } })),
    ['body_newline'],
  );
  assert.deepEqual(
    causes('serixpay', () => ({ body: Buffer.from('{\r\n}'), headers: { [NAME]: signed('{\n}') } })),
    ['body_line_endings'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ body: Buffer.from(`\ufeff${text(body)}`) })),
    ['body_bom'],
  );
  assert.deepEqual(
    causes('paybell', ({ body }) => ({ body: Buffer.from(`${text(body)}\n`) })),
    ['body_newline'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body, secrets }) => ({ body: Buffer.from(`${text(body)}\n`), secrets: [`${secrets[0]}\n`] })),
    ['secret_whitespace', 'body_newline'],
  );
});

test('the signature and its header', () => {
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { [NAME]: signed(body, secretFor(serixpay), 'sha512') } })),
    ['hash'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { [NAME]: signed(body, secretFor(serixpay), 'sha256', 'base64') } })),
    ['signature_encoding'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { [NAME]: `sha256=${signed(body)}` } })),
    ['signature_prefix'],
  );
  assert.deepEqual(
    causes('paybell', ({ headers }) => ({ headers: { ...headers, 'webhook-signature': String(headers['webhook-signature']).slice(3) } })),
    ['signature_prefix'],
  );
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({ headers: { 'x-my-hmac': signed(body) } })),
    ['header_name'],
  );
  const svix = (input: VerifyInput): Partial<VerifyInput> => ({
    headers: Object.fromEntries(Object.entries(input.headers).map(([name, value]) => [name.replace('webhook-', 'svix-'), value])),
  });
  assert.deepEqual(causes('paybell', svix), ['header_name']);
  assert.deepEqual(
    causes('serixpay', ({ body }) => ({
      url: 'https://shop.example/in',
      headers: { [NAME]: createHmac('sha256', secretFor(serixpay)).update('https://shop.example/in').update(body).digest('hex') },
    })),
    ['url'],
  );
});

test('another provider', () => {
  const request = forged(provider('malipopay'), 'transaction.completed', { secret: secretFor(serixpay) });
  assert.deepEqual(
    causes('serixpay', () => ({ headers: request.headers, body: request.body })),
    ['header_name', 'other_provider'],
  );
  const stripe = forged(provider('stripe'), 'payout.paid', { secret: secretFor(serixpay) });
  assert.deepEqual(
    causes('serixpay', () => ({ headers: stripe.headers, body: stripe.body })),
    ['other_provider'],
  );
  const unknown = forged(provider('stripe'), 'payout.paid', { secret: 'unknown' });
  assert.deepEqual(
    causes('serixpay', () => ({ headers: unknown.headers, body: unknown.body }), false),
    ['other_provider'],
  );
});

test('the clock', () => {
  assert.deepEqual(
    causes('paybell', () => ({ now: NOW + 3_600_000 })),
    ['clock'],
  );
  assert.deepEqual(
    causes('stripe', () => ({ now: NOW - 3_600_000 })),
    ['clock'],
  );
  assert.deepEqual(
    causes('paybell', ({ body, secrets }) => ({ now: NOW + 3_600_000, body: Buffer.from(`${text(body)}\n`), secrets })),
    ['body_newline', 'clock'],
  );
  assert.deepEqual(
    causes('paybell', ({ headers }) => ({ headers: { ...headers, 'webhook-timestamp': `${NOW}` } })),
    ['timestamp_milliseconds'],
  );
});

test('Echezona: an unconfigured source learns how it is signed', () => {
  const echezona = provider('echezona');
  const input = { ...inputOf(echezona, forged(echezona, 'payment.success')), options: {} };
  const [finding] = diagnose(echezona, input);
  assert.equal(finding?.cause, 'not_configured');
  assert.match(finding?.sentence ?? '', /hex HMAC-SHA512 in x-echezona-signature/);
});

test('every cause of the table was seen above', () => {
  assert.deepEqual(
    Object.keys(CAUSES).filter((cause) => !seen.has(cause as Cause)),
    [],
  );
});

test('no request makes it throw', () => {
  for (const one of providers) {
    for (const headers of [
      {},
      { 'x-signature': 'é'.repeat(64) },
      { 'webhook-timestamp': '9'.repeat(13), 'webhook-signature': ['a', 'b'] },
    ]) {
      for (const body of [new Uint8Array(), Uint8Array.of(255, 254, 0), new Uint8Array(300_000).fill(91)])
        assert.ok(Array.isArray(diagnose(one, { headers, body, secrets: ['x'], now: NOW })));
    }
  }
  assert.ok(diagnose(paybell, { headers: {}, body: new Uint8Array(), secrets: [], now: NaN }));
});
