import { compareMoney } from '../money.ts';
import type { Money } from '../money.ts';
import { transactionId } from './identity.ts';
import { judge } from './judge.ts';
import { sortKey } from './order.ts';
import type { SortKey } from './order.ts';
import { RULES } from './rules.ts';
import type { RuleName } from './rules.ts';
import type { FoldState } from './state.ts';
import { endedWithoutValue } from './status.ts';
import { eventTime, rfc3339 } from './time.ts';
import type { Customer, LedgerEvent, Movement, Reason, Status, Transaction, TransactionIdentity } from './transaction.ts';

const NO_FLAGS: readonly string[] = [];
const VARIANCES: readonly string[] = ['overpaid', 'underpaid'];

/** What one event did. */
export interface FoldStep {
  readonly state: FoldState;
  readonly rule: RuleName;
  readonly from: Status | null;
}

/** The first event of a transaction, in order: always applied. */
export function firstStep(identity: TransactionIdentity, event: LedgerEvent): FoldStep {
  const { id, merchant, provider, kind } = identity;
  const blank: Transaction = {
    id,
    merchant,
    provider,
    kind,
    status: event.movement.status,
    substate: null,
    rail: null,
    reference: null,
    providerReference: null,
    refs: [],
    amount: null,
    amountReceived: null,
    amountRefunded: null,
    refundState: 'none',
    disputeState: 'none',
    parent: null,
    customer: null,
    reason: null,
    flags: [],
    occurredAt: '',
    updatedAt: '',
    version: 0,
  };
  return { state: apply({ before: blank, assumed: false, event, key: sortKey(event), rule: 'first' }), rule: 'first', from: null };
}

/** The next event in order; the caller has made sure that it sorts last. */
export function nextStep(state: FoldState, event: LedgerEvent, key: SortKey): FoldStep {
  const rule = judge(state, event.movement, key);
  return { state: apply({ before: state.transaction, assumed: state.assumed, event, key, rule }), rule, from: state.transaction.status };
}

interface Application {
  readonly before: Transaction;
  readonly assumed: boolean;
  readonly event: LedgerEvent;
  readonly key: SortKey;
  readonly rule: RuleName;
}

function apply(application: Application): FoldState {
  const { before, event, key, rule } = application;
  const { movement } = event;
  const { verdict } = RULES[rule];
  const believed = verdict !== 'conflict';
  const moves = rule === 'first' || verdict === 'late' || (verdict === 'applied' && movement.status !== before.status);
  const status = moves ? movement.status : before.status;
  const amount = before.amount ?? (believed ? money(movement.amount) : null);
  const received = receive(application, status, amount);
  const recordedAt = rfc3339(event.recordedAt);
  const transaction: Transaction = {
    id: before.id,
    merchant: before.merchant,
    provider: before.provider,
    kind: before.kind,
    status,
    substate: moves ? (movement.substate ?? null) : verdict === 'applied' ? (movement.substate ?? before.substate) : before.substate,
    rail: before.rail ?? (believed ? (movement.rail ?? null) : null),
    reference: before.reference ?? (believed ? (movement.reference ?? null) : null),
    providerReference: before.providerReference ?? (believed ? (movement.providerReference ?? null) : null),
    refs: mergeRefs(before, movement),
    amount,
    amountReceived: received.money,
    amountRefunded: null,
    refundState: 'none',
    disputeState: 'none',
    parent: before.parent ?? (believed ? parentId(before, movement) : null),
    customer: believed ? mergeCustomer(before.customer, movement.customer) : before.customer,
    reason: moves ? reason(movement) : (before.reason ?? (believed && explains(before.status, movement.status) ? reason(movement) : null)),
    flags: mergeFlags({ application, status, amount, received: received.money }),
    occurredAt: moves ? eventTime(event) : before.occurredAt,
    updatedAt: recordedAt > before.updatedAt ? recordedAt : before.updatedAt,
    version: before.version + 1,
  };
  return { transaction, assumed: received.assumed, last: key };
}

interface Received {
  readonly money: Money | null;
  readonly assumed: boolean;
}

