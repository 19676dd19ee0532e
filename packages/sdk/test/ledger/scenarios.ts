import type { Kind, LedgerEvent, RuleName, Transaction } from '@paybell/sdk';
import { money, told } from './build.ts';

/** One path through a rail: its events in order, and what must come out of them in every order of arrival. */
export interface Scenario {
  readonly name: string;
  readonly kind?: Kind;
  readonly events: readonly LedgerEvent[];
  readonly rules: readonly RuleName[];
  readonly expect: Partial<Transaction>;
}

const price = money(100);
const token = 'eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913';
const coins = (units: number) => money(units, token, 6);

const mobileMoney: readonly Scenario[] = [
  {
    name: 'STK push, callback, C2B confirmation of the same fact',
    events: [
      told('action_required', { at: 0, substate: 'stk_push', rail: 'mobile_money', amount: price, providerReference: 'ws_CO_1' }),
      told('succeeded', { at: 1, amount: price, providerReference: 'ws_CO_1', refs: ['RKT1'] }),
      told('succeeded', { at: 2, amount: price, providerReference: 'RKT1', refs: ['RKT1'], customer: { name: 'Asha' } }),
    ],
    rules: ['first', 'advance', 'repeated'],
    expect: {
      status: 'succeeded',
      substate: null,
      refs: ['RKT1'],
      amountReceived: price,
      customer: { name: 'Asha' },
      flags: [],
      version: 3,
    },
  },
  {
    name: 'STK push called off by the payer',
    events: [
      told('action_required', { at: 0, substate: 'stk_push', amount: price }),
      told('canceled', { at: 1, reason: { code: '1032', message: 'Cancelled by user' } }),
    ],
    rules: ['first', 'advance'],
    expect: { status: 'canceled', reason: { code: '1032', message: 'Cancelled by user' }, amountReceived: null, flags: [] },
  },
  {
    name: 'STK push without an answer, then the result of the query',
    events: [
      told('action_required', { at: 0, amount: price }),
      told('unknown', { at: 2, reason: { code: '1037' } }),
      told('succeeded', { at: 3 }),
    ],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'succeeded', reason: null, amountReceived: price, flags: [] },
  },
  {
    name: 'STK push paid after it expired',
    events: [told('action_required', { at: 0, amount: price }), told('expired', { at: 2 }), told('succeeded', { at: 9 })],
    rules: ['first', 'advance', 'late_value'],
    expect: { status: 'succeeded', flags: ['late'], amountReceived: price },
  },
  {
    name: 'B2C payout that times out in the queue, is found, and is reversed',
    kind: 'payout',
    events: [
      told('pending', { at: 0, amount: price }),
      told('unknown', { at: 1, substate: 'queue_timeout' }),
      told('succeeded', { at: 2 }),
      told('reversed', { at: 3, reason: { code: 'R1' } }),
    ],
    rules: ['first', 'advance', 'advance', 'advance'],
    expect: { status: 'reversed', amount: price, amountReceived: null, reason: { code: 'R1' }, flags: [] },
  },
  {
    name: 'B2C payout on hold for want of float, then failed',
    kind: 'payout',
    events: [
      told('pending', { at: 0, amount: price }),
      told('on_hold', { at: 1, substate: 'insufficient_float', reason: { code: '1' } }),
      told('failed', { at: 2 }),
    ],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'failed', substate: null, reason: null },
  },
];

