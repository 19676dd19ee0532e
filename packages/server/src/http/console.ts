import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The console is a folder of built files. Every path that is no file and no API is the console's own (`/transactions/txn_...`).
 */

const POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/** Security headers for everything that Fastify answers. */
export async function secureHeaders(app: FastifyInstance, options: { readonly https: boolean }): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: POLICY },
    // Promised only where the operator said that the outside is https.
    hsts: options.https,
    frameguard: { action: 'deny' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}

const UNBUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Paybell</title>
<h1>Paybell runs</h1><p>The console is not built yet: run <code>npm run build</code> and load this page again. The API is at <a href="/openapi.json">/openapi.json</a>.</p></html>`;

export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  const built = existsSync(join(folder, 'index.html'));
  if (!built) {
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.type('text/html; charset=utf-8').send(UNBUILT));
    return;
  }
  // Read from the folder at each call: a console that is built anew is served without a restart.
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    index: false,
    // Vite names assets by their content; the page that names them is asked for anew.
    cacheControl: true,
    maxAge: '365d',
    immutable: true,
  });
  for (const file of ['/', '/favicon.svg'])
    app.get(file, { schema: { hide: true } }, async (_request, reply) => sendPage(reply, folder, file));
}

/** A file of the console's folder itself, never kept by the browser without asking. */
export function sendPage(reply: FastifyReply, folder: string, file = '/'): FastifyReply {
  return reply.header('cache-control', 'no-cache').sendFile(file === '/' ? 'index.html' : file.slice(1), folder, { cacheControl: false });
}

const OURS = /^\/(v1|in|healthz|readyz|metrics|openapi\.json|assets)(\/|$)/;

/** Whether a path that no route knows is a page of the console. */
export function isConsolePage(app: FastifyInstance, method: string, path: string): boolean {
  return (
    app.hasReplyDecorator('sendFile') && (method === 'GET' || method === 'HEAD') && !OURS.test(path) && !/\.[a-z0-9]{1,8}$/i.test(path)
  );
}
