import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEMS, PROBLEM_TYPE, RETRY_AFTER_SECONDS, problemDocument } from './problems.ts';
import type { Problem } from './problems.ts';

/** Headers that a problem brings along, besides its content type. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const { status } = PROBLEMS[problem.code];
  return {
    'content-type': PROBLEM_TYPE,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}),
    ...(problem.code === 'unauthorized' ? { 'www-authenticate': 'Bearer realm="paybell"' } : {}),
    ...(problem.code === 'method_not_allowed' ? { allow: allowOf(problem) } : {}),
  };
}

const allowOf = (problem: Problem): string => {
  const allow = problem.more?.['allow'];
  return Array.isArray(allow) ? allow.join(', ') : 'POST';
};

/** An answer that is ready to be written. */
export interface Written {
  readonly status: number;
  /** Without its length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A problem as an answer to a call of `path`. */
export function problemAt(path: string, problem: Problem): Written {
  return {
    status: PROBLEMS[problem.code].status,
    headers: problemHeaders(problem),
    text: JSON.stringify(problemDocument(problem, path)),
  };
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

export function answerWritten(request: IncomingMessage, response: ServerResponse, { status, headers, text }: Written): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(text)) });
  response.end(request.method === 'HEAD' ? '' : text);
}

/** Answers on the bare response. */
export function answerProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  answerWritten(request, response, problemAt(pathOf(request), problem));
}

const LINGER_MS = 1_000;

/**
 * Answers before the body was read. Closing at once would make the kernel reset the connection, and the sender would never see the
 * answer: so the rest is read and thrown away, for a second at most.
 */
export function answerUnread(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const bodyless = request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined;
  if (request.complete || bodyless) return answerProblem(request, response, problem);
  const { status, text, headers } = problemAt(pathOf(request), problem);
  response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' });
  response.write(text);
  request.on('error', () => {});
  request.resume();
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  timer.unref();
  request.once('close', end);
  request.once('end', end);
}
