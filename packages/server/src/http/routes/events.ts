import type { JsonValue } from '@paybell/sdk';
import type { EventWithBody } from '../../storage/contract.ts';
import { merchantOf } from '../auth.ts';
import { publishBatch } from '../batch.ts';
import { pageQuery, shown } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { MAX_BATCH_BYTES, MAX_EVENT_BYTES, readBatch, readPublish } from '../publishing.ts';
import { presentEvent } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import * as shape from '../schema/events.ts';
import { timeOf } from '../time.ts';

const tags = ['events'];
// These bodies are read by hand (publishing.ts); the schema is for OpenAPI.
const byHand = { validatorCompiler: () => (value: unknown) => ({ value }), config: { lossless: true } };
const publishing = problems(
  'forbidden',
  'body_required',
  'invalid_json',
  'invalid_body',
  'invalid_event_type',
  'invalid_url',
  'address_blocked',
  'idempotency_conflict',
  'payload_too_large',
  'overloaded',
  'store_down',
);

export const events: Routes = (api, parts) => {
  const { engine } = parts;

  api.post(
    '/events',
    {
      ...byHand,
      bodyLimit: MAX_EVENT_BYTES,
      schema: {
        tags,
        summary: 'Publish an event',
        headers: shape.IdempotencyHeader,
        body: shape.PublishInput,
        response: { 202: shape.Published, ...publishing },
      },
    },
    async (request, reply) => {
      const call = readPublish(bodyOf(request.body), keyOf(request.headers));
      const [published] = await engine.publish(merchantOf(request.caller, call.merchant), call.items);
      return reply.code(202).send(published!);
    },
  );

  api.post(
    '/events/batch',
    {
      ...byHand,
      bodyLimit: MAX_BATCH_BYTES,
      schema: {
        tags,
        summary: 'Publish up to 1,000 events in one commit',
        headers: shape.IdempotencyHeader,
        body: shape.BatchInput,
        response: { 202: shape.BatchPublished, ...publishing },
      },
    },
    async (request, reply) => {
      const call = readBatch(bodyOf(request.body), keyOf(request.headers));
      const data = await publishBatch(engine, merchantOf(request.caller, call.merchant), call.items);
      return reply.code(202).send({ data: [...data] });
    },
  );

  reading(api, parts);
  resending(api, parts);
};

const reading: Routes = (api, { engine, storage }) => {
  const present = (event: EventWithBody) => presentEvent(event.event, engine.dataOf(event));

  api.get(
    '/events',
    {
      schema: {
        tags,
        summary: 'The log of events',
        querystring: shape.EventQuery,
        response: { 200: shape.EventList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      const { since, until, ...query } = pageQuery(request.caller, request.query);
      return shown(
        await storage.listEvents({
          ...query,
          ...(since === undefined ? {} : { since: timeOf(since, 'since') }),
          ...(until === undefined ? {} : { until: timeOf(until, 'until') }),
        }),
        present,
      );
    },
  );

  api.get(
    '/events/:id',
    { schema: { tags, summary: 'One event', params: ById, response: { 200: shape.EventRow, ...problems('not_found') } } },
    async (request) => {
      const event = await storage.getEvent({ merchant: request.caller.merchant, id: request.params.id });
      if (event === null) throw new Problem('not_found', 'There is no such event; see GET /v1/events.');
      return present(event);
    },
  );
};

const resending: Routes = (api, { engine }) => {
  api.post(
    '/events/:id/resend',
    {
      schema: {
        tags,
        summary: 'Deliver an event again, to one endpoint or to all that it matches now',
        params: ById,
        body: shape.ResendInput,
        response: { 202: shape.Resent, ...problems('not_found', 'conflict', 'expired', 'invalid_body') },
      },
    },
    async (request, reply) => {
      const { deliveries } = await engine.resendEvent(request.caller.merchant, request.params.id, request.body.endpoint);
      return reply.code(202).send({ deliveries: [...deliveries] });
    },
  );
};

function bodyOf(body: unknown): JsonValue {
  if (body === undefined || body === null) throw new Problem('body_required', 'Send the event as a JSON object.');
  return body as JsonValue;
}

const keyOf = (headers: { 'idempotency-key'?: string }): string | undefined => headers['idempotency-key'];
