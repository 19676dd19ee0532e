import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { matchesDelivery, matchesRequest, matchesTransaction, type Filters } from '../api/filters.ts';
import type { Page } from '../api/types.ts';
import { isOlder, type Batch, type LiveRows, type Topic } from './stream.ts';

type Pages<T extends Topic> = InfiniteData<Page<LiveRows[T]>, string | null>;

/** Beyond this a list takes a new snapshot instead of growing. */
const MAX_PREPENDED = 5_000;

export function admits<T extends Topic>(topic: T, filters: Filters): (row: LiveRows[T]) => boolean {
  const now = Date.now();
  const judge = {
    transaction: (row: LiveRows['transaction']) => matchesTransaction(row, filters, now),
    delivery: (row: LiveRows['delivery']) => matchesDelivery(row, filters),
    request: (row: LiveRows['request']) => matchesRequest(row, filters),
  };
  return judge[topic] as (row: LiveRows[T]) => boolean;
}

/** Upserts by id: known rows change in place, new ones go on top. Nothing ever changes its place. */
export function upsert<Row extends { readonly id: string }>(rows: readonly Row[], incoming: ReadonlyMap<string, Row>): readonly Row[] {
  let changed = false;
  const next = rows.map((row) => {
    const live = incoming.get(row.id);
    if (live === undefined || isOlder(live, row)) return row;
    changed = true;
    return live;
  });
  return changed ? next : rows;
}

function mergePages<T extends Topic>(pages: Pages<T>, rows: readonly LiveRows[T][], admit: (row: LiveRows[T]) => boolean): Pages<T> {
  const incoming = new Map(rows.map((row) => [row.id, row] as const));
  const known = new Set<string>();
  let changed = false;
  const next = pages.pages.map((page) => {
    for (const row of page.data) known.add(row.id);
    const data = upsert(page.data, incoming);
    changed ||= data !== page.data;
    return data === page.data ? page : { ...page, data };
  });
  const added = rows.filter((row) => !known.has(row.id) && admit(row)).toReversed();
  const first = next[0];
  if (added.length === 0 || first === undefined) return changed ? { ...pages, pages: next } : pages;
  return { ...pages, pages: [{ ...first, data: [...added, ...first.data] }, ...next.slice(1)] };
}

function mergeTopic<T extends Topic>(client: QueryClient, topic: T, rows: readonly LiveRows[T][]): void {
  if (rows.length === 0) return;
  for (const query of client.getQueryCache().findAll({ queryKey: [topic, 'list'] })) {
    const pages = query.state.data as Pages<T> | undefined;
    if (pages === undefined) continue;
    const merged = mergePages(pages, rows, admits(topic, (query.queryKey[2] ?? {}) as Filters));
    if ((merged.pages[0]?.data.length ?? 0) > MAX_PREPENDED) void client.resetQueries({ queryKey: query.queryKey, exact: true });
    else if (merged !== pages) client.setQueryData(query.queryKey, merged);
  }
  for (const row of rows) {
    const key = [topic, 'one', row.id];
    if (client.getQueryState(key) === undefined) continue;
    client.setQueryData(key, (shown: object | undefined) => (shown === undefined || isOlder(row, shown) ? shown : { ...shown, ...row }));
    void client.invalidateQueries({ queryKey: key });
  }
}

export function mergeBatch(client: QueryClient, batch: Batch): void {
  mergeTopic(client, 'transaction', batch.transaction);
  mergeTopic(client, 'delivery', batch.delivery);
  mergeTopic(client, 'request', batch.request);
}
