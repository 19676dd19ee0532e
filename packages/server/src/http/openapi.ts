import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { MAX_WEBHOOK_BYTES } from './door.ts';
import { problems } from './schema/common.ts';

const Bearer = { type: 'http', scheme: 'bearer' } as const;
const Cookie = { type: 'apiKey', in: 'cookie', name: 'paybell_session' } as const;

/** Describes every route that is registered after it; `GET /openapi.json` shows it. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Paybell',
        version: '0.1.0',
        description: 'Payment webhooks in, a live ledger, signed deliveries out. Errors are RFC 9457 problem documents.',
      },
      components: { securitySchemes: { bearer: Bearer, session: Cookie } },
      security: [{ bearer: [] }, { session: [] }],
      paths: { [DOOR]: { post: door } },
    },
    convertConstToEnum: false,
    hideUntagged: true,
  });
}

export function serveOpenApi(app: FastifyInstance): void {
  app.get(
    '/openapi.json',
    {
      config: { open: true },
      schema: {
        tags: ['operations'],
        summary: 'This document',
        security: [],
        response: { 200: Type.Object({}, { additionalProperties: true }) },
      },
    },
    async (_request, reply) => reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
}

const DOOR = '/in/{source}';
/** The door for webhooks stands before Fastify (door.ts), so it is described here. */
const door = {
  tags: ['in'],
  summary: "A provider's webhook",
  description: 'Answered after the commit, with the body that the provider expects.',
  security: [],
  parameters: [{ name: 'source', in: 'path', required: true, schema: { type: 'string' } } as const],
  requestBody: { required: true, description: `Any bytes, at most ${MAX_WEBHOOK_BYTES}.`, content: { '*/*': {} } },
  responses: {
    200: { description: 'It is on disk.' },
    ...problems(
      'signature_rejected',
      'unknown_source',
      'source_paused',
      'method_not_allowed',
      'payload_too_large',
      'unsupported_encoding',
      'overloaded',
      'store_down',
      'closing',
    ),
  },
};
