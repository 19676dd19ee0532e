import { walk } from './fold.ts';
import { RULES } from './rules.ts';
import type { FoldStep } from './step.ts';
import { eventTime } from './time.ts';
import type { LedgerEvent, TimelineEntry, TransactionIdentity } from './transaction.ts';

/** Every event of a transaction in the order of the fold, with what it did and why. */
export function timeline(identity: TransactionIdentity, events: readonly LedgerEvent[]): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  walk(identity, events, (event, step) => entries.push(timelineEntry(event, step)));
  return entries;
}

/** The line of the timeline for one step of the fold. */
export function timelineEntry(event: LedgerEvent, { rule, from, state }: FoldStep): TimelineEntry {
  const { verdict, sentence } = RULES[rule];
  return { at: eventTime(event), event: event.id, type: event.type, verdict, rule, from, to: state.transaction.status, why: sentence };
}
