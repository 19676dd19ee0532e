import { createServer, STATUS_CODES } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerUnread } from './answer.ts';
import { DOOR_PATH } from './door.ts';
import type { Door } from './door.ts';
import { shorten } from './shortcut.ts';
import { PROBLEMS, PROBLEM_TYPE, Problem, problemDocument } from './problems.ts';

/** Bounds on what a connection may take. */
export const LIMITS = {
  headersTimeoutMs: 10_000,
  /** From the first byte of a request to the last of its body. */
  requestTimeoutMs: 20_000,
  /** Node looks for late requests this often. */
  checkEveryMs: 1_000,
  keepAliveMs: 65_000,
  /** Nothing moves in either direction; longer than the longest deadline of a test delivery, and than the beat of live streams. */
  idleMs: 120_000,
  headerBytes: 32 * 1_024,
  connections: 10_000,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

export interface Takers {
  readonly door: Door;
  readonly fastify: RequestListener;
  readonly isClosing: () => boolean;
}

/** The server: webhooks go to the door, all else to Fastify. */
export function createListener({ door, fastify, isClosing }: Takers, limits: Limits): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
    },
    (request, response) => {
      // Kept-alive connections may still bring calls; the process is alive all the same.
      if (isClosing() && request.url !== '/healthz')
        answerUnread(request, response, new Problem('closing', 'The server is stopping; try again.'));
      else if (request.url?.startsWith(DOOR_PATH) === true) door.open(request, response);
      else fastify(request, response);
    },
  );
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs);
  shorten(server, { take: door.take, isClosing }, limits);
  return server;
}

/** Answers what cannot be read as a request at all. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = problemOf(error.code);
  const { status } = PROBLEMS[problem.code];
  const text = JSON.stringify(problemDocument(problem, ''));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request_timeout', 'The request did not arrive in time; send it again, faster.');
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem('headers_too_large', `The headers may have ${LIMITS.headerBytes} bytes.`);
  return new Problem('bad_request', 'This is not HTTP.');
}