const cards: readonly Scenario[] = [
  {
    name: 'card with 3DS, partial capture, final capture',
    events: [
      told('action_required', { at: 0, substate: '3ds', amount: price }),
      told('authorized', { at: 1 }),
      told('partially_succeeded', { at: 2, amountReceived: money(40) }),
      told('partially_succeeded', { at: 3, amountReceived: money(70) }),
      told('succeeded', { at: 4, amountReceived: price }),
    ],
    rules: ['first', 'advance', 'advance', 'more_received', 'advance'],
    expect: { status: 'succeeded', amountReceived: price, flags: [], version: 5 },
  },
  {
    name: 'authorization that is voided',
    events: [told('authorized', { at: 0, amount: price }), told('canceled', { at: 1 })],
    rules: ['first', 'advance'],
    expect: { status: 'canceled', amountReceived: null },
  },
  {
    name: 'card held for review, then authorized',
    events: [told('on_hold', { at: 0, amount: price }), told('authorized', { at: 1 }), told('pending', { at: 2 })],
    rules: ['first', 'advance', 'lower_rank'],
    expect: { status: 'authorized' },
  },
  {
    name: 'chargeback that takes the money, and its return after a won dispute',
    events: [told('succeeded', { at: 0, amount: price }), told('reversed', { at: 1 }), told('succeeded', { at: 2, reinstated: true })],
    rules: ['first', 'advance', 'reinstated'],
    expect: { status: 'succeeded', amountReceived: price, flags: [] },
  },
];

const banks: readonly Scenario[] = [
  {
    name: 'virtual account credited, returned days later',
    events: [told('action_required', { at: 0, amount: price }), told('succeeded', { at: 1 }), told('reversed', { at: 4000 })],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'reversed', amountReceived: price },
  },
  {
    name: 'short credit that is accepted',
    events: [
      told('action_required', { at: 0, amount: price }),
      told('partially_succeeded', { at: 1, amountReceived: money(90), flags: ['underpaid'] }),
      told('succeeded', { at: 2, amountReceived: money(90) }),
    ],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'succeeded', amountReceived: money(90), flags: ['underpaid'] },
  },
  {
    name: 'short credit that is made up later, success without a figure',
    events: [
      told('partially_succeeded', { at: 1, amount: price, amountReceived: money(90), flags: ['underpaid'] }),
      told('succeeded', { at: 2 }),
    ],
    rules: ['first', 'advance'],
    expect: { status: 'succeeded', amountReceived: price, flags: [] },
  },
  {
    name: 'short credit that is returned',
    events: [told('partially_succeeded', { at: 1, amount: price, amountReceived: money(90) }), told('reversed', { at: 2 })],
    rules: ['first', 'advance'],
    expect: { status: 'reversed', amountReceived: money(90), flags: [] },
  },
];

const chains: readonly Scenario[] = [
  {
    name: 'crypto deposit seen, confirmed, paid too much',
    events: [
      told('action_required', { at: 0, rail: 'crypto', amount: coins(100) }),
      told('pending', { at: 1, substate: 'confirming 0/12', refs: ['0xa'] }),
      told('pending', { at: 2, substate: 'confirming 6/12', refs: ['0xa'] }),
      told('succeeded', { at: 3, amountReceived: coins(101), refs: ['0xa', '0xb'] }),
    ],
    rules: ['first', 'advance', 'detail', 'advance'],
    expect: { status: 'succeeded', substate: null, amountReceived: coins(101), refs: ['0xa', '0xb'], flags: ['overpaid'] },
  },
  {
    name: 'crypto deposit underpaid, waiting for a decision, then expired',
    events: [
      told('action_required', { at: 0, amount: coins(100) }),
      told('partially_succeeded', { at: 1, amountReceived: coins(60) }),
      told('on_hold', { at: 2, substate: 'decision' }),
      told('expired', { at: 3 }),
    ],
    rules: ['first', 'advance', 'advance', 'advance'],
    expect: { status: 'expired', amountReceived: coins(60), flags: [] },
  },
  {
    name: 'crypto deposit after expiry, undone by a re-org, mined again',
    events: [
      told('action_required', { at: 0, amount: coins(100) }),
      told('expired', { at: 1 }),
      told('partially_succeeded', { at: 2, amountReceived: coins(60) }),
      told('succeeded', { at: 3, amountReceived: coins(100) }),
      told('reversed', { at: 4, substate: 'reorg' }),
      told('pending', { at: 5 }),
      told('succeeded', { at: 6, reinstated: true }),
    ],
    rules: ['first', 'advance', 'late_value', 'advance', 'advance', 'lower_rank', 'reinstated'],
    expect: { status: 'succeeded', amountReceived: coins(100), flags: ['late'], version: 7 },
  },
  {
    name: 'price in dollars, paid in a token',
    events: [told('pending', { at: 0, amount: money(100, 'USD') }), told('succeeded', { at: 1, amountReceived: coins(99) })],
    rules: ['first', 'advance'],
    expect: { status: 'succeeded', amountReceived: coins(99), flags: ['currency_mismatch'] },
  },
  {
    name: 'crypto withdrawal without gas, replaced on the chain, mined in two legs',
    kind: 'payout',
    events: [
      told('created', { at: 0, amount: coins(100) }),
      told('on_hold', { at: 1, substate: 'awaiting_gas' }),
      told('pending', { at: 2, substate: 'broadcast', refs: ['0x1'] }),
      told('pending', { at: 3, substate: 'replaced', refs: ['0x2'] }),
      told('partially_succeeded', { at: 4, amountReceived: coins(50), refs: ['0x2'] }),
      told('succeeded', { at: 5, amountReceived: coins(100), refs: ['0x3'] }),
    ],
    rules: ['first', 'advance', 'advance', 'detail', 'advance', 'advance'],
    expect: { status: 'succeeded', refs: ['0x1', '0x2', '0x3'], amountReceived: coins(100), flags: [] },
  },
  {
    name: 'crypto withdrawal that fails on the chain',
    kind: 'payout',
    events: [
      told('created', { at: 0 }),
      told('pending', { at: 1, refs: ['0x1'] }),
      told('failed', { at: 2, reason: { code: 'reverted' } }),
    ],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'failed', reason: { code: 'reverted' }, refs: ['0x1'] },
  },
];

