import type { Resend } from '../../engine/faces.ts';
import { merchantOf } from '../auth.ts';
import { pageQuery, shown } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentResend } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import * as shape from '../schema/resends.ts';
import { timeOf } from '../time.ts';

const tags = ['resends'];

export const resends: Routes = (api, { engine, storage }) => {
  api.post(
    '/events/resend',
    {
      schema: {
        tags,
        summary: 'Deliver many events again: counts them, and unless it is a dry run begins a resend',
        body: shape.ResendManyInput,
        response: {
          202: shape.ResentMany,
          ...problems('forbidden', 'body_required', 'invalid_body', 'invalid_event_type', 'not_found', 'conflict'),
        },
      },
    },
    async (request, reply) => {
      const { since, until, merchant, ...rest } = request.body;
      const query: Resend = {
        ...rest,
        merchant: merchantOf(request.caller, merchant),
        since: timeOf(since, 'since', 'invalid_body'),
        ...(until === undefined ? {} : { until: timeOf(until, 'until', 'invalid_body') }),
      };
      if (query.until !== undefined && query.until < query.since)
        throw new Problem('invalid_body', '"until" is before "since": no event can lie between them.');
      const { resend, ...counts } = await engine.resendMany(query);
      return reply.code(202).send({ ...counts, resend: resend === null ? null : presentResend(resend) });
    },
  );

  api.get(
    '/resends',
    {
      schema: {
        tags,
        summary: 'Resends and how far they are',
        querystring: shape.ResendQuery,
        response: { 200: shape.ResendList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => shown(await storage.listResends(pageQuery(request.caller, request.query)), presentResend),
  );

  api.get(
    '/resends/:id',
    { schema: { tags, summary: 'One resend', params: ById, response: { 200: shape.ResendRow, ...problems('not_found') } } },
    async (request) => {
      const found = await storage.getResend({ merchant: request.caller.merchant, id: request.params.id });
      if (found === null) throw new Problem('not_found', 'There is no resend with this id; see GET /v1/resends.');
      return presentResend(found);
    },
  );

  api.post(
    '/resends/:id/cancel',
    {
      schema: {
        tags,
        summary: 'End a resend; what it has waiting is withdrawn',
        params: ById,
        response: { 202: shape.ResendRow, ...problems('not_found') },
      },
    },
    async (request, reply) => reply.code(202).send(presentResend(await engine.cancelResend(request.caller.merchant, request.params.id))),
  );
};
