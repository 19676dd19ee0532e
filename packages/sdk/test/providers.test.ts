import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, providers, stringifyJson, toJson } from '@paybell/sdk';
import type { Fact, JsonObject, Movement, Provider } from '@paybell/sdk';
import { everyEvent, forged, inputOf, NOW, provider, readAll } from './support/given.ts';

function read(id: string, body: string | object, options?: object): readonly Fact[] {
  const text = typeof body === 'string' ? body : stringifyJson(toJson(body));
  return provider(id).read(parseJson(text), { digest: 'digest', headers: {}, ...(options && { options: toJson(options) as JsonObject }) });
}

function movementOf(facts: readonly Fact[]): Movement {
  const movement = facts[0]?.movement;
  assert.ok(movement, facts[0]?.unmapped);
  return movement;
}

function only(of: Provider, type: string, set: Record<string, unknown> = {}): Movement {
  return movementOf(readAll(of, forged(of, type, { set })));
}

for (const { provider: one, type } of everyEvent()) {
  test(`${one.id} ${type}: what is sent is accepted, and read as the catalogue says`, () => {
    const request = forged(one, type);
    assert.deepEqual(one.verify(inputOf(one, request)), { ok: true, authenticity: one.authenticity, secretIndex: 0 });
    const facts = readAll(one, request);
    assert.equal(facts.length, 1);
    const [fact] = facts;
    const spec = one.events[type];
    assert.equal(fact?.type, type);
    assert.equal(fact?.movement?.kind ?? null, spec?.kind);
    assert.equal(fact?.movement?.status ?? null, spec?.status);
    if (fact?.movement == null) return;
    assert.ok((fact.movement.amount ?? fact.movement.amountReceived) !== undefined, 'money');
    assert.ok(!fact.movement.flags?.includes('amount_unreadable'));
    assert.ok(fact.movement.reference ?? fact.movement.providerReference);
    if (one.id !== 'echezona') assert.ok(Math.abs((fact.occurredAt ?? 0) - NOW) < 1000 || fact.occurredAt !== null);
  });
}

