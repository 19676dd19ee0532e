import type { FastifyRequest } from 'fastify';
import { toJson } from '@paybell/sdk';
import type { JsonObject } from '@paybell/sdk';
import type { SourceChange as Change } from '../../engine/faces.ts';
import { requireAdmin, merchantOf } from '../auth.ts';
import { pageOf, pageQuery } from '../paging.ts';
import type { HttpSettings, Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentSource } from '../rows.ts';
import { ById, Nothing, problems } from '../schema/common.ts';
import { Secrets } from '../schema/endpoints.ts';
import { NewSource, Reverified, SourceChange, SourceList, SourceQuery, SourceRow } from '../schema/sources.ts';

const tags = ['sources'];

/** The address that the outside knows this server by. */
const originOf = (request: FastifyRequest, { publicUrl }: HttpSettings): string =>
  publicUrl ?? `http://${request.headers.host ?? 'localhost'}`;

export const sources: Routes = (api, parts) => {
  const { engine, settings } = parts;
  const { directory } = engine;

  api.post(
    '/sources',
    {
      schema: {
        tags,
        summary: 'Receive from a provider',
        body: NewSource,
        response: {
          201: SourceRow,
          ...problems('forbidden', 'invalid_body', 'unknown_provider', 'invalid_options', 'invalid_secret', 'not_found'),
        },
      },
    },
    async (request, reply) => {
      const { provider, name, merchant, options } = request.body;
      const source = await directory.createSource({
        merchant: merchantOf(request.caller, merchant),
        provider,
        secrets: secretsOf(request.body) ?? [],
        ...(name === undefined ? {} : { name }),
        ...(options === undefined ? {} : { options: toJson(options) as JsonObject }),
      });
      return reply.code(201).send(presentSource(source, originOf(request, settings)));
    },
  );

  api.get(
    '/sources/:id/secret',
    {
      schema: {
        tags,
        summary: 'The secrets that are valid now, for the operator and the local CLI',
        params: ById,
        response: { 200: Secrets, ...problems('forbidden', 'not_found') },
      },
    },
    async (request) => {
      const { secrets } = directory.source(request.caller.merchant, request.params.id);
      requireAdmin(request.caller);
      return { secret: secrets[0] ?? '', secrets: [...secrets] };
    },
  );

  api.get(
    '/sources',
    {
      schema: {
        tags,
        summary: 'List sources',
        querystring: SourceQuery,
        response: { 200: SourceList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      const query = pageQuery(request.caller, request.query);
      const { data, nextCursor } = pageOf(directory.sources(query.merchant), query);
      return { data: data.map((source) => presentSource(source, originOf(request, settings))), nextCursor };
    },
  );

  api.get(
    '/sources/:id',
    { schema: { tags, summary: 'One source', params: ById, response: { 200: SourceRow, ...problems('not_found') } } },
    async (request) => presentSource(directory.source(request.caller.merchant, request.params.id), originOf(request, settings)),
  );

  changing(api, parts);
};

const changing: Routes = (api, { engine, settings }) => {
  const { directory } = engine;

  api.patch(
    '/sources/:id',
    {
      schema: {
        tags,
        summary: 'Change a source: add a second secret, pause it',
        params: ById,
        body: SourceChange,
        response: { 200: SourceRow, ...problems('not_found', 'invalid_body', 'invalid_options', 'invalid_secret') },
      },
    },
    async (request) => {
      const { name, addSecret, active, options } = request.body;
      const secrets = secretsOf(request.body);
      const change: Change = {
        ...(name === undefined ? {} : { name }),
        ...(addSecret === undefined ? {} : { addSecret }),
        ...(active === undefined ? {} : { active }),
        ...(secrets === undefined ? {} : { secrets }),
        ...(options === undefined ? {} : { options: toJson(options) as JsonObject }),
      };
      return presentSource(await directory.changeSource(request.caller.merchant, request.params.id, change), originOf(request, settings));
    },
  );

  api.delete(
    '/sources/:id',
    { schema: { tags, summary: 'Delete a source', params: ById, response: { 204: Nothing, ...problems('not_found') } } },
    async (request, reply) => {
      await directory.deleteSource(request.caller.merchant, request.params.id);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/sources/:id/reverify',
    {
      schema: { tags, summary: 'Judge quarantined requests again', params: ById, response: { 200: Reverified, ...problems('not_found') } },
    },
    async (request) => engine.reverify(request.caller.merchant, request.params.id),
  );
};

function secretsOf({ secret, secrets }: { secret?: string; secrets?: string[] }): string[] | undefined {
  if (secret === undefined) return secrets;
  if (secrets === undefined) return [secret];
  throw new Problem('invalid_body', 'Send either "secret" or "secrets".', {
    errors: [{ path: 'secrets', message: 'stands beside "secret".' }],
  });
}
