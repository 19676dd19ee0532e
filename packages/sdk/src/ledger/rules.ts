import type { EventVerdict } from './transaction.ts';

export interface Rule {
  readonly verdict: EventVerdict;
  /** For the merchant: why this event did what it did. */
  readonly sentence: string;
}

/** Every reason why an event does or does not change a transaction. Each event gets exactly one. */
export const RULES = {
  first: { verdict: 'applied', sentence: 'The first event of this transaction set its status.' },
  advance: { verdict: 'applied', sentence: 'The provider reported the next status.' },
  detail: { verdict: 'applied', sentence: 'The status stayed the same, with news about its progress or its amount.' },
  more_received: { verdict: 'applied', sentence: 'The status stayed the same, and more of the amount arrived.' },
  reinstated: { verdict: 'applied', sentence: 'The provider gave evidence that the reversed transaction stands again.' },
  late_value: { verdict: 'late', sentence: 'The transaction had ended without value, and the value arrived afterwards.' },
  repeated: { verdict: 'duplicate', sentence: 'The provider reported a fact that was already known.' },
  lower_rank: { verdict: 'stale', sentence: 'The transaction was already further on; this event only filled in what was missing.' },
  already_ended: { verdict: 'stale', sentence: 'The transaction had already ended without value; the first ending stands.' },
  not_reinstated: {
    verdict: 'stale',
    sentence: 'A reversed transaction stands again only with explicit evidence, and this event has none.',
  },
  less_received: { verdict: 'stale', sentence: 'A larger received amount is already known, and this event is no newer.' },
  impossible: { verdict: 'conflict', sentence: 'This status cannot follow the one before; the status was kept. Check with the provider.' },
  contradicted: {
    verdict: 'conflict',
    sentence: 'A newer event says failed after the value moved; the status was kept. Check with the provider.',
  },
  amount_changed: {
    verdict: 'conflict',
    sentence: 'The amount or currency differs from the known one; the known one was kept. Check with the provider.',
  },
  received_shrank: {
    verdict: 'conflict',
    sentence: 'A newer event says that less was received than before; the larger was kept. Check with the provider.',
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;
