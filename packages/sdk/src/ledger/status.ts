import type { Status } from './transaction.ts';

/*
 * The state machine of a transaction, the same for every kind. Ranks rise from left to right.
 *
 *   created ──▶ action_required ──▶ pending ◀──▶ on_hold ──▶ authorized ──▶ partially_succeeded ──▶ succeeded ◀─ ─▶ reversed
 *      │               │               │            │             │                  │    ▲             ▲      (back only with
 *      │               ▼               ▼            │             │                  │    ╎             ╎       evidence)
 *      │            unknown ◀──────────┘            │             │                  │    ╎             ╎
 *      │               │                            │             │                  │    ╎ late        ╎ late
 *      └───────────────┴──────┬─────────────────────┴─────────────┴──────────────────┘    ╎             ╎
 *                             ▼                                                           ╎             ╎
 *                  failed · canceled · expired ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ┴ ─ ─ ─ ─ ─ ─ ┘
 *
 * Steps may be skipped to the right; `created` and `unknown` lead anywhere. A jump that the table lacks never changes a status.
 */

export interface StatusSpec {
  /** Progress, 0 to 70: decides between events that carry the same time, and which of two statuses is the older. */
  readonly rank: number;
  readonly meaning: string;
  /** The statuses that may follow. */
  readonly next: readonly Status[];
  /** True where nothing more is awaited; late value and reversals may still come. */
  readonly terminal: boolean;
}

const ended = ['failed', 'canceled', 'expired'] as const;
const valued = ['partially_succeeded', 'succeeded'] as const;

export const STATUS_TABLE: Readonly<Record<Status, StatusSpec>> = {
  created: {
    rank: 0,
    meaning: 'Known, nothing asked yet.',
    next: ['action_required', 'unknown', 'pending', 'on_hold', 'authorized', ...valued, ...ended, 'reversed'],
    terminal: false,
  },
  action_required: {
    rank: 10,
    meaning: 'Waits for the payer or the recipient.',
    // `unknown`: an STK prompt that nobody answered ends in silence, not in a result.
    next: ['unknown', 'pending', 'on_hold', 'authorized', ...valued, ...ended],
    terminal: false,
  },
  unknown: {
    rank: 15,
    meaning: 'The outcome cannot be known from the messages; ask the provider.',
    next: ['created', 'action_required', 'pending', 'on_hold', 'authorized', ...valued, ...ended, 'reversed'],
    terminal: false,
  },
  pending: {
    rank: 20,
    meaning: 'The provider or the chain is working on it.',
    next: ['unknown', 'on_hold', 'authorized', ...valued, ...ended],
    terminal: false,
  },
  on_hold: {
    rank: 25,
    meaning: 'Waits for the merchant or the operator.',
    // `authorized`: a card payment that passes its fraud review.
    next: ['pending', 'authorized', ...valued, ...ended],
    terminal: false,
  },
  authorized: { rank: 30, meaning: 'Funds are reserved.', next: [...valued, ...ended], terminal: false },
  partially_succeeded: {
    rank: 40,
    meaning: 'Some value moved, the rest is open.',
    // `reversed`: a short bank credit that is returned.
    next: ['on_hold', 'canceled', 'expired', 'succeeded', 'reversed'],
    terminal: false,
  },
  failed: { rank: 50, meaning: 'Ended without value: refused or broken.', next: valued, terminal: true },
  canceled: { rank: 50, meaning: 'Ended without value: called off.', next: valued, terminal: true },
  expired: { rank: 50, meaning: 'Ended without value: time ran out.', next: valued, terminal: true },
  succeeded: { rank: 60, meaning: 'The full (or accepted) value moved.', next: ['reversed'], terminal: true },
  reversed: { rank: 70, meaning: 'The value came back.', next: ['succeeded'], terminal: true },
};

/** Whether the table has a step between two different statuses. */
export function isAllowed(from: Status, to: Status): boolean {
  return STATUS_TABLE[from].next.includes(to);
}

/** Whether a status is an end without value, which only late value can leave. */
export function endedWithoutValue(status: Status): boolean {
  return status === 'failed' || status === 'canceled' || status === 'expired';
}