const others: readonly Scenario[] = [
  {
    name: 'refund that the bank rejects later',
    kind: 'refund',
    events: [
      told('pending', { at: 0, amount: price, parent: { kind: 'payment', key: 'order-1' } }),
      told('succeeded', { at: 1 }),
      told('reversed', { at: 2 }),
    ],
    rules: ['first', 'advance', 'advance'],
    expect: { status: 'reversed', amountReceived: null },
  },
  {
    name: 'settlement whose sum differs, returned by the bank',
    kind: 'settlement',
    events: [
      told('created', { at: 0, amount: price }),
      told('pending', { at: 1 }),
      told('succeeded', { at: 2, amount: money(98) }),
      told('succeeded', { at: 3, amount: price }),
      told('reversed', { at: 4 }),
    ],
    rules: ['first', 'advance', 'amount_changed', 'advance', 'advance'],
    expect: { status: 'reversed', amount: price, flags: ['conflict'] },
  },
  {
    name: 'renewal that fails: the retry is another payment',
    events: [told('pending', { at: 0, amount: price, reference: 'inv-7' }), told('failed', { at: 1, reason: { code: 'declined' } })],
    rules: ['first', 'advance'],
    expect: { status: 'failed', reference: 'inv-7', reason: { code: 'declined' } },
  },
  {
    name: 'no times at all: the rank decides',
    events: [
      told('created', { amount: price }),
      told('pending'),
      told('failed'),
      told('succeeded'),
      told('reversed'),
      told('succeeded', { id: 'back', reinstated: true }),
    ],
    rules: ['first', 'advance', 'advance', 'late_value', 'advance', 'reinstated'],
    expect: { status: 'succeeded', flags: ['late'] },
  },
  {
    name: "the provider's sequence goes before its times",
    events: [
      told('pending', { sequence: 1, at: 9, amount: price }),
      told('succeeded', { sequence: 2, at: 5 }),
      told('pending', { sequence: 3, at: 1, substate: 'ignored' }),
    ],
    rules: ['first', 'advance', 'lower_rank'],
    expect: { status: 'succeeded', substate: null },
  },
  {
    name: 'flags of the provider are kept once, sorted',
    events: [told('pending', { at: 0, flags: ['test', 'amount_unreadable'] }), told('succeeded', { at: 1, flags: ['test'] })],
    rules: ['first', 'advance'],
    expect: { flags: ['amount_unreadable', 'test'], amount: null, amountReceived: null },
  },
];

export const SCENARIOS: readonly Scenario[] = [...mobileMoney, ...cards, ...banks, ...chains, ...others];
