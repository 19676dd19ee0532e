import { DEFAULT_MERCHANT, requireAdmin } from '../auth.ts';
import { pageOf, pageQuery } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { ById, Nothing, problems } from '../schema/common.ts';
import * as shape from '../schema/directory.ts';
import { rfc3339 } from '../time.ts';
import type { KeyRow, MerchantRow } from '../../storage/contract.ts';

const presentMerchant = ({ id, name, createdAt }: MerchantRow): shape.MerchantRow => ({ id, name, createdAt: rfc3339(createdAt) });
const presentKey = ({ id, name, merchant, createdAt }: KeyRow): shape.KeyRow => ({ id, name, merchant, createdAt: rfc3339(createdAt) });
const lists = problems('invalid_query', 'invalid_cursor', 'forbidden');

export const merchants: Routes = (api, { engine: { directory } }) => {
  const tags = ['merchants'];

  api.get(
    '/merchants',
    {
      schema: {
        tags,
        summary: 'The merchants that the key may see',
        querystring: shape.OperatorQuery,
        response: { 200: shape.MerchantList, ...lists },
      },
    },
    async (request) => {
      const own = request.caller.merchant;
      const { data, nextCursor } = pageOf(
        directory.merchants().filter(({ id }) => own === null || id === own),
        pageQuery(request.caller, request.query),
      );
      return { data: data.map(presentMerchant), nextCursor };
    },
  );

  api.post(
    '/merchants',
    {
      schema: {
        tags,
        summary: 'A new merchant',
        body: shape.NewMerchant,
        response: { 201: shape.MerchantRow, ...problems('forbidden', 'body_required', 'invalid_body', 'conflict') },
      },
    },
    async (request, reply) => {
      requireAdmin(request.caller);
      return reply.code(201).send(presentMerchant(await directory.createMerchant(request.body)));
    },
  );
};

export const apiKeys: Routes = (api, { engine: { directory } }) => {
  const tags = ['api keys'];

  api.get(
    '/api-keys',
    {
      schema: {
        tags,
        summary: 'List keys, without what they are',
        querystring: shape.OperatorQuery,
        response: { 200: shape.KeyList, ...lists },
      },
    },
    async (request) => {
      requireAdmin(request.caller);
      const { data, nextCursor } = pageOf(
        directory.keys().filter(({ deletedAt }) => deletedAt === null),
        pageQuery(request.caller, request.query),
      );
      return { data: data.map(presentKey), nextCursor };
    },
  );

  api.post(
    '/api-keys',
    {
      schema: {
        tags,
        summary: 'A new key, shown once',
        body: shape.NewKey,
        response: { 201: shape.MadeKey, ...problems('forbidden', 'body_required', 'invalid_body', 'not_found') },
      },
    },
    async (request, reply) => {
      requireAdmin(request.caller);
      const { name, merchant, admin = false } = request.body;
      if (admin && merchant !== undefined) throw new Problem('invalid_body', 'An admin key sees all merchants; leave "merchant" out.');
      const { row, key } = await directory.createKey({ name, merchant: admin ? null : (merchant ?? DEFAULT_MERCHANT) });
      return reply.code(201).send({ ...presentKey(row), key });
    },
  );

  api.delete(
    '/api-keys/:id',
    { schema: { tags, summary: 'Withdraw a key', params: ById, response: { 204: Nothing, ...problems('forbidden', 'not_found') } } },
    async (request, reply) => {
      requireAdmin(request.caller);
      await directory.deleteKey(request.params.id);
      return reply.code(204).send(null);
    },
  );
};
