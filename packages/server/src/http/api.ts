import { JsonNumber, isJsonObject, isList, parseJson } from '@paybell/sdk';
import type { JsonValue } from '@paybell/sdk';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authenticate } from './auth.ts';
import type { Caller } from './auth.ts';
import type { Api, RouteParts } from './parts.ts';
import { Problem } from './problems.ts';
import { deliveries } from './routes/deliveries.ts';
import { endpointActions } from './routes/endpoint-actions.ts';
import { endpoints } from './routes/endpoints.ts';
import { events } from './routes/events.ts';
import { live } from './routes/live.ts';
import { apiKeys, merchants } from './routes/merchants.ts';
import { providers } from './routes/providers.ts';
import { requests } from './routes/requests.ts';
import { resends } from './routes/resends.ts';
import { session } from './routes/session.ts';
import { sources } from './routes/sources.ts';
import { stats } from './routes/stats.ts';
import { transactions } from './routes/transactions.ts';
import { Sessions } from './sessions.ts';

const RESOURCES = [
  sources,
  requests,
  endpoints,
  endpointActions,
  events,
  resends,
  deliveries,
  transactions,
  stats,
  live,
  providers,
  merchants,
  apiKeys,
] as const;

/** All of /v1: JSON in, JSON out, nobody without a key. */
export function api(scope: FastifyInstance, parts: RouteParts): void {
  const { directory } = parts.engine;
  const sessions = new Sessions({ clock: parts.clock, vault: parts.vault, directory });
  readJsonBodies(scope);
  // A place for the caller in every request's shape; the hook below fills it.
  scope.decorateRequest('caller', null as unknown as Caller);
  scope.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    refuseEncoding(request);
    if (request.routeOptions.config.open !== true)
      request.caller = authenticate(request, { directory, sessions, publicUrl: parts.settings.publicUrl });
  });
  const typed = scope as unknown as Api;
  for (const resource of RESOURCES) resource(typed, parts);
  session(typed, parts, sessions);
}

function refuseEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Problem('unsupported_encoding', 'Send the body without Content-Encoding.');
}

function readJsonBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      const value = body.length === 0 ? undefined : parseJson(body);
      done(null, value === undefined || request.routeOptions.config.lossless === true ? value : plain(value));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** JSON with ordinary numbers; objects keep having no prototype. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (isList(value)) return value.map(plain);
  if (!isJsonObject(value)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const name in value) object[name] = plain(value[name]!);
  return object;
}
