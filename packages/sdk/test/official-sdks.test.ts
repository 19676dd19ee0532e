import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { parseJson, sign, signBody, stringifyJson, verify } from '@paybell/sdk';
import { forged, NOW, provider, secretFor } from './support/given.ts';

interface AdyenItem {
  readonly additionalData?: { readonly hmacSignature?: string };
}
interface AdyenValidator {
  calculateHmac(item: AdyenItem, key: string): string;
  validateHMAC(item: AdyenItem, key: string): boolean;
}
// Loaded by hand: the package's index pulls in every API client.
const require = createRequire(import.meta.url);
const { default: HmacValidator } = require('@adyen/api-library/lib/src/utils/hmacValidator') as { default: new () => AdyenValidator };

const body = '{"type":"payment.succeeded","data":{"name":"Zoë \\u00e9","amount":1.00}}';

test('standardwebhooks accepts what we sign, and we accept what it signs', () => {
  const secret = secretFor(provider('paybell'));
  const official = new Webhook(secret);
  const now = Date.now();
  const ours = signBody('paybell', { body, id: 'evt_1', now, secret });
  assert.deepEqual(official.verify(body, { ...ours.headers }), JSON.parse(body));

  const theirs = official.sign('msg_7', new Date(now), body);
  const headers = { 'Webhook-Id': 'msg_7', 'Webhook-Timestamp': String(Math.floor(now / 1000)), 'Webhook-Signature': theirs };
  assert.equal(verify('paybell', { body, headers, secret, now }).ok, true);
  assert.equal(verify('paybell', { body: `${body} `, headers, secret, now }).ok, false);
  assert.throws(() => official.verify(`${body} `, { ...ours.headers }));
});

test('standardwebhooks finds its signature among those of two secrets', () => {
  const [old, current] = [secretFor(provider('paybell'), 'old'), secretFor(provider('paybell'), 'new')];
  const signed = signBody('paybell', { body, id: 'evt_1', now: Date.now(), secret: [current, old] });
  for (const secret of [old, current]) assert.ok(new Webhook(secret).verify(body, { ...signed.headers }));
});

test('stripe accepts what we sign, and we accept what it signs', () => {
  const secret = secretFor(provider('stripe'));
  const stripe = new Stripe('sk_test_offline');
  const event = sign('stripe', {
    id: 'evt_1',
    type: 'payment_intent.succeeded',
    data: { id: 'pi_1', amount: 4200 },
    occurredAt: Date.now(),
    now: Date.now(),
    secret,
  });
  const header = event.headers['stripe-signature'] ?? '';
  const accepted = stripe.webhooks.constructEvent(Buffer.from(event.body), header, secret);
  assert.equal(accepted.id, 'evt_1');
  assert.throws(() => stripe.webhooks.constructEvent(`${Buffer.from(event.body).toString()} `, header, secret));

  const theirs = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: Math.floor(NOW / 1000) });
  assert.equal(verify('stripe', { body, headers: { 'stripe-signature': theirs }, secret, now: NOW }).ok, true);
  assert.equal(
    verify('stripe', { body: body.replace('1.00', '1.01'), headers: { 'stripe-signature': theirs }, secret, now: NOW }).ok,
    false,
  );
});

test('@adyen/api-library accepts what we sign, and we accept what it signs', () => {
  const adyen = provider('adyen');
  const secret = secretFor(adyen);
  const validator = new HmacValidator();
  for (const type of Object.keys(adyen.events)) {
    const request = forged(adyen, type);
    const [wrapper] = (JSON.parse(Buffer.from(request.body).toString()) as { notificationItems: { NotificationRequestItem: AdyenItem }[] })
      .notificationItems;
    assert.ok(wrapper);
    assert.equal(validator.validateHMAC(wrapper.NotificationRequestItem, secret), true, type);

    const { additionalData: _ours, ...unsigned } = wrapper.NotificationRequestItem;
    const theirs = { ...unsigned, additionalData: { hmacSignature: validator.calculateHmac(unsigned, secret) } };
    const sent = stringifyJson(parseJson(JSON.stringify({ live: 'true', notificationItems: [{ NotificationRequestItem: theirs }] })));
    assert.equal(verify('adyen', { body: sent, headers: {}, secret, now: NOW }).ok, true, type);
    assert.equal(verify('adyen', { body: sent.replace('EUR', 'USD'), headers: {}, secret, now: NOW }).ok, false, type);
  }
});