test('retry plans are those of the documents', () => {
  const plan = (id: string): readonly string[] => provider(id).retry.delays;
  assert.deepEqual(plan('serixpay'), ['0s', '1m', '5m', '30m', '2h']);
  assert.deepEqual(plan('makapay'), ['0s', '5m', '10m']);
  assert.equal(provider('makapay').retry.timeout, '30s');
  assert.equal(provider('makapay').events['payment.awaiting_gas']?.retry, false);
  assert.deepEqual(plan('paybell'), ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h']);
  const seconds = (text: string): number => Number.parseInt(text, 10) * ({ s: 1, m: 60, h: 3600 }[text.slice(-1)] ?? NaN);
  const total = (id: string): number =>
    plan(id)
      .map(seconds)
      .reduce((sum, delay) => sum + delay, 0);
  assert.equal(plan('malipopay').length, 5);
  assert.equal(provider('malipopay').retry.timeout, '5s');
  assert.ok(total('malipopay') <= 24 * 3600);
  assert.ok(total('adyen') <= 30 * 24 * 3600 && total('adyen') > 29 * 24 * 3600);
  assert.ok(total('stripe') <= 72 * 3600);
});

test('SerixPay: the documented payload', () => {
  const facts = read(
    'serixpay',
    '{ "event": "payment.completed", "timestamp": "2024-01-15T10:30:00Z", "data": { "orderId": "ORDER-001", "transactionId": "txn_abc123", "amount": 1000, "currency": "KES", "status": "completed", "method": "mpesa" }}',
  );
  assert.equal(facts[0]?.dedupeKey, 'payment.completed:txn_abc123');
  assert.equal(facts[0]?.occurredAt, Date.UTC(2024, 0, 15, 10, 30));
  assert.deepEqual(facts[0]?.movement, {
    kind: 'payment',
    key: 'txn_abc123',
    status: 'succeeded',
    rail: 'mobile_money',
    reference: 'ORDER-001',
    providerReference: 'txn_abc123',
    amount: { value: '100000', exponent: 2, currency: 'KES', text: '1000' },
  });
});

test('SerixPay: a refund is a transaction of its own with its payment as parent', () => {
  const refund = only(provider('serixpay'), 'payment.refunded');
  assert.equal(refund.kind, 'refund');
  assert.deepEqual(refund.parent, { kind: 'payment', key: only(provider('serixpay'), 'payment.completed').key });
});

test('MALIPOPAY: flat bodies of the older forms', () => {
  const legacy = {
    timestamp: '20261122090000',
    reference: 'R1',
    customerReference: 'ORD-9',
    amount: 1000,
    type: 'CHARGE',
    status: 'Success',
    customer: { firstname: 'Asha', lastname: 'Juma', phoneNumber: '255712345678' },
  };
  const charge = movementOf(read('malipopay', legacy));
  assert.equal(charge.status, 'succeeded');
  assert.equal(charge.reference, 'ORD-9');
  assert.deepEqual(charge.customer, { name: 'Asha Juma', phone: '+255712345678' });
  assert.equal(movementOf(read('malipopay', { ...legacy, status: 'Failed' })).status, 'failed');
  assert.equal(read('malipopay', { ...legacy, status: 'Odd' })[0]?.movement, null);
  const flat = { event: 'payment.confirmed', reference: 'R2', transactionId: 'T2', amount: 500, currency: 'TZS', status: 'PARTIAL' };
  assert.equal(movementOf(read('malipopay', flat)).status, 'partially_succeeded');
  assert.equal(movementOf(read('malipopay', flat)).key, 'R2');
});

test('Echezona: the amount is read only in the unit that was configured', () => {
  const body = {
    event: 'payment.success',
    data: {
      transaction_id: '123456789',
      amount: 5000,
      currency: 'NGN',
      status: 'success',
      customer: { email: 'customer@example.com', name: 'John Doe' },
    },
  };
  assert.equal(movementOf(read('echezona', body, { amountUnit: 'major' })).amount?.value, '500000');
  assert.equal(movementOf(read('echezona', body, { amountUnit: 'minor' })).amount?.value, '5000');
  const unset = movementOf(read('echezona', body));
  assert.equal(unset.amount, undefined);
  assert.deepEqual(unset.flags, ['amount_unreadable']);
  assert.equal(movementOf(read('echezona', { event: 'charge.success', data: { transactionId: 77, amount: 1 } })).key, '77');
});

test('MakaPay: overpayment, withdrawals and the token as CAIP-19', () => {
  const makapay = provider('makapay');
  const over = only(makapay, 'payment.completed', { overpayment: '1.25' });
  assert.equal(over.amount?.currency, 'eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913');
  assert.equal(over.amountReceived?.value, '26750000');
  assert.deepEqual(over.flags, ['overpaid']);
  const part = forged(makapay, 'payment.withdrawn');
  const [fact] = readAll(makapay, part);
  assert.match(fact?.dedupeKey ?? '', /^payment\.withdrawn:pay_01JD8Q3M7T:0x7a2c/);
  assert.equal(fact?.movement?.amountReceived?.text, '10.25');
  assert.equal(only(makapay, 'payment.awaiting_gas').substate, 'awaiting_gas');
  assert.deepEqual(only(makapay, 'payment.completed', { token: 'USDC' }).flags, ['amount_unreadable']);
});

test('Altafinex: the smallest unit, and refunds of their own', () => {
  const altafinex = provider('altafinex');
  assert.deepEqual(only(altafinex, 'payment.succeeded').amount, { value: '10000', exponent: 2, currency: 'THB', text: '10000' });
  const refund = only(altafinex, 'refund.completed');
  assert.equal(refund.key, 'ref_8dL1vK3c');
  assert.deepEqual(refund.parent, { kind: 'payment', key: 'pay_5tG9wQ2n' });
});

test('Stripe: test mode, currencies of its own, refunds once', () => {
  const stripe = provider('stripe');
  assert.deepEqual(only(stripe, 'payment_intent.succeeded', { livemode: false }).flags, ['test']);
  assert.equal(only(stripe, 'payment_intent.succeeded', { currency: 'isk' }).amount?.exponent, 2);
  assert.equal(only(stripe, 'payment_intent.succeeded', { currency: 'jpy' }).amount?.exponent, 0);
  assert.equal(only(stripe, 'payment_intent.succeeded', { currency: 'ugx' }).amount, undefined);
  assert.equal(only(stripe, 'refund.updated', { status: 'failed' }).status, 'failed');
  assert.equal(readAll(stripe, forged(stripe, 'charge.refunded'))[0]?.movement, null);
});

test('Adyen: several facts in one request, and success decides', () => {
  const adyen = provider('adyen');
  assert.equal(only(adyen, 'AUTHORISATION', { success: 'false' }).status, 'failed');
  assert.equal(only(adyen, 'CAPTURE').key, only(adyen, 'AUTHORISATION').key);
  assert.equal(only(adyen, 'AUTHORISATION', { 'amount.currency': 'CLP' }).amount?.exponent, 2);
  const [one] = readAll(adyen, forged(adyen, 'CAPTURE', { set: { success: 'false' } }));
  assert.equal(one?.movement, null);
  const items = ['AUTHORISATION', 'REFUND'].map((eventCode) => ({
    NotificationRequestItem: { ...(adyen.events[eventCode]?.example as object), eventCode },
  }));
  const facts = read('adyen', { live: 'false', notificationItems: items });
  assert.deepEqual(
    facts.map((fact) => fact.movement?.kind),
    ['payment', 'refund'],
  );
  assert.deepEqual(facts[0]?.movement?.flags, ['test']);
  assert.equal(new Set(facts.map((fact) => fact.dedupeKey)).size, 2);
});

test('Paybell: canonical names and amounts; the webhook id is the dedupe key', () => {
  const data = { transactionId: 't1', reference: 'r1', amount: { value: '100', exponent: 2, currency: 'KES' } };
  const status = (type: string): string | undefined => read('paybell', { type, data })[0]?.movement?.status;
  assert.deepEqual(['payment.completed', 'payment.cancelled', 'payout.paid', 'settlement.paid', 'payment.withdrawn'].map(status), [
    'succeeded',
    'canceled',
    'succeeded',
    'succeeded',
    'partially_succeeded',
  ]);
  for (const type of ['payment.exploded', 'invoice.sent', 'payment', 'payment.succeeded.now', '__proto__.succeeded', 'payment.constructor'])
    assert.equal(status(type), undefined, type);
  for (const amount of [1000, '1000', { value: 1, exponent: 2, currency: 'KES' }]) {
    const movement = movementOf(read('paybell', { type: 'payment.succeeded', data: { ...data, amount } }));
    assert.equal(movement.amount, undefined);
    assert.deepEqual(movement.flags, ['amount_unreadable']);
  }
  assert.equal(readAll(provider('paybell'), forged(provider('paybell'), 'payment.succeeded'))[0]?.dedupeKey, 'evt_1');
});

test('bad money never becomes money, with any of the five', () => {
  for (const [id, type] of [
    ['malipopay', 'transaction.completed'],
    ['echezona', 'payment.success'],
    ['makapay', 'payment.completed'],
    ['serixpay', 'payment.completed'],
    ['altafinex', 'payment.succeeded'],
  ] as const) {
    for (const amount of ['1,00', '-5', '1e400', 'NaN', '10.0000000000000000001', '-0', true, { value: 5 }]) {
      const movement = only(provider(id), type, { amount });
      assert.equal(movement.amount, undefined, `${id} ${JSON.stringify(amount)}`);
      assert.deepEqual(movement.flags, ['amount_unreadable'], `${id} ${JSON.stringify(amount)}`);
    }
  }
});

test('a body that names a key twice moves no money', () => {
  const text = '{"event":"payment.completed","data":{"transactionId":"t","amount":1,"amount":1000,"currency":"KES"}}';
  const movement = movementOf(read('serixpay', text));
  assert.equal(movement.amount, undefined);
  assert.deepEqual(movement.flags, ['ambiguous_json']);
});

test('whatever a body says, reading gives facts: unknown events are kept unmapped, hostile values stay data', () => {
  const bodies = [
    '{}',
    '[]',
    'null',
    '"x"',
    '1',
    '{"event":"__proto__","type":"constructor"}',
    '{"event":{"a":1},"type":7,"data":[1]}',
    '{"notificationItems":[{}]}',
    '{"event":"new.thing","type":"new.thing","data":{}}',
  ];
  for (const one of providers) {
    for (const body of bodies) {
      for (const fact of read(one.id, body)) {
        assert.equal(fact.movement, null);
        assert.ok(fact.unmapped && fact.dedupeKey);
      }
    }
  }
  const long = { event: 'payment.completed', data: { transactionId: 'x'.repeat(10_000), orderId: 'a\u0000b' } };
  assert.equal(read('serixpay', long)[0]?.movement, null);
});

test('options are checked, unknown ones refused', () => {
  const check = (id: string, options: object): string | null | undefined => provider(id).checkOptions?.(toJson(options) as JsonObject);
  assert.equal(check('serixpay', { reserialised: true }), null);
  assert.match(check('serixpay', { reserialized: true }) ?? '', /reserialised/);
  assert.match(check('serixpay', { reserialised: 'yes' }) ?? '', /true or false/);
  assert.equal(check('echezona', { signature: { header: 'X-Sig', hash: 'sha512', encoding: 'base64' }, amountUnit: 'minor' }), null);
  for (const bad of [
    { signature: {} },
    { signature: { header: 'a b', hash: 'sha256', encoding: 'hex' } },
    { signature: { header: 'x', hash: 'md5', encoding: 'hex' } },
    { signature: 1 },
    { amountUnit: 'cents' },
    { unit: 1 },
  ]) {
    assert.equal(typeof check('echezona', bad), 'string', JSON.stringify(bad));
  }
  assert.equal(provider('stripe').checkOptions, undefined);
});

test('Adyen: a success that is no word is no success', () => {
  const item = { eventCode: 'AUTHORISATION', pspReference: 'P1', success: { a: 1 }, amount: [] };
  assert.equal(read('adyen', { notificationItems: [{ NotificationRequestItem: item }, 7, null] })[0]?.movement, null);
});

test('property: known events with any data give facts, never an error', () => {
  const events = everyEvent();
  const data = fc.dictionary(
    fc.constantFrom(
      'amount',
      'currency',
      'status',
      'transactionId',
      'reference',
      'paymentId',
      'customer',
      'token',
      'chainId',
      'overpayment',
      'id',
      'object',
      'success',
      '__proto__',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...events), data, ({ provider: one, type }, values) => {
      const body = Buffer.from(one.envelope({ id: 'e', type, data: toJson(values), occurredAt: NOW })).toString();
      const facts = read(one.id, body, { amountUnit: 'major' });
      assert.equal(facts.length, 1);
      for (const { movement, dedupeKey } of facts) {
        assert.ok(dedupeKey.length > 0 && dedupeKey.length < 700);
        if (movement?.amount) assert.match(movement.amount.value, /^(0|[1-9]\d{0,77})$/);
      }
    }),
    { numRuns: 2000 },
  );
});
