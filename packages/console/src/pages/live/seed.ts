import { useQuery } from '@tanstack/react-query';
import { call } from '../../api/client.ts';
import type { DeliveryRow, Page, RequestRow, TransactionRow } from '../../api/types.ts';
import { seedFeed } from '../../live/feed.ts';

const SEED_ROWS = 60;
/** A transaction goes to several endpoints. */
const SEED_DELIVERIES = 200;

/** Fills the feed with what happened before this tab was opened, and again after a gap. */
export function useFeedSeed(): { readonly loading: boolean } {
  const { isPending } = useQuery({
    queryKey: ['feed-seed'],
    staleTime: Infinity,
    gcTime: Infinity,
    queryFn: async ({ signal }) => {
      const options = { query: { limit: SEED_ROWS }, signal };
      const [transactions, deliveries, requests] = await Promise.all([
        call<Page<TransactionRow>>('/v1/transactions', options),
        call<Page<DeliveryRow>>('/v1/deliveries', { ...options, query: { limit: SEED_DELIVERIES } }),
        call<Page<RequestRow>>('/v1/requests', options),
      ]);
      seedFeed({ transaction: transactions.data, delivery: deliveries.data, request: requests.data });
      return true;
    },
  });
  return { loading: isPending };
}
