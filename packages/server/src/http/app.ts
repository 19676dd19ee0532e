import cookie from '@fastify/cookie';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { epochOf, fanOut } from '../live/fan-out.ts';
import { Hub } from '../live/hub.ts';
import { answerProblem } from './answer.ts';
import { api } from './api.ts';
import { isConsolePage, secureHeaders, sendPage, serveConsole } from './console.ts';
import { createDoor } from './door.ts';
import { answerErrors } from './errors.ts';
import { LIMITS, answerBrokenRequest, createListener } from './listener.ts';
import type { Limits } from './listener.ts';
import { describeApi, serveOpenApi } from './openapi.ts';
import type { HttpParts, RouteParts } from './parts.ts';
import { toProblem } from './problems.ts';
import { health } from './routes/health.ts';
import { followEngine } from './news.ts';
import { serializerCompiler } from './serialize.ts';
import { validatorCompiler } from './validate.ts';

export interface Http {
  /** Serves from now on; the answer is the address, such as `http://127.0.0.1:4400`. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Takes nothing new, ends live streams, lets calls in flight finish. */
  close(): Promise<void>;
}

const BEAT_MS = 15_000;
const SWEEP_MS = 50;

/** The doors of the engine: webhooks, API, live streams, console. `limits` are for tests. */
export async function createHttp(parts: HttpParts, limits: Partial<Limits> = {}): Promise<Http> {
  let closing = false;
  const isClosing = (): boolean => closing;
  const { nodes, observe } = parts.engine;
  const hub = new Hub(epochOf(nodes.id));
  nodes.newsFrom(() => hub.ring.made);
  const unfollow = [followEngine(observe, hub), fanOut({ hub, signal: parts.signal, observe })];
  parts.metrics.readersFrom(() => hub.readers);
  const app = fastify(parts, isClosing, { ...LIMITS, ...limits });
  await routes(app, { ...parts, hub });
  await app.ready();
  const beat = setInterval(() => hub.beat(), BEAT_MS);
  beat.unref();

  return {
    listen: async ({ host, port }) => app.listen({ host, port }),
    close: async () => {
      closing = true;
      clearInterval(beat);
      for (const stop of unfollow) stop();
      hub.close();
      // A call that is answered from now on leaves its connection open for the next one, which is not waited for.
      const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
      await app.close().finally(() => clearInterval(sweep));
    },
  };
}

function fastify(parts: HttpParts, isClosing: () => boolean, limits: Limits): FastifyInstance {
  const door = createDoor(parts);
  const app = Fastify({
    serverFactory: (handler) => createListener({ door, fastify: handler, isClosing }, limits),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => answerProblem(request.raw, reply.hijack().raw, toProblem(error)),
    bodyLimit: 262_144,
    logger: false,
    // The listener says it, as a problem document.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 100, ignoreTrailingSlash: true },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  return app;
}

async function routes(app: FastifyInstance, parts: RouteParts): Promise<void> {
  const { settings, log } = parts;
  answerErrors(app, log, (request, reply) =>
    isConsolePage(app, request.method, request.url.split('?', 1)[0] ?? '') ? sendPage(reply, settings.consoleDir) : null,
  );
  await secureHeaders(app, { https: settings.publicUrl?.startsWith('https:') === true });
  await app.register(cookie);
  await describeApi(app);
  await app.register(async (scope) => api(scope, parts), { prefix: '/v1' });
  await app.register(async (scope) => health(scope, parts));
  await app.register(async (scope) => serveOpenApi(scope));
  await serveConsole(app, settings.consoleDir);
}
