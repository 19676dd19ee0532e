import { providerById, providers, timeline } from '@paybell/sdk';
import type { LedgerEvent, TimelineEntry, Transaction } from '@paybell/sdk';
import { didYouMean } from '../../config/nearest.ts';
import { pageQuery, shown } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentDelivery } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import { TransactionDetail, TransactionList, TransactionQuery } from '../schema/transactions.ts';
import type { TransactionRow } from '../schema/transactions.ts';
import { timeOf } from '../time.ts';

const tags = ['transactions'];
const MAX_DELIVERIES = 200;

/** The row as it is; the schema's type lacks only `readonly`. */
const present = (transaction: Transaction): TransactionRow => transaction as TransactionRow;

export const transactions: Routes = (api, { storage }) => {
  api.get(
    '/transactions',
    {
      schema: {
        tags,
        summary: 'The ledger',
        querystring: TransactionQuery,
        response: { 200: TransactionList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      const { from, to, currency, ...query } = pageQuery(request.caller, request.query);
      checkProvider(query.provider);
      return shown(
        await storage.listTransactions({
          ...query,
          ...(currency === undefined ? {} : { currency: isoOf(currency) }),
          ...(from === undefined ? {} : { from: timeOf(from, 'from') }),
          ...(to === undefined ? {} : { to: timeOf(to, 'to') }),
        }),
        present,
      );
    },
  );

  api.get(
    '/transactions/:id',
    {
      schema: {
        tags,
        summary: 'One transaction: its timeline with reasons, its deliveries, its children',
        params: ById,
        response: { 200: TransactionDetail, ...problems('not_found') },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = await storage.getTransaction({ merchant: request.caller.merchant, id });
      if (found === null) throw new Problem('not_found', 'There is no such transaction; see GET /v1/transactions.');
      const { merchant } = found.transaction;
      const sent = await storage.listDeliveries({ merchant, transaction: id, limit: MAX_DELIVERIES, cursor: null });
      return {
        ...present(found.transaction),
        timeline: timelineOf(found.transaction, found.events),
        deliveries: sent.rows.map(presentDelivery),
        children: found.children.map(present),
      };
    },
  );
};

/** A name that nobody has would find nothing, and look as if there were nothing. */
function checkProvider(provider: string | undefined): void {
  if (provider === undefined || providerById(provider) !== undefined) return;
  const shown = provider.slice(0, 64);
  const message = `there is no provider "${shown}".${didYouMean(
    shown,
    providers.map(({ id }) => id),
  )}`;
  throw new Problem('invalid_query', `provider: ${message}`, { errors: [{ path: 'provider', message }] });
}

/** ISO 4217 in either case; other names of assets tell cases apart. */
const isoOf = (currency: string): string => (/^[a-z]{3}$/.test(currency) ? currency.toUpperCase() : currency);

function timelineOf({ id, merchant, provider, kind }: Transaction, events: readonly LedgerEvent[]): TimelineEntry[] {
  const [first] = events;
  return first === undefined ? [] : timeline({ id, merchant, provider, kind, key: first.movement.key }, events);
}
