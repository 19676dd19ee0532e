import { addMoney, compareMoney } from '../money.ts';
import type { Money } from '../money.ts';
import type { Transaction } from './transaction.ts';

/**
 * Adds to a transaction what follows from its children: refunds, disputes and their versions. Give it a transaction as the fold
 * made it, never its own result, and every child once. The status stays: a refunded payment has still succeeded.
 */
export function withChildren(transaction: Transaction, children: readonly Transaction[]): Transaction {
  if (children.length === 0) return transaction;
  const base = transaction.amountReceived ?? transaction.amount;
  const refunded = sumRefunds(base, children);
  const flags = new Set(transaction.flags);
  if (refunded.mixed) flags.add('conflict');
  if (refunded.unstated) flags.add('refund_amount_missing');
  const order = refunded.sum === null || base === null || base.currency !== refunded.sum.currency ? null : compareMoney(refunded.sum, base);
  if (order !== null && order > 0) flags.add('over_refunded');
  let { updatedAt, version } = transaction;
  for (const child of children) {
    version += child.version;
    if (child.updatedAt > updatedAt) updatedAt = child.updatedAt;
  }
  return {
    ...transaction,
    amountRefunded: refunded.sum,
    refundState: refundState(refunded, order),
    disputeState: disputeState(children),
    flags: flags.size === transaction.flags.length ? transaction.flags : [...flags].sort(),
    updatedAt,
    version,
  };
}

interface Refunded {
  readonly sum: Money | null;
  /** Some refund is in another currency and was left out of the sum. */
  readonly mixed: boolean;
  /** Some refund succeeded without a known amount. */
  readonly unstated: boolean;
}

function sumRefunds(base: Money | null, children: readonly Transaction[]): Refunded {
  const amounts: Money[] = [];
  let unstated = false;
  for (const child of children) {
    if (child.kind !== 'refund') continue;
    const part =
      child.status === 'partially_succeeded'
        ? child.amountReceived
        : child.status === 'succeeded'
          ? (child.amountReceived ?? child.amount)
          : undefined;
    if (part === null) unstated = true;
    else if (part !== undefined) amounts.push(part);
  }
  // While the payment itself is unknown, the first currency by name is as good as any, and the same for every order.
  const currency = base?.currency ?? amounts.map((amount) => amount.currency).sort()[0];
  const matching = amounts.filter((amount) => amount.currency === currency);
  const [first, ...rest] = matching;
  // From zero, so that `text` is always the decimal text of the sum.
  const sum = first === undefined ? null : rest.reduce(addMoney, addMoney({ ...first, value: '0' }, first));
  return { sum, mixed: matching.length < amounts.length, unstated };
}

function refundState({ sum, mixed, unstated }: Refunded, order: number | null): Transaction['refundState'] {
  if (order !== null && order >= 0) return 'full';
  const nothing = sum === null || /^-|^0+$/.test(sum.value);
  return nothing && !mixed && !unstated ? 'none' : 'partial';
}

function disputeState(children: readonly Transaction[]): Transaction['disputeState'] {
  let state: Transaction['disputeState'] = 'none';
  for (const child of children) {
    if (child.kind !== 'dispute') continue;
    const outcome = disputeOutcome(child);
    if (outcome === 'open') return 'open';
    if (state !== 'lost') state = outcome;
  }
  return state;
}

/** A dispute moves the payer's money back: `succeeded` means lost for the merchant. A substate `won` or `lost` says it outright. */
function disputeOutcome({ status, substate }: Transaction): 'open' | 'won' | 'lost' {
  if (substate === 'won' || substate === 'lost') return substate;
  if (status === 'succeeded') return 'lost';
  return status === 'failed' || status === 'canceled' || status === 'expired' || status === 'reversed' ? 'won' : 'open';
}
