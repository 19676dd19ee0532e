import { STATUS_TABLE } from './status.ts';
import type { LedgerEvent } from './transaction.ts';

/** Where an event stands among the events of its transaction. Plain JSON. */
export interface SortKey {
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  readonly rank: number;
  readonly dedupeKey: string;
  readonly id: string;
}

const REINSTATED_RANK = 75;

/** The sort key of an event; numbers that are not finite count as not given. */
export function sortKey(event: Omit<LedgerEvent, 'type' | 'recordedAt'>): SortKey {
  const { sequence, occurredAt, movement } = event;
  return {
    sequence: Number.isFinite(sequence) ? sequence : null,
    occurredAt: Number.isFinite(occurredAt) ? occurredAt : null,
    // A reinstatement can only follow the reversal that it undoes.
    rank: movement.reinstated === true && movement.status === 'succeeded' ? REINSTATED_RANK : STATUS_TABLE[movement.status].rank,
    dedupeKey: event.dedupeKey,
    id: event.id,
  };
}

/**
 * Compares field by field, a missing number first. Comparing sequences only where both sides have one would not be transitive,
 * so events without a sequence come before all events with one.
 */
export function compareKeys(a: SortKey, b: SortKey): number {
  if (a.sequence !== b.sequence) return compareNumbers(a.sequence, b.sequence);
  if (a.occurredAt !== b.occurredAt) return compareNumbers(a.occurredAt, b.occurredAt);
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.dedupeKey !== b.dedupeKey) return a.dedupeKey < b.dedupeKey ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}

/** The order in which events are folded: a total order, 0 only for the same event. */
export function compareEvents(a: LedgerEvent, b: LedgerEvent): number {
  return compareKeys(sortKey(a), sortKey(b));
}

/** Whether the provider's own order or time puts `a` after `b`; false where it gave no means to tell. */
export function isNewer(a: SortKey, b: SortKey): boolean {
  if (a.sequence !== null && b.sequence !== null && a.sequence !== b.sequence) return a.sequence > b.sequence;
  return a.occurredAt !== null && b.occurredAt !== null && a.occurredAt > b.occurredAt;
}

function compareNumbers(a: number | null, b: number | null): number {
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
