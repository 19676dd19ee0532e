import type { FeedItem } from '../../live/feed.ts';
import type { Look } from '../../ui/status.ts';

/** How far the events of a transaction have come on their way to the merchant's own app. */
export type PassedOn = 'delivered' | 'delivering' | 'retrying' | 'failed';

export const PASSED_ON_LOOKS: Readonly<Record<PassedOn, Look>> = {
  delivered: { tone: 'mute', icon: 'deliveries', word: 'Delivered', means: 'Every endpoint acknowledged it.' },
  delivering: { tone: 'mute', icon: 'clock', word: 'Delivering', means: 'On its way to your endpoints.' },
  retrying: { tone: 'wait', icon: 'retry', word: 'Retrying', means: 'An endpoint did not acknowledge it; it is tried again.' },
  failed: { tone: 'bad', icon: 'cross', word: 'Undelivered', means: 'An endpoint did not acknowledge it, and no try is left.' },
};

const WORST = ['delivered', 'delivering', 'retrying', 'failed'] as const satisfies readonly PassedOn[];

/** By transaction: the worst that its deliveries in the feed have come to. */
export function passedOn(items: readonly FeedItem[]): ReadonlyMap<string, PassedOn> {
  const found = new Map<string, PassedOn>();
  for (const item of items) {
    if (item.topic !== 'delivery' || item.row.transaction === null) continue;
    const { status, attemptCount, transaction } = item.row;
    const state = status === 'failed' ? 'failed' : status === 'succeeded' ? 'delivered' : attemptCount > 0 ? 'retrying' : 'delivering';
    const before = found.get(transaction);
    if (before === undefined || WORST.indexOf(state) > WORST.indexOf(before)) found.set(transaction, state);
  }
  return found;
}
