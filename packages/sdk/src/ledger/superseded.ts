import { isNewer, sortKey } from './order.ts';
import { endedWithoutValue, isAllowed, STATUS_TABLE } from './status.ts';
import type { LedgerEvent, Status } from './transaction.ts';

/** What of an event decides; any `LedgerEvent` has it. */
type Told = Omit<LedgerEvent, 'type' | 'recordedAt'>;

/**
 * Whether whoever knows `seen` has no more use for `event` of the same transaction: `pending` after `succeeded`, or `failed` after a
 * later success. Never true for an event that may be news: of the same progress, later in time, or value after an end without value.
 */
export function isSuperseded(event: Told, seen: Told): boolean {
  const [key, seenKey] = [sortKey(event), sortKey(seen)];
  if (key.rank >= seenKey.rank) return false;
  const [status, seenStatus] = [event.movement.status, seen.movement.status];
  if (hasValue(status)) return !endedWithoutValue(seenStatus) && isNewer(seenKey, key);
  // What has ended does not begin again, whatever the clocks say.
  const ended = STATUS_TABLE[seenStatus].terminal && !STATUS_TABLE[status].terminal && !isAllowed(seenStatus, status);
  return ended || isNewer(seenKey, key);
}

function hasValue(status: Status): boolean {
  return status === 'partially_succeeded' || status === 'succeeded' || status === 'reversed';
}
