import { useSyncExternalStore } from 'react';
import { isOlder, type Batch, type LiveRows, type Topic } from './stream.ts';

export type FeedItem = { readonly [T in Topic]: { readonly topic: T; readonly id: string; readonly row: LiveRows[T] } }[Topic];

const MAX_ITEMS = 1_000;

let items: readonly FeedItem[] = [];
const listeners = new Set<() => void>();

function publish(next: readonly FeedItem[]): void {
  items = next.length > MAX_ITEMS ? next.slice(0, MAX_ITEMS) : next;
  for (const listener of listeners) listener();
}

function toItems(batch: Batch): FeedItem[] {
  return [
    ...batch.request.map((row): FeedItem => ({ topic: 'request', id: row.id, row })),
    ...batch.transaction.map((row): FeedItem => ({ topic: 'transaction', id: row.id, row })),
    ...batch.delivery.map((row): FeedItem => ({ topic: 'delivery', id: row.id, row })),
  ];
}

/** Known rows change in place, new ones go on top. */
export function pushToFeed(batch: Batch): void {
  const incoming = new Map(toItems(batch).map((item) => [item.id, item] as const));
  const kept = items.map((item) => {
    const live = incoming.get(item.id);
    if (live === undefined) return item;
    incoming.delete(item.id);
    return isOlder(live.row, item.row) ? item : live;
  });
  publish([...[...incoming.values()].toReversed(), ...kept]);
}

export function feedTime(item: FeedItem): string {
  if (item.topic === 'transaction') return item.row.updatedAt;
  return item.topic === 'request' ? item.row.receivedAt : item.row.createdAt;
}

/** Fills up from snapshots, newest first; of a row that is already there the newer version stays. */
export function seedFeed(snapshot: Batch): void {
  const known = new Map(items.map((item) => [item.id, item] as const));
  for (const item of toItems(snapshot)) {
    const shown = known.get(item.id);
    if (shown === undefined || !isOlder(item.row, shown.row)) known.set(item.id, item);
  }
  publish([...known.values()].toSorted((a, b) => Date.parse(feedTime(b)) - Date.parse(feedTime(a))));
}

export const forgetFeed = (): void => publish([]);

export function useFeed(): readonly FeedItem[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => items,
  );
}
