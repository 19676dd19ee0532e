import { toJson } from '@paybell/sdk';
import type { JsonObject } from '@paybell/sdk';
import type { Endpoint, EndpointChange as Change } from '../../engine/faces.ts';
import { merchantOf } from '../auth.ts';
import { pageOf, pageQuery } from '../paging.ts';
import type { HttpParts, Routes } from '../parts.ts';
import { pinged } from '../ping.ts';
import { presentEndpoint } from '../rows.ts';
import { ById, Nothing, problems } from '../schema/common.ts';
import * as shape from '../schema/endpoints.ts';

const tags = ['endpoints'];
const HEALTH_WINDOW_MS = 3_600_000;
const refusals = [
  'invalid_body',
  'unknown_provider',
  'invalid_options',
  'invalid_secret',
  'invalid_url',
  'address_blocked',
  'invalid_retry',
  'invalid_timeout',
  'invalid_event_type',
  'invalid_headers',
  'ping_failed',
] as const;

export const endpoints: Routes = (api, parts) => {
  const { engine } = parts;
  const { directory } = engine;

  api.post(
    '/endpoints',
    {
      schema: {
        tags,
        summary: 'Send to a URL',
        body: shape.NewEndpoint,
        response: { 201: shape.EndpointWithSecret, ...problems('forbidden', 'not_found', ...refusals) },
      },
    },
    async (request, reply) => {
      const { merchant, secret, url, ping, ...rest } = request.body;
      const draft = directory.draftEndpoint({
        ...changeOf(rest),
        url,
        merchant: merchantOf(request.caller, merchant),
        ...(secret === undefined ? {} : { secret }),
      });
      const tried = await pinged(engine, draft.endpoint, ping);
      const endpoint = await draft.save();
      const signing = directory.signingOf(endpoint);
      return reply.code(201).send({
        ...presentEndpoint({ endpoint, signing, tried: undefined, now: engine.endpointNow(endpoint) }),
        secret: signing.secrets[0] ?? '',
        ...tried,
      });
    },
  );

  api.get(
    '/endpoints',
    {
      schema: {
        tags,
        summary: 'List endpoints',
        querystring: shape.EndpointQuery,
        response: { 200: shape.EndpointList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      const query = pageQuery(request.caller, request.query);
      const { data, nextCursor } = pageOf(directory.endpoints(query.merchant), query);
      return { data: await withHealth(parts, data), nextCursor };
    },
  );

  api.get(
    '/endpoints/:id',
    { schema: { tags, summary: 'One endpoint', params: ById, response: { 200: shape.EndpointRow, ...problems('not_found') } } },
    async (request) => {
      const [row] = await withHealth(parts, [directory.endpoint(request.caller.merchant, request.params.id)]);
      return row!;
    },
  );

  changing(api, parts);
};

const changing: Routes = (api, parts) => {
  const { engine } = parts;
  const { directory } = engine;
  api.patch(
    '/endpoints/:id',
    {
      schema: {
        tags,
        summary: 'Change an endpoint',
        params: ById,
        body: shape.EndpointChange,
        response: { 200: shape.ChangedEndpoint, ...problems('not_found', ...refusals) },
      },
    },
    async (request) => {
      const { ping, ...change } = request.body;
      const draft = directory.draftChange(request.caller.merchant, request.params.id, changeOf(change));
      const tried = await pinged(engine, draft.endpoint, ping);
      const [row] = await withHealth(parts, [await draft.save()]);
      return { ...row!, ...tried };
    },
  );

  api.delete(
    '/endpoints/:id',
    { schema: { tags, summary: 'Delete an endpoint', params: ById, response: { 204: Nothing, ...problems('not_found') } } },
    async (request, reply) => {
      await directory.deleteEndpoint(request.caller.merchant, request.params.id);
      return reply.code(204).send(null);
    },
  );
};

async function withHealth({ engine, storage, clock }: HttpParts, rows: readonly Endpoint[]): Promise<shape.EndpointRow[]> {
  if (rows.length === 0) return [];
  const health = await storage.endpointHealth({ endpoints: rows.map(({ id }) => id), since: clock.now() - HEALTH_WINDOW_MS });
  const byId = new Map(health.map((one) => [one.endpoint, one]));
  return rows.map((endpoint) =>
    presentEndpoint({
      endpoint,
      signing: engine.directory.signingOf(endpoint),
      tried: byId.get(endpoint.id),
      now: engine.endpointNow(endpoint),
    }),
  );
}

function changeOf({ options, retry, ...rest }: Omit<Change, 'options'> & { options?: Record<string, unknown> }): Change {
  return {
    ...rest,
    ...(retry === undefined ? {} : { retry }),
    ...(options === undefined ? {} : { options: toJson(options) as JsonObject }),
  };
}
