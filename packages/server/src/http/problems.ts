import { JsonError } from '@paybell/sdk';
import { REFUSALS, Refusal } from '../engine/refusal.ts';
import type { RefusalCode } from '../engine/refusal.ts';

export interface ProblemSpec {
  readonly status: number;
  readonly title: string;
  /** True: the same call may pass later, unchanged. */
  readonly retryable: boolean;
}

const spec = (status: number, title: string, retryable = false): ProblemSpec => ({ status, title, retryable });

/** Every error that the API can answer with. The documentation is printed from this table. */
export const PROBLEMS = {
  bad_request: spec(400, 'The request is malformed'),
  invalid_json: spec(400, 'The body is not JSON'),
  body_required: spec(400, 'A JSON body is required'),
  invalid_query: spec(400, 'A query parameter is wrong'),
  invalid_cursor: spec(400, 'The cursor is not one that a list answered with'),
  unauthorized: spec(401, 'No valid key'),
  signature_rejected: spec(401, 'The signature was not accepted'),
  forbidden: spec(403, 'This key may not do that'),
  origin_refused: spec(403, 'The session was used from another site'),
  not_found: spec(404, 'There is no such thing'),
  route_not_found: spec(404, 'There is no such address'),
  unknown_source: spec(404, 'There is no such source'),
  source_paused: spec(404, 'The source is paused'),
  method_not_allowed: spec(405, 'The address does not take this method'),
  request_timeout: spec(408, 'The request did not arrive in time', true),
  conflict: spec(409, 'It conflicts with what is there'),
  expired: spec(410, 'It was kept for its time, and is gone'),
  payload_too_large: spec(413, 'The body is too large'),
  unsupported_media_type: spec(415, 'The content type is not taken'),
  unsupported_encoding: spec(415, 'The content encoding is not taken'),
  invalid_body: spec(422, 'The body does not fit'),
  unknown_provider: spec(422, 'There is no such provider'),
  invalid_options: spec(422, 'The options do not fit the provider'),
  invalid_secret: spec(422, 'The secret does not fit the provider'),
  invalid_url: spec(422, 'The URL cannot be used'),
  address_blocked: spec(422, 'The URL leads to an address that is not public'),
  invalid_retry: spec(422, 'The retry policy does not fit'),
  invalid_event_type: spec(422, 'The event type does not fit'),
  invalid_timeout: spec(422, 'The timeout does not fit'),
  invalid_headers: spec(422, 'The headers cannot be sent'),
  ping_failed: spec(422, 'The endpoint did not accept the test event'),
  idempotency_conflict: spec(422, 'The idempotency key was used with another body'),
  headers_too_large: spec(431, 'The headers are too large'),
  internal: spec(500, 'Something failed inside', true),
  overloaded: spec(503, 'Too much is waiting', true),
  store_down: spec(503, 'The store does not answer', true),
  too_many_streams: spec(503, 'Too many live streams are open', true),
  closing: spec(503, 'The server is stopping', true),
} as const satisfies Readonly<Record<string, ProblemSpec>> & Readonly<Record<RefusalCode, ProblemSpec>>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[];

export interface FieldError {
  /** Dotted, from the body or the query: `retry.delays.0`. */
  readonly path: string;
  readonly message: string;
}

/** RFC 9457. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ProblemCode;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[];
}

/** An answer that is an error; `detail` says in one sentence what is wrong and what to do next. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  /** More members of the document. */
  readonly more: Readonly<Record<string, unknown>> | undefined;
  constructor(
    code: ProblemCode,
    detail: string,
    extra: { readonly errors?: readonly FieldError[]; readonly more?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.errors = extra.errors;
    this.more = extra.more;
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
export const RETRY_AFTER_SECONDS = 2;

export function problemDocument(problem: Problem, instance: string): ProblemDocument {
  const { status, title, retryable } = PROBLEMS[problem.code];
  return {
    type: `urn:paybell:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    instance,
    code: problem.code,
    retryable,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
    ...problem.more,
  };
}

const FASTIFY: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is over the limit of this address; send less at once.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['bad_request', 'The address has an escape that is not valid.'],
};

/** The problem behind any error; what nobody foresaw is `internal` and says nothing of its cause. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal && REFUSALS.includes(error.code)) return new Problem(error.code, error.message);
  if (error instanceof JsonError) return new Problem('invalid_json', error.message);
  const { name, code, statusCode } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    statusCode?: unknown;
  };
  // By name: the drivers' errors are not for this side to import.
  if (name === 'StorageError') return new Problem('store_down', 'The store does not answer; try again.');
  const known = typeof code === 'string' ? FASTIFY[code] : undefined;
  if (known !== undefined) return new Problem(known[0], known[1]);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Problem('bad_request', 'The request cannot be read.');
  return new Problem('internal', 'Something failed inside; it was logged. Try again, and tell the operator if it stays.');
}
