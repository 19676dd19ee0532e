import { Buffer } from 'node:buffer';
import Type from 'typebox';
import { pageQuery, shown } from '../paging.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { presentRequest, presentRequestDetail } from '../rows.ts';
import { ById, problems } from '../schema/common.ts';
import { RequestDetail, RequestList, RequestQuery } from '../schema/requests.ts';
import { rfc3339 } from '../time.ts';
import type { Storage } from '../../storage/contract.ts';

const tags = ['requests'];
const Bytes = Type.Unsafe<Buffer>({ type: 'string', format: 'binary' });
const missing = (): Problem => new Problem('not_found', 'There is no such request; see GET /v1/requests.');

async function gone(
  storage: Pick<Storage, 'getRequest'>,
  which: { readonly merchant: string | null; readonly id: string },
): Promise<Problem> {
  const expiredAt = (await storage.getRequest(which))?.expiredAt ?? null;
  if (expiredAt === null) return missing();
  const detail = `The body expired on ${rfc3339(expiredAt)}. Its size and SHA-256 are in GET /v1/requests/{id}; how long bodies are kept is PAYBELL_RETENTION_BODIES.`;
  return new Problem('expired', detail);
}

export const requests: Routes = (api, { engine, storage }) => {
  api.get(
    '/requests',
    {
      schema: {
        tags,
        summary: 'What came in, also what was rejected',
        querystring: RequestQuery,
        response: { 200: RequestList, ...problems('invalid_query', 'invalid_cursor', 'forbidden') },
      },
    },
    async (request) => {
      return shown(await storage.listRequests(pageQuery(request.caller, request.query)), presentRequest);
    },
  );

  api.get(
    '/requests/:id',
    {
      schema: {
        tags,
        summary: 'One request with its headers as they came',
        params: ById,
        response: { 200: RequestDetail, ...problems('not_found') },
      },
    },
    async (request) => {
      const row = await storage.getRequest({ merchant: request.caller.merchant, id: request.params.id });
      if (row === null) throw missing();
      const detail = presentRequestDetail(row);
      const { diagnosis } = detail;
      if (row.verdict !== 'rejected' || diagnosis === null || diagnosis.findings !== null) return detail;
      return { ...detail, diagnosis: { ...diagnosis, findings: [...(await engine.diagnose(row.merchant, row.id))] } };
    },
  );

  api.get(
    '/requests/:id/body',
    {
      schema: {
        tags,
        summary: 'The body, its exact bytes',
        params: ById,
        response: {
          200: { description: 'The bytes.', content: { 'application/octet-stream': { schema: Bytes } } },
          ...problems('not_found', 'expired'),
        },
      },
    },
    async (request, reply) => {
      const which = { merchant: request.caller.merchant, id: request.params.id };
      const body = await storage.getRequestBody(which);
      if (body === null) throw await gone(storage, which);
      // Whatever a stranger sent must not be rendered by a browser.
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${request.params.id.replace(/[^A-Za-z0-9_-]/g, '')}.bin"`)
        .send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    },
  );
};
