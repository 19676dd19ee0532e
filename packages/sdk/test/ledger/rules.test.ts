import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold, foldFirst, foldNext, foldStep, RULES, timeline, timelineEntry } from '@paybell/sdk';
import type { LedgerEvent, RuleName, Transaction } from '@paybell/sdk';
import { money, PAYMENT, told } from './build.ts';

interface Case {
  readonly events: readonly LedgerEvent[];
  /** What the last event in order must leave behind. */
  readonly expect: Partial<Transaction>;
}

const price = money(100);

/** For every rule, events of which the last in order reaches it. */
const CASES: Readonly<Record<RuleName, Case>> = {
  first: { events: [told('reversed', { at: 0, amount: price })], expect: { status: 'reversed', amountReceived: null, flags: [] } },
  advance: { events: [told('created', { at: 0 }), told('authorized', { at: 1 })], expect: { status: 'authorized', version: 2 } },
  detail: {
    events: [told('pending', { at: 0, substate: 'confirming 0/3' }), told('pending', { at: 1, substate: 'confirming 1/3', amount: price })],
    expect: { substate: 'confirming 1/3', amount: price },
  },
  more_received: {
    events: [
      told('partially_succeeded', { at: 0, amount: price, amountReceived: money(20) }),
      told('partially_succeeded', { at: 1, amountReceived: money(30) }),
    ],
    expect: { status: 'partially_succeeded', amountReceived: money(30), flags: [] },
  },
  reinstated: {
    events: [told('reversed', { at: 0 }), told('succeeded', { at: 1, reinstated: true })],
    expect: { status: 'succeeded' },
  },
  late_value: {
    events: [
      told('canceled', { at: 0, amount: price, reason: { code: 'c' } }),
      told('partially_succeeded', { at: 1, amountReceived: money(1) }),
    ],
    expect: { status: 'partially_succeeded', flags: ['late'], reason: null, amountReceived: money(1) },
  },
  repeated: {
    events: [
      told('succeeded', { at: 0, amount: price }),
      // The same amounts, written with other exponents.
      told('succeeded', { at: 1, amount: money(100, 'KES', 4), amountReceived: money(100, 'KES', 3), reference: 'r', rail: 'card' }),
    ],
    expect: { amount: price, reference: 'r', rail: 'card', flags: [], version: 2 },
  },
  lower_rank: {
    events: [
      told('succeeded', { at: 0 }),
      told('pending', {
        at: 1,
        amount: price,
        reference: 'r',
        rail: 'card',
        refs: ['x'],
        substate: 'no',
        reason: { code: 'no' },
        flags: ['underpaid'],
      }),
    ],
    expect: {
      status: 'succeeded',
      amount: price,
      amountReceived: price,
      reference: 'r',
      rail: 'card',
      refs: ['x'],
      substate: null,
      reason: null,
      flags: [],
    },
  },
  already_ended: {
    events: [told('failed', { at: 0 }), told('expired', { at: 1, reason: { code: 'timeout' } })],
    expect: { status: 'failed', reason: { code: 'timeout' } },
  },
  not_reinstated: {
    events: [told('reversed', { at: 0, amount: price }), told('succeeded', { at: 1 })],
    expect: { status: 'reversed', amountReceived: null, flags: [] },
  },
  less_received: {
    events: [
      told('partially_succeeded', { id: 'a', amount: price, amountReceived: money(30) }),
      told('partially_succeeded', { id: 'b', amountReceived: money(20) }),
    ],
    expect: { amountReceived: money(30), flags: [] },
  },
  impossible: {
    events: [told('failed', { at: 0 }), told('reversed', { at: 1, amount: price, reference: 'r', refs: ['x'] })],
    expect: { status: 'failed', amount: null, reference: null, refs: ['x'], flags: ['conflict'] },
  },
  contradicted: {
    events: [told('succeeded', { at: 0, amount: price }), told('failed', { at: 1, reason: { code: 'f' } })],
    expect: { status: 'succeeded', amountReceived: price, reason: null, flags: ['conflict'] },
  },
  amount_changed: {
    events: [told('pending', { at: 0, amount: price }), told('succeeded', { at: 1, amount: money(100, 'TZS') })],
    expect: { status: 'pending', amount: price, amountReceived: null, flags: ['conflict'] },
  },
  received_shrank: {
    events: [
      told('partially_succeeded', { at: 0, amount: price, amountReceived: money(30) }),
      told('succeeded', { at: 1, amountReceived: money(20) }),
    ],
    expect: { status: 'partially_succeeded', amountReceived: money(30), flags: ['conflict'] },
  },
};

