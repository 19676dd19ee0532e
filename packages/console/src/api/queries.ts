import { QueryClient, useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/react-query';
import { admits } from '../live/merge.ts';
import { overlay } from '../live/recent.ts';
import type { LiveRows, Topic } from '../live/stream.ts';
import { call, Problem } from './client.ts';
import { resolveTimes, type Filters } from './filters.ts';
import type {
  DeliveryDetail,
  EndpointRow,
  Page,
  ProviderRow,
  RequestDetail,
  ResendRow,
  SourceRow,
  Stats,
  TransactionDetail,
} from './types.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 120_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => !(error instanceof Problem && error.status >= 400 && error.status < 500) && failures < 3,
    },
  },
});

const PATHS: Readonly<Record<Topic, string>> = { transaction: '/v1/transactions', delivery: '/v1/deliveries', request: '/v1/requests' };
const PAGE_SIZE = 100;

interface PageCall {
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly cursor: string | null;
  readonly signal: AbortSignal;
}

/** A page with rows, or the end: the server looks for what few rows match in steps, and a step may find none. */
async function filledPage<Row>(path: string, { query, cursor, signal }: PageCall): Promise<Page<Row>> {
  let page: Page<Row>;
  let after = cursor;
  do {
    page = await call<Page<Row>>(path, { query: { ...query, cursor: after ?? undefined }, signal });
    after = page.nextCursor;
  } while (after !== null && page.data.length === 0);
  return page;
}

/** A list by keyset pages, kept current by the live stream. */
export function useList<T extends Topic>(topic: T, filters: Filters) {
  return useInfiniteQuery<Page<LiveRows[T]>, Problem, InfiniteData<Page<LiveRows[T]>, string | null>, readonly unknown[], string | null>({
    queryKey: [topic, 'list', filters],
    initialPageParam: null,
    getNextPageParam: (last) => last.nextCursor,
    // A list that nobody looks at misses nothing: the stream fills it too. One that was never open is asked for anew.
    staleTime: Infinity,
    queryFn: async ({ pageParam, signal }) => {
      const askedAt = performance.now();
      const query = { ...resolveTimes(filters, Date.now()), limit: PAGE_SIZE };
      const page = await filledPage<LiveRows[T]>(PATHS[topic], { query, cursor: pageParam, signal });
      const overlaid = pageParam === null ? { topic, askedAt, admit: admits(topic, filters) } : { topic, askedAt };
      return { ...page, data: overlay(page.data, overlaid) };
    },
  });
}

/** The rows of all loaded pages, each once: a row can move between two pages while they are read. */
export function flatten<Row extends { readonly id: string }>(data: InfiniteData<Page<Row>, unknown> | undefined): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const page of data?.pages ?? []) for (const row of page.data) if (!rows.has(row.id)) rows.set(row.id, row);
  return [...rows.values()];
}

export const useTransaction = (id: string) =>
  useQuery<TransactionDetail, Problem>({
    queryKey: ['transaction', 'one', id],
    queryFn: ({ signal }) => call(`/v1/transactions/${encodeURIComponent(id)}`, { signal }),
  });

export const useDelivery = (id: string) =>
  useQuery<DeliveryDetail, Problem>({
    queryKey: ['delivery', 'one', id],
    queryFn: ({ signal }) => call(`/v1/deliveries/${encodeURIComponent(id)}`, { signal }),
  });

export const useRequest = (id: string) =>
  useQuery<RequestDetail, Problem>({
    queryKey: ['request', 'one', id],
    queryFn: ({ signal }) => call(`/v1/requests/${encodeURIComponent(id)}`, { signal }),
  });

const MAX_CONFIGURED = 200;

/** What is configured by hand: few enough for one page. */
const configured = <Row>(path: string, signal: AbortSignal): Promise<readonly Row[]> =>
  call<Page<Row>>(path, { query: { limit: MAX_CONFIGURED }, signal }).then((page) => page.data);

export const useSources = () =>
  useQuery<readonly SourceRow[], Problem>({ queryKey: ['sources'], queryFn: ({ signal }) => configured('/v1/sources', signal) });

export const useEndpoints = (refetchInterval: number | false = false) =>
  useQuery<readonly EndpointRow[], Problem>({
    queryKey: ['endpoints'],
    queryFn: ({ signal }) => configured('/v1/endpoints', signal),
    refetchInterval,
  });

/** Also one that was made for the `url` of an event, which no list has. */
export const useEndpoint = (id: string, refetchInterval: number) =>
  useQuery<EndpointRow, Problem>({
    queryKey: ['endpoints', id],
    queryFn: ({ signal }) => call(`/v1/endpoints/${encodeURIComponent(id)}`, { signal }),
    initialData: () => queryClient.getQueryData<readonly EndpointRow[]>(['endpoints'])?.find((row) => row.id === id),
    staleTime: 0,
    refetchInterval,
  });

const RESENDS_SHOWN = 20;
const RESENDS_MS = 10_000;
const PROGRESS_MS = 1_000;

export const useResends = () =>
  useQuery<readonly ResendRow[], Problem>({
    queryKey: ['resends'],
    queryFn: ({ signal }) => call<Page<ResendRow>>('/v1/resends', { query: { limit: RESENDS_SHOWN }, signal }).then((page) => page.data),
    refetchInterval: RESENDS_MS,
  });

/** One of them, asked for again until none of its deliveries is on its way. */
export const useResend = (row: ResendRow) =>
  useQuery<ResendRow, Problem>({
    queryKey: ['resend', row.id],
    queryFn: ({ signal }) => call(`/v1/resends/${encodeURIComponent(row.id)}`, { signal }),
    initialData: row,
    refetchInterval: ({ state: { data } }) => (data?.state === 'running' || (data?.pending ?? 0) > 0 ? PROGRESS_MS : false),
  });

export const useProviders = () =>
  useQuery<readonly ProviderRow[], Problem>({
    queryKey: ['providers'],
    staleTime: Infinity,
    queryFn: ({ signal }) => call<Page<ProviderRow>>('/v1/providers', { signal }).then((page) => page.data),
  });

export const useStats = (window: string, bucket: string) =>
  useQuery<Stats, Problem>({
    queryKey: ['stats', window, bucket],
    queryFn: ({ signal }) => call('/v1/stats', { query: { window, bucket }, signal }),
    refetchInterval: 15_000,
    placeholderData: (previous) => previous,
  });