function receive({ before, assumed, event, rule }: Application, status: Status, amount: Money | null): Received {
  const { movement } = event;
  const { verdict } = RULES[rule];
  const known: Received = { money: before.amountReceived, assumed };
  if (verdict === 'conflict') return known;
  const stated = movement.amountReceived;
  if (stated !== undefined && verdict !== 'stale' && (known.money === null || assumed || compareMoney(stated, known.money) >= 0)) {
    return {
      money: known.money !== null && !assumed && compareMoney(stated, known.money) === 0 ? known.money : money(stated),
      assumed: false,
    };
  }
  if (before.kind !== 'payment' || status !== 'succeeded' || amount === null) return known;
  // Success without a figure means that all of it arrived, unless the provider says otherwise.
  const completes = before.status !== 'succeeded' || rule === 'first';
  const varies = (verdict !== 'stale' && saysVariance(movement.flags)) || (!completes && saysVariance(before.flags));
  if (varies) return known;
  if (known.money === null) return { money: amount, assumed: true };
  const short = known.money.currency === amount.currency && compareMoney(known.money, amount) < 0;
  return completes && short ? { money: amount, assumed: true } : known;
}

function saysVariance(flags: readonly string[] = NO_FLAGS): boolean {
  return flags.length > 0 && VARIANCES.some((word) => flags.includes(word));
}

interface Flagging {
  readonly application: Application;
  readonly status: Status;
  readonly amount: Money | null;
  readonly received: Money | null;
}

function mergeFlags({ application, status, amount, received }: Flagging): readonly string[] {
  const { before, event, rule } = application;
  const { verdict } = RULES[rule];
  const stated = event.movement.flags ?? NO_FLAGS;
  const variance = varianceOf(status, amount, received);
  const fulfilled = variance === null && status === 'succeeded' && amount !== null && received !== null;
  if (stated.length === 0 && before.flags.length === 0 && variance === null && verdict !== 'late' && verdict !== 'conflict')
    return before.flags;
  const flags = new Set(before.flags);
  if (fulfilled || variance === 'overpaid') flags.delete('underpaid');
  const current = verdict !== 'stale' && verdict !== 'conflict';
  for (const flag of stated) if (current || !VARIANCES.includes(flag)) flags.add(flag);
  if (variance !== null) flags.add(variance);
  if (verdict === 'late') flags.add('late');
  if (verdict === 'conflict') flags.add('conflict');
  return [...flags].sort();
}

function varianceOf(status: Status, amount: Money | null, received: Money | null): string | null {
  if (amount === null || received === null || amount === received) return null;
  if (received.currency !== amount.currency) return 'currency_mismatch';
  const order = compareMoney(received, amount);
  if (order > 0) return 'overpaid';
  return order < 0 && status === 'succeeded' ? 'underpaid' : null;
}

// References are kept even from an event that is not believed: a person searches by them to find the conflict.
function mergeRefs(before: Transaction, movement: Movement): readonly string[] {
  let refs: string[] | undefined;
  const add = (ref: string): void => {
    if (!(refs ?? before.refs).includes(ref)) (refs ??= [...before.refs]).push(ref);
  };
  if (movement.refs !== undefined) for (const ref of movement.refs) add(ref);
  if (before.reference !== null && movement.reference !== undefined && movement.reference !== before.reference) add(movement.reference);
  const other = movement.providerReference;
  if (before.providerReference !== null && other !== undefined && other !== before.providerReference) add(other);
  return refs ?? before.refs;
}

function mergeCustomer(known: Customer | null, stated: Customer | undefined): Customer | null {
  if (stated === undefined) return known;
  const merged: { reference?: string; name?: string; email?: string; phone?: string } = {};
  let size = 0;
  for (const field of ['reference', 'name', 'email', 'phone'] as const) {
    const value = known?.[field] ?? stated[field];
    if (value === undefined) continue;
    merged[field] = value;
    size++;
  }
  return size === 0 ? null : merged;
}

// A reason belongs to a status: the reason of a hold says nothing about the success that followed.
function explains(status: Status, stated: Status): boolean {
  return status === stated || (endedWithoutValue(status) && endedWithoutValue(stated));
}

function reason({ reason: stated }: Movement): Reason | null {
  if (stated === undefined) return null;
  return stated.message === undefined ? { code: stated.code } : { code: stated.code, message: stated.message };
}

function parentId({ merchant, provider }: Transaction, { parent }: Movement): string | null {
  return parent === undefined ? null : transactionId(merchant, provider, parent.kind, parent.key);
}

// Rebuilt, so that the order of keys does not depend on where the event was read from.
function money(stated: Money | undefined): Money | null {
  if (stated === undefined) return null;
  return { value: stated.value, exponent: stated.exponent, currency: stated.currency, text: stated.text };
}
