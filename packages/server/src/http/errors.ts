import { stringifyJson, toJson } from '@paybell/sdk';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { didYouMean } from '../config/nearest.ts';
import type { Log } from '../engine/ports.ts';
import { answerUnread, problemHeaders } from './answer.ts';
import { PROBLEMS, Problem, problemDocument, toProblem } from './problems.ts';

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE'] as const;

/** Every error and every unknown address becomes a problem document; `page` may answer an unknown address first. */
export function answerErrors(
  app: FastifyInstance,
  log: Log,
  page: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null,
): void {
  const known = new KnownPaths();
  app.addHook('onRoute', ({ url, method }) => known.add(url, method));
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.code === 'internal') log.error({ route: request.routeOptions.url, error: reasonOf(error) }, 'a call failed');
    return send(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allow = known.methods(path);
    if (allow.length > 0)
      return send(request, reply, new Problem('method_not_allowed', `This address takes ${allow.join(', ')}.`, { more: { allow } }));
    return (
      page(request, reply) ??
      send(
        request,
        reply,
        new Problem(
          'route_not_found',
          `There is no ${path.slice(0, 100)}; /openapi.json lists what there is.${didYouMean(path.slice(0, 64), known.fixed())}`,
        ),
      )
    );
  });
}

function send(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.code === 'payload_too_large' && !request.raw.complete) {
    reply.hijack();
    answerUnread(request.raw, reply.raw, problem);
    return reply;
  }
  const document = problemDocument(problem, request.url.split('?', 1)[0] ?? '');
  return reply
    .code(PROBLEMS[problem.code].status)
    .headers(problemHeaders(problem))
    .send(stringifyJson(toJson(document)));
}

/** Names the place, never what a caller sent. */
function reasonOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message.slice(0, 300)} ${error.stack?.split('\n')[1]?.trim() ?? ''}`
    : 'something that is no Error was thrown';
}

/** Which methods an address takes: tells a wrong method from a wrong address. */
class KnownPaths {
  readonly #routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  add(url: string, method: string | readonly string[]): void {
    const route = this.#routes.get(url) ?? {
      pattern: new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`),
      methods: new Set<string>(),
    };
    for (const one of [method].flat()) if (METHODS.some((shown) => shown === one)) route.methods.add(one);
    this.#routes.set(url, route);
  }

  methods(path: string): string[] {
    return METHODS.filter((method) => [...this.#routes.values()].some(({ pattern, methods }) => methods.has(method) && pattern.test(path)));
  }

  fixed(): string[] {
    return [...this.#routes.keys()].filter((url) => !url.includes(':') && !url.includes('*'));
  }
}
