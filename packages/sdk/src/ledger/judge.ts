import { compareMoney } from '../money.ts';
import type { Money } from '../money.ts';
import { isNewer } from './order.ts';
import type { SortKey } from './order.ts';
import { RULES } from './rules.ts';
import type { RuleName } from './rules.ts';
import type { FoldState } from './state.ts';
import { STATUS_TABLE, endedWithoutValue, isAllowed } from './status.ts';
import type { Movement } from './transaction.ts';

/** Names the one rule by which the next event in order meets the transaction so far. */
export function judge(state: FoldState, movement: Movement, key: SortKey): RuleName {
  const { transaction } = state;
  if (differs(transaction.amount, movement.amount) || receivedInOtherCurrency(state, movement)) return 'amount_changed';
  const rule = transaction.status === movement.status ? judgeRepeat(state, movement) : judgeJump(state, movement, key);
  const { verdict } = RULES[rule];
  if (verdict === 'stale' || verdict === 'conflict' || !claimsValue(movement) || !shrinks(state, movement)) return rule;
  // Within one status only a time tells which of two amounts came first.
  return transaction.status !== movement.status || isNewer(key, state.last) ? 'received_shrank' : 'less_received';
}

function judgeRepeat(state: FoldState, movement: Movement): RuleName {
  const { transaction, assumed } = state;
  const received = movement.amountReceived;
  if (received !== undefined) {
    const before = transaction.amountReceived;
    if (before === null) return 'more_received';
    if (!differs(before, received)) return judgeDetail(state, movement);
    if (assumed) return 'detail';
    if (compareMoney(received, before) > 0) return 'more_received';
  }
  return judgeDetail(state, movement);
}

function judgeDetail({ transaction }: FoldState, movement: Movement): RuleName {
  const progress = movement.substate !== undefined && movement.substate !== transaction.substate;
  return progress || (movement.amount !== undefined && transaction.amount === null) ? 'detail' : 'repeated';
}

function judgeJump({ transaction, last }: FoldState, movement: Movement, key: SortKey): RuleName {
  const from = transaction.status;
  const to = movement.status;
  if (from === 'reversed' && to === 'succeeded') return movement.reinstated === true ? 'reinstated' : 'not_reinstated';
  if (isAllowed(from, to)) return endedWithoutValue(from) ? 'late_value' : 'advance';
  if (from === 'succeeded' && to === 'failed' && isNewer(key, last)) return 'contradicted';
  const climb = STATUS_TABLE[to].rank - STATUS_TABLE[from].rank;
  if (climb > 0) return 'impossible';
  return climb === 0 ? 'already_ended' : 'lower_rank';
}

function claimsValue(movement: Movement): boolean {
  return movement.status === 'partially_succeeded' || movement.status === 'succeeded';
}

function shrinks({ transaction, assumed }: FoldState, movement: Movement): boolean {
  const before = transaction.amountReceived;
  if (assumed || before === null || movement.amountReceived === undefined) return false;
  return compareMoney(movement.amountReceived, before) < 0;
}

// A received amount may be in another currency than the requested one (a price in USD, paid in USDC), but not change its own.
function receivedInOtherCurrency({ transaction, assumed }: FoldState, movement: Movement): boolean {
  if (assumed || transaction.amountReceived === null || movement.amountReceived === undefined) return false;
  return transaction.amountReceived.currency !== movement.amountReceived.currency;
}

function differs(known: Money | null, stated: Money | undefined): boolean {
  if (known === null || stated === undefined) return false;
  if (known.currency !== stated.currency) return true;
  if (known.value === stated.value && known.exponent === stated.exponent) return false;
  return compareMoney(known, stated) !== 0;
}
