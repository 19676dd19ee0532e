import { timeline } from '@paybell/sdk';
import type { LedgerEvent, TimelineEntry, Transaction } from '@paybell/sdk';
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
      const { from, to, ...query } = pageQuery(request.caller, request.query);
      return shown(
        await storage.listTransactions({
          ...query,
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

function timelineOf({ id, merchant, provider, kind }: Transaction, events: readonly LedgerEvent[]): TimelineEntry[] {
  const [first] = events;
  return first === undefined ? [] : timeline({ id, merchant, provider, kind, key: first.movement.key }, events);
}
