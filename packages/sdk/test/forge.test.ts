import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS, forge, providers, scenario, scenarioNames } from '@paybell/sdk';
import type { Fact, Provider } from '@paybell/sdk';
import { forged, inputOf, NOW, provider, readAll, secretFor } from './support/given.ts';

const FIVE = ['malipopay', 'echezona', 'makapay', 'serixpay', 'altafinex'];

function play(one: Provider, name: string, series = 'run-1'): { fact: Fact; ok: boolean; delayMs: number }[] {
  return scenario({ provider: one, name, series, start: NOW - 60_000 }).map((step) => {
    const request = forge({ provider: one, now: NOW, secret: secretFor(one), ...step });
    const [fact] = readAll(one, request);
    assert.ok(fact);
    return { fact, ok: one.verify(inputOf(one, request)).ok, delayMs: step.delayMs };
  });
}

const story = (id: string, name: string): (string | undefined)[] => play(provider(id), name).map(({ fact }) => fact.movement?.status);

test('an unknown event is refused with the nearest name', () => {
  assert.throws(() => forged(provider('serixpay'), 'payment.complete'), /Did you mean "payment.completed"\?/);
  assert.throws(() => forged(provider('serixpay'), '__proto__'), RangeError);
});

test('members are set by path, numbers stay exact', () => {
  const serixpay = provider('serixpay');
  const text = Buffer.from(
    forged(serixpay, 'payment.completed', {
      set: { 'data.amount': '9007199254740993.50', orderId: '77', 'metadata.branch': 'Karen', 'extra.deep': 1 },
    }).body,
  ).toString();
  assert.match(text, /"amount":9007199254740993\.50,/);
  assert.match(text, /"orderId":"77"/);
  assert.match(text, /"branch":"Karen"/);
  assert.match(text, /"extra":\{"deep":1\}/);
  assert.match(
    Buffer.from(forged(provider('stripe'), 'payment_intent.succeeded', { set: { 'data.object.amount': '5' } }).body).toString(),
    /"amount":5,/,
  );
  assert.throws(() => forged(serixpay, 'payment.completed', { set: { 'a..b': 1 } }), RangeError);
});

test('each fault is refused, or not to be read', () => {
  for (const one of providers) {
    const type = Object.keys(one.events)[0] ?? '';
    for (const fault of FAULTS) {
      const verdict = one.verify(inputOf(one, forged(one, type, { fault })));
      if (fault === 'old-timestamp') assert.equal(verdict.ok, !['paybell', 'stripe'].includes(one.id), `${one.id} ${fault}`);
      else assert.equal(verdict.ok, fault === 'invalid-json' && one.id !== 'adyen', `${one.id} ${fault}`);
    }
  }
});

test('two series share no identity, one series is consistent', () => {
  const keys = (series: string): string[] =>
    providers.flatMap((one) =>
      scenarioNames(one).flatMap((name) => play(one, name, `${series}-${name}`).map(({ fact }) => `${one.id} ${fact.movement?.key}`)),
    );
  const [one, other] = [new Set(keys('a')), new Set(keys('b'))];
  assert.deepEqual(
    [...one].filter((key) => other.has(key)),
    [],
  );
  const again = (): unknown => forge({ provider: 'serixpay', type: 'payment.completed', id: 'evt_9', now: NOW, secret: 's' });
  assert.deepEqual(again(), again());
});

test('every scenario of every provider is rightly signed, but for the one that is not', () => {
  for (const one of providers) {
    for (const name of scenarioNames(one)) {
      const steps = play(one, name);
      assert.ok(steps.length > 0);
      for (const { ok, fact } of steps) {
        assert.equal(ok, name !== 'bad-signature', `${one.id} ${name}`);
        assert.ok(fact.movement, `${one.id} ${name} ${fact.type}`);
      }
    }
  }
});

test('the stories of the five', () => {
  for (const id of FIVE)
    for (const name of ['happy', 'duplicate', 'out-of-order', 'late-success', 'bad-signature'])
      assert.ok(scenarioNames(provider(id)).includes(name as 'happy'), `${id} ${name}`);
  assert.deepEqual(story('serixpay', 'happy'), ['pending', 'succeeded']);
  assert.deepEqual(story('malipopay', 'late-success'), ['pending', 'failed', 'succeeded']);
  assert.deepEqual(story('serixpay', 'late-success'), ['pending', 'expired', 'succeeded']);
  assert.deepEqual(story('makapay', 'happy'), ['on_hold', 'succeeded']);
  assert.deepEqual(story('makapay', 'partial'), ['partially_succeeded']);
  assert.deepEqual(story('serixpay', 'payout'), ['pending', 'succeeded']);
  assert.deepEqual(story('malipopay', 'settlement'), ['succeeded']);
  assert.deepEqual(story('altafinex', 'failed'), ['pending', 'failed']);
  assert.throws(() => scenario({ provider: 'altafinex', name: 'payout', series: 's', start: 0 }), /It has: /);
  assert.throws(() => scenario({ provider: 'altafinex', name: 'hapy', series: 's', start: 0 }), /"happy"/);
});

test('a duplicate is the same fact, out of order is the same story backwards, a refund knows its payment', () => {
  for (const id of FIVE) {
    const repeated = play(provider(id), 'duplicate').map(({ fact }) => fact.dedupeKey);
    assert.equal(repeated.at(-1), repeated.at(-2), id);
    const backwards = play(provider(id), 'out-of-order').map(({ fact }) => fact);
    assert.ok(backwards.length === 2 && (id === 'echezona' || (backwards[0]?.occurredAt ?? 0) > (backwards[1]?.occurredAt ?? 0)), id);
  }
  for (const id of ['echezona', 'serixpay', 'altafinex', 'stripe', 'adyen', 'paybell']) {
    const facts = play(provider(id), 'refund').map(({ fact }) => fact.movement);
    assert.equal(facts.at(-1)?.parent?.key, facts.at(-2)?.key, id);
  }
});
