import type { DeliveryRow, RequestRow, TransactionRow } from './types.ts';

/** Filters as the API takes them; what is empty is left out. */
export type Filters = Readonly<Record<string, string>>;

const SPANS: Readonly<Record<string, number>> = { '-15m': 900_000, '-1h': 3_600_000, '-24h': 86_400_000, '-7d': 604_800_000 };

/** The address bar keeps `-1h` so that a bookmark stays relative; the API takes moments. */
export function resolveTimes(filters: Filters, now: number): Filters {
  const span = SPANS[filters['from'] ?? ''];
  return span === undefined ? filters : { ...filters, from: new Date(now - span).toISOString() };
}

const EXACT = ['status', 'kind', 'provider', 'rail'] as const;

/** Whether a live row belongs into a list with these filters, as the server would judge it. */
export function matchesTransaction(row: TransactionRow, filters: Filters, now: number): boolean {
  for (const name of EXACT) if (filters[name] && row[name] !== filters[name]) return false;
  if (filters['currency'] && row.amount?.currency !== filters['currency']) return false;
  const { from, to, q } = resolveTimes(filters, now);
  if (from && Date.parse(row.updatedAt) < Date.parse(from)) return false;
  if (to && Date.parse(row.updatedAt) >= Date.parse(to)) return false;
  if (!q) return true;
  return [row.id, row.reference, row.providerReference, ...row.refs].some((reference) => reference?.startsWith(q));
}

export function matchesRequest(row: RequestRow, filters: Filters): boolean {
  if (filters['verdict'] && row.verdict !== filters['verdict']) return false;
  return !filters['source'] || row.source === filters['source'];
}

export function matchesDelivery(row: DeliveryRow, filters: Filters): boolean {
  const names = ['status', 'endpoint', 'event', 'transaction'] as const;
  return names.every((name) => !filters[name] || row[name] === filters[name]);
}
