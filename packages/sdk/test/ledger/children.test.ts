import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold, transactionId, withChildren } from '@paybell/sdk';
import type { Kind, Status, Transaction } from '@paybell/sdk';
import { money, PAYMENT, permutations, told } from './build.ts';
import type { Told } from './build.ts';

let made = 0;

function child(kind: Kind, status: Status, more: Told = {}): Transaction {
  made += 1;
  const identity = { ...PAYMENT, kind, key: `${kind}-${made}`, id: `txn_${made}` };
  return fold(identity, [told(status, { at: made, parent: { kind: 'payment', key: PAYMENT.key }, ...more })]);
}

const paid = [told('succeeded', { at: 0, amount: money(100) })];

test('a refund leaves the status alone and is summed exactly, in every order', () => {
  const refunds = [
    child('refund', 'succeeded', { amount: money(30) }),
    child('refund', 'succeeded', { amount: { value: '200001', exponent: 4, currency: 'KES', text: '20.0001' } }),
    child('refund', 'failed', { amount: money(40) }),
    child('refund', 'pending', { amount: money(40) }),
  ];
  const payment = fold(PAYMENT, paid, refunds);
  assert.deepEqual(payment.amountRefunded, { value: '500001', exponent: 4, currency: 'KES', text: '50.0001' });
  assert.deepEqual([payment.status, payment.refundState, payment.flags, payment.version], ['succeeded', 'partial', [], 5]);
  for (const order of permutations(refunds)) assert.equal(JSON.stringify(fold(PAYMENT, paid, order)), JSON.stringify(payment));
});

test('sums stay exact far beyond 2^53', () => {
  const huge = 10n ** 30n;
  const events = [told('succeeded', { amount: money(huge, 'KES', 18) })];
  const part = { value: `${huge * 10n ** 18n - 1n}`, exponent: 18, currency: 'KES', text: 'x' };
  const dust = { value: '1', exponent: 18, currency: 'KES', text: 'x' };
  const one = fold(PAYMENT, events, [child('refund', 'succeeded', { amount: part })]);
  assert.equal(one.refundState, 'partial');
  const both = fold(PAYMENT, events, [child('refund', 'succeeded', { amount: part }), child('refund', 'succeeded', { amount: dust })]);
  assert.equal(both.amountRefunded?.value, `1${'0'.repeat(48)}`);
  assert.deepEqual([both.refundState, both.flags], ['full', []]);
  const more = withChildren(
    fold(PAYMENT, events),
    [1, 2].map(() => child('refund', 'succeeded', { amount: part })).concat(child('refund', 'reversed', { amount: part })),
  );
  assert.deepEqual([more.refundState, more.flags], ['full', ['over_refunded']]);
  assert.equal(more.amountRefunded?.value, `${2n * (huge * 10n ** 18n - 1n)}`);
});

test('a refund in another currency is left out and flagged', () => {
  const payment = fold(PAYMENT, paid, [
    child('refund', 'succeeded', { amount: money(100, 'TZS') }),
    child('refund', 'succeeded', { amount: money(10) }),
  ]);
  assert.deepEqual([payment.amountRefunded?.value, payment.refundState, payment.flags], ['1000', 'partial', ['conflict']]);
});

test('a refund without an amount is never taken for a full one', () => {
  const payment = fold(PAYMENT, paid, [child('refund', 'succeeded')]);
  assert.deepEqual([payment.amountRefunded, payment.refundState, payment.flags], [null, 'partial', ['refund_amount_missing']]);
});

test('a refund that came before its payment knows its parent, and counts once the payment is there', () => {
  const refund = child('refund', 'succeeded', { amount: money(100) });
  assert.equal(refund.parent, transactionId(PAYMENT.merchant, PAYMENT.provider, 'payment', PAYMENT.key));
  const unpaid = fold(PAYMENT, [told('created')], [refund]);
  assert.deepEqual([unpaid.status, unpaid.refundState, unpaid.amountRefunded?.value], ['created', 'partial', '10000']);
  const payment = fold(PAYMENT, paid, [refund]);
  assert.deepEqual([payment.status, payment.refundState, payment.flags], ['succeeded', 'full', []]);
});

test('what was refunded of a short payment is measured by what was received', () => {
  const short = [told('partially_succeeded', { amount: money(100), amountReceived: money(60) })];
  assert.equal(fold(PAYMENT, short, [child('refund', 'succeeded', { amount: money(60) })]).refundState, 'full');
  assert.deepEqual(fold(PAYMENT, short, [child('refund', 'succeeded', { amount: money(61) })]).flags, ['over_refunded']);
  assert.equal(
    fold(PAYMENT, short, [child('refund', 'partially_succeeded', { amount: money(60), amountReceived: money(5) })]).amountRefunded?.value,
    '500',
  );
});

test('disputes: open before lost before won; the payment keeps its status', () => {
  const states: readonly (readonly [Status, Told, Transaction['disputeState']])[] = [
    ['action_required', {}, 'open'],
    ['pending', {}, 'open'],
    ['succeeded', {}, 'lost'],
    ['failed', {}, 'won'],
    ['canceled', {}, 'won'],
    ['reversed', {}, 'won'],
    ['succeeded', { substate: 'won' }, 'won'],
    ['failed', { substate: 'lost' }, 'lost'],
  ];
  for (const [status, more, expected] of states) {
    const payment = fold(PAYMENT, paid, [child('dispute', status, more)]);
    assert.deepEqual([payment.status, payment.disputeState, payment.refundState], ['succeeded', expected, 'none'], status);
  }
  const won = child('dispute', 'failed');
  const lost = child('dispute', 'succeeded');
  const open = child('dispute', 'pending');
  for (const order of permutations([won, lost, open])) assert.equal(fold(PAYMENT, paid, order).disputeState, 'open');
  for (const order of permutations([won, lost])) assert.equal(fold(PAYMENT, paid, order).disputeState, 'lost');
});

test('the version and the time of change grow with the children', () => {
  const alone = fold(PAYMENT, paid);
  const refund = { ...child('refund', 'pending'), version: 3, updatedAt: '2030-01-01T00:00:00.000Z' };
  const payment = fold(PAYMENT, paid, [refund]);
  assert.deepEqual([payment.version, payment.updatedAt], [alone.version + 3, refund.updatedAt]);
  assert.deepEqual(Object.keys(payment), Object.keys(alone));
});
