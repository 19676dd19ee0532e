import type { Money } from '../money.ts';

export const KINDS = ['payment', 'refund', 'payout', 'transfer', 'settlement', 'fee', 'dispute', 'adjustment'] as const;
export type Kind = (typeof KINDS)[number];

export const STATUSES = [
  'created',
  'action_required',
  'unknown',
  'pending',
  'on_hold',
  'authorized',
  'partially_succeeded',
  'failed',
  'canceled',
  'expired',
  'succeeded',
  'reversed',
] as const;
export type Status = (typeof STATUSES)[number];

export const RAILS = ['card', 'mobile_money', 'bank_transfer', 'bank_debit', 'crypto', 'wallet', 'cash', 'other'] as const;
export type Rail = (typeof RAILS)[number];

export interface Customer {
  readonly reference?: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
}

export interface Reason {
  /** The provider's own code or status word. */
  readonly code: string;
  readonly message?: string;
}

/** What one event says about one transaction: the input of the fold. Plain JSON data. */
export interface Movement {
  readonly kind: Kind;
  /** Identity within merchant, provider and kind: the same for all events of one transaction. */
  readonly key: string;
  readonly status: Status;
  readonly substate?: string;
  readonly rail?: Rail;
  /** The merchant's own reference (order id ...). */
  readonly reference?: string;
  /** The provider's reference (transaction id ...). */
  readonly providerReference?: string;
  /** Other references by which a person may search: receipt, tx hash ... */
  readonly refs?: readonly string[];
  readonly amount?: Money;
  readonly amountReceived?: Money;
  /** The transaction that this one belongs to: the payment of a refund. */
  readonly parent?: { readonly kind: Kind; readonly key: string };
  readonly customer?: Customer;
  readonly reason?: Reason;
  /** Words such as `test`, `overpaid`, `amount_unreadable`. Sorted and made unique by the fold. */
  readonly flags?: readonly string[];
  /** True only with explicit evidence that a reversed transaction stands again (dispute won, re-org back). */
  readonly reinstated?: boolean;
}

/** One recorded event as the fold sees it. */
export interface LedgerEvent {
  readonly id: string;
  readonly type: string;
  readonly dedupeKey: string;
  /** The provider's own order, where there is one: compared before the time. */
  readonly sequence: number | null;
  /** Milliseconds since 1970, as the provider says; null where it does not say. */
  readonly occurredAt: number | null;
  /** Milliseconds since 1970, when it was recorded here. Never decides an order. */
  readonly recordedAt: number;
  readonly movement: Movement;
}

export interface TransactionIdentity {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  readonly kind: Kind;
  readonly key: string;
}

/** The canonical transaction, exactly as the API shows it (`timeline` and deliveries are added by the reader). */
export interface Transaction {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  readonly kind: Kind;
  readonly status: Status;
  readonly substate: string | null;
  readonly rail: Rail | null;
  readonly reference: string | null;
  readonly providerReference: string | null;
  readonly refs: readonly string[];
  readonly amount: Money | null;
  readonly amountReceived: Money | null;
  /** Sum of the succeeded refunds; null where nothing was refunded. */
  readonly amountRefunded: Money | null;
  readonly refundState: 'none' | 'partial' | 'full';
  readonly disputeState: 'none' | 'open' | 'won' | 'lost';
  /** Id of the parent transaction, known even before it is seen. */
  readonly parent: string | null;
  readonly customer: Customer | null;
  readonly reason: Reason | null;
  /** Sorted, unique. `late`, `conflict`, `overpaid`, `underpaid`, `test`, `amount_unreadable`, `over_refunded` ... */
  readonly flags: readonly string[];
  /** RFC 3339 UTC. Of the event that gave the present status; falls back to `recordedAt`. */
  readonly occurredAt: string;
  /** RFC 3339 UTC. The latest `recordedAt` of all its events and children. */
  readonly updatedAt: string;
  /** Events folded, plus the versions of its children: grows with every change. */
  readonly version: number;
}

export type EventVerdict = 'applied' | 'stale' | 'duplicate' | 'conflict' | 'late';

export interface TimelineEntry {
  /** RFC 3339 UTC: occurredAt, else recordedAt. */
  readonly at: string;
  readonly event: string;
  readonly type: string;
  readonly verdict: EventVerdict;
  /** Name of the rule that gave the verdict, from the table in status.ts / fold.ts. */
  readonly rule: string;
  readonly from: Status | null;
  readonly to: Status;
  /** The rule as a sentence that a merchant understands. */
  readonly why: string;
}
