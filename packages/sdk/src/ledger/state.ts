import type { SortKey } from './order.ts';
import type { Transaction } from './transaction.ts';

/** All that the fold must remember between two events. Plain JSON: it may be stored and read back. */
export interface FoldState {
  /** Without what its children add (see `withChildren`). */
  readonly transaction: Transaction;
  /** True where `amountReceived` was taken from `amount` because no event has stated it. */
  readonly assumed: boolean;
  /** The sort key of the last event. */
  readonly last: SortKey;
}
