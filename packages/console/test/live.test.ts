import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesTransaction, resolveTimes } from '../src/api/filters.ts';
import type { DeliveryRow, TransactionRow } from '../src/api/types.ts';
import { upsert } from '../src/live/merge.ts';
import { overlay, remember } from '../src/live/recent.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');

const transaction = (id: string, more: Partial<TransactionRow> = {}): TransactionRow => ({
  id,
  merchant: 'default',
  provider: 'serixpay',
  kind: 'payment',
  status: 'pending',
  substate: null,
  rail: 'mobile_money',
  reference: 'ORDER-1',
  providerReference: null,
  refs: ['receipt-9'],
  amount: { value: '100', exponent: 2, currency: 'KES', text: '1' },
  amountReceived: null,
  amountRefunded: null,
  refundState: 'none',
  disputeState: 'none',
  parent: null,
  customer: null,
  reason: null,
  flags: [],
  occurredAt: new Date(NOW).toISOString(),
  updatedAt: new Date(NOW).toISOString(),
  version: 1,
  ...more,
});

const delivery = (id: string, status: DeliveryRow['status']): DeliveryRow => ({
  id,
  merchant: 'default',
  event: 'evt_1',
  eventType: 'payment.completed',
  endpoint: 'end_1',
  transaction: null,
  format: 'provider:paybell',
  status,
  attemptCount: 1,
  statusCode: null,
  cause: null,
  nextAttemptAt: null,
  createdAt: new Date(NOW).toISOString(),
  finishedAt: null,
});

test('a live row changes in place, and an older version changes nothing', () => {
  const rows = [transaction('a', { version: 2 }), transaction('b')];
  const newer = transaction('b', { version: 3, status: 'succeeded' });
  const next = upsert(
    rows,
    new Map([
      ['b', newer],
      ['a', transaction('a', { version: 1, status: 'failed' })],
    ]),
  );
  assert.deepEqual(next, [rows[0], newer]);
  assert.equal(upsert(rows, new Map([['c', transaction('c')]])), rows, 'a row of another list must not make this one new');
});

test('a snapshot that was on its way does not undo what the stream brought meanwhile', () => {
  remember(
    {
      transaction: [transaction('s', { version: 5, status: 'succeeded' }), transaction('n')],
      delivery: [delivery('d', 'succeeded')],
      request: [],
    },
    1_000,
  );
  const shown = overlay([transaction('s', { version: 4 })], {
    topic: 'transaction',
    askedAt: 900,
    admit: ({ status }) => status === 'pending',
  });
  assert.deepEqual(
    shown.map(({ id, status }) => [id, status]),
    [
      ['n', 'pending'],
      ['s', 'succeeded'],
    ],
  );
  assert.equal(overlay([delivery('d', 'pending')], { topic: 'delivery', askedAt: 900 })[0]?.status, 'succeeded');
  assert.equal(
    overlay([delivery('d', 'pending')], { topic: 'delivery', askedAt: 1_100 })[0]?.status,
    'pending',
    'a snapshot asked for later knows better',
  );
});

test('live rows are filtered as the server filters', () => {
  const row = transaction('a');
  assert.equal(matchesTransaction(row, {}, NOW), true);
  assert.equal(matchesTransaction(row, { status: 'pending', currency: 'KES', q: 'ORDER' }, NOW), true);
  assert.equal(matchesTransaction(row, { q: 'receipt-9' }, NOW), true);
  assert.equal(matchesTransaction(row, { q: 'RDER' }, NOW), false);
  assert.equal(matchesTransaction(row, { currency: 'NGN' }, NOW), false);
  assert.equal(matchesTransaction(row, { from: '-1h' }, NOW + 3_600_001), false);
  assert.equal(matchesTransaction(row, { to: new Date(NOW).toISOString() }, NOW), false);
});

test('a relative time in the address bar becomes a moment', () => {
  assert.deepEqual(resolveTimes({ from: '-15m', q: 'x' }, NOW), { from: '2026-01-01T11:45:00.000Z', q: 'x' });
});
