import { pageQuery, shown } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentAttempt, presentDelivery } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import { DeliveryDetail, DeliveryList, DeliveryQuery, DeliveryRow } from '../schema/deliveries.ts';
import { maybeTime } from '../time.ts';

const tags = ['deliveries'];

export const deliveries: Routes = (api, { engine, storage }) => {
  api.get(
    '/deliveries',
    {
      schema: {
        tags,
        summary: 'The webhook log',
        querystring: DeliveryQuery,
        response: { 200: DeliveryList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      return shown(await storage.listDeliveries(pageQuery(request.caller, request.query)), presentDelivery);
    },
  );

  api.get(
    '/deliveries/:id',
    {
      schema: {
        tags,
        summary: 'One delivery with its attempts',
        params: ById,
        response: { 200: DeliveryDetail, ...problems('not_found') },
      },
    },
    async (request) => {
      const found = await storage.getDelivery({ merchant: request.caller.merchant, id: request.params.id });
      if (found === null) throw new Problem('not_found', 'There is no such delivery; see GET /v1/deliveries.');
      return {
        ...presentDelivery(found.delivery),
        expiredAt: maybeTime(found.expiredAt),
        attempts: found.attempts.map((attempt) => presentAttempt(attempt, found.body)),
      };
    },
  );

  api.post(
    '/deliveries/:id/retry',
    {
      schema: {
        tags,
        summary: 'Try again now',
        params: ById,
        response: { 202: DeliveryRow, ...problems('not_found', 'conflict', 'expired') },
      },
    },
    async (request, reply) => reply.code(202).send(presentDelivery(await engine.retryDelivery(request.caller.merchant, request.params.id))),
  );
};
