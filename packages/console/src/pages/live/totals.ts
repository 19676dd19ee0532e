import type { MoneyCount, Stats } from '../../api/types.ts';
import { addUnits, type Sum } from '../../ui/money.ts';

export interface Total {
  readonly sum: Sum;
  readonly count: number;
}

/** What a founder asks of one currency. */
export interface CurrencyTotals {
  readonly currency: string;
  readonly received: Total;
  readonly failed: Total;
  readonly refunded: Total;
  readonly paidOut: Total;
  readonly pending: Total;
  /** Of the payments that ended; null where none did. */
  readonly successRate: number | null;
  /** Payments that ended within the window, well or not. */
  readonly ended: number;
}

const NOTHING: Total = { sum: { value: 0n, exponent: 0 }, count: 0 };
const ENDED_WITHOUT = new Set(['failed', 'canceled', 'expired']);
const MOVED = new Set(['succeeded', 'partially_succeeded']);
const OPEN = new Set(['created', 'action_required', 'unknown', 'pending', 'on_hold', 'authorized']);

function total(rows: readonly MoneyCount[], pick: (row: MoneyCount) => boolean): Total {
  return rows
    .filter(pick)
    .reduce((sum: Total, row) => ({ sum: addUnits(sum.sum, row.value, row.exponent), count: sum.count + row.count }), NOTHING);
}

function ofCurrency(currency: string, money: readonly MoneyCount[], standing: readonly MoneyCount[]): CurrencyTotals {
  const isPayment = (row: MoneyCount): boolean => row.kind === 'payment';
  const received = total(money, (row) => isPayment(row) && MOVED.has(row.status));
  const failed = total(money, (row) => isPayment(row) && ENDED_WITHOUT.has(row.status));
  const succeeded = total(money, (row) => isPayment(row) && row.status === 'succeeded').count;
  const ended = succeeded + failed.count;
  return {
    currency,
    received,
    failed,
    refunded: total(money, (row) => row.kind === 'refund' && MOVED.has(row.status)),
    paidOut: total(money, (row) => row.kind === 'payout' && MOVED.has(row.status)),
    pending: total(standing, (row) => OPEN.has(row.status)),
    successRate: ended === 0 ? null : succeeded / ended,
    ended,
  };
}

/** By currency, the busiest first; a currency keeps its place between two equal counts by name. */
export function totalsByCurrency(stats: Stats): readonly CurrencyTotals[] {
  const currencies = new Set([...stats.money, ...stats.pending].map((row) => row.currency));
  return [...currencies]
    .map((currency) => {
      const same = (row: MoneyCount): boolean => row.currency === currency;
      return ofCurrency(currency, stats.money.filter(same), stats.pending.filter(same));
    })
    .toSorted((a, b) => Number(a.currency.includes('/')) - Number(b.currency.includes('/')) || a.currency.localeCompare(b.currency));
}

export function percent(part: number | null): string {
  if (part === null) return '—';
  const hundred = part * 100;
  // 99.96 % must not be shown as a clean 100 %.
  return `${(hundred > 99.9 && hundred < 100 ? 99.9 : hundred).toFixed(hundred === 100 || hundred === 0 ? 0 : 1)}%`;
}