for (const name of Object.keys(RULES) as RuleName[]) {
  const { events, expect } = CASES[name];

  test(`rule ${name}`, () => {
    const last = timeline(PAYMENT, events).at(-1);
    assert.equal(last?.rule, name);
    assert.equal(last.verdict, RULES[name].verdict);
    assert.equal(last.why, RULES[name].sentence);
    const transaction = fold(PAYMENT, events);
    for (const [field, value] of Object.entries(expect)) assert.deepEqual(transaction[field as keyof Transaction], value, field);
    assert.equal(last.to, transaction.status);
  });
}

test('a success keeps the figure that the provider states, and takes the amount where it states none', () => {
  const pending = told('pending', { at: 0, amount: price });
  assert.deepEqual(fold(PAYMENT, [pending, told('succeeded', { at: 1 })]).amountReceived, price);
  const short = fold(PAYMENT, [pending, told('succeeded', { at: 1, amountReceived: money(99) })]);
  assert.deepEqual([short.amountReceived, short.flags], [money(99), ['underpaid']]);
  const unsaid = fold(PAYMENT, [pending, told('succeeded', { at: 1, flags: ['underpaid'] }), told('succeeded', { at: 2 })]);
  assert.deepEqual([unsaid.amountReceived, unsaid.flags], [null, ['underpaid']]);
  const corrected = fold(PAYMENT, [pending, told('succeeded', { at: 1 }), told('succeeded', { at: 2, amountReceived: money(98) })]);
  assert.deepEqual([corrected.amountReceived, corrected.flags], [money(98), ['underpaid']]);
  const madeUp = fold(PAYMENT, [
    pending,
    told('succeeded', { at: 1, amountReceived: money(98) }),
    told('succeeded', { at: 2, amountReceived: price }),
  ]);
  assert.deepEqual([madeUp.amountReceived, madeUp.flags], [price, []]);
});

test('a failure after success is a conflict only where the times say that it came after', () => {
  const events = [told('succeeded', { amount: price }), told('failed', { at: 1 })];
  assert.deepEqual(timeline(PAYMENT, events)[1]?.rule, 'lower_rank');
  assert.deepEqual(fold(PAYMENT, events).flags, []);
});

test('only a payment takes its amount as received', () => {
  const payout = { ...PAYMENT, kind: 'payout' as const };
  assert.equal(fold(payout, [told('succeeded', { amount: price })]).amountReceived, null);
});

test('times: of the event that gave the status, else of its recording; hostile numbers never throw', () => {
  const events = [told('pending', { at: 0 }), told('succeeded', { at: 5 }), told('succeeded', { at: 9 })];
  assert.equal(fold(PAYMENT, events).occurredAt, '2026-03-01T09:05:00.000Z');
  for (const occurredAt of [Infinity, Number.NaN, 1e300, -1e300]) {
    const odd: LedgerEvent = { ...told('pending'), occurredAt, recordedAt: 1000, sequence: Number.NaN };
    assert.equal(fold(PAYMENT, [odd]).occurredAt, '1970-01-01T00:00:01.000Z');
  }
  const latest = fold(
    PAYMENT,
    events.map((event, index) => ({ ...event, recordedAt: [3000, 9000, 6000][index] ?? 0 })),
  );
  assert.equal(latest.updatedAt, '1970-01-01T00:00:09.000Z');
});

test('a step answers null for an event that does not sort last, and for the same event again', () => {
  const pending = told('pending', { at: 1, amount: price });
  const success = told('succeeded', { at: 2 });
  const start = foldFirst(PAYMENT, pending).state;
  assert.equal(foldNext(start, told('created', { at: 0 })), null);
  assert.equal(foldNext(start, pending), null);
  const step = foldStep(start, success);
  assert.ok(step);
  assert.deepEqual(timelineEntry(success, step), timeline(PAYMENT, [success, pending])[1]);
});

test('nothing is changed that was given', () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  const events = freeze([
    told('pending', { at: 1, amount: price, refs: ['b', 'a'], flags: ['test'] }),
    told('succeeded', { at: 0, refs: ['c'] }),
  ]);
  assert.deepEqual(fold(freeze({ ...PAYMENT }), events).refs, ['c', 'b', 'a']);
});

test('without an event there is no transaction', () => {
  assert.throws(() => fold(PAYMENT, []), RangeError);
});
