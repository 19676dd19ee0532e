import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Accepted } from '../engine/faces.ts';
import { answerUnread, answerWritten, problemAt } from './answer.ts';
import type { Written } from './answer.ts';
import { Problem, toProblem } from './problems.ts';
import type { HttpParts } from './parts.ts';

/*
 * The door for webhooks: `POST /in/{source}`. It stands before Fastify, on the bare request: a payment must not be lost to a content type
 * that no parser knows, the bytes must arrive untouched, and the measured path has nothing on it that a webhook does not need.
 */

export const DOOR_PATH = '/in/';
export const MAX_WEBHOOK_BYTES = 1_048_576;
const SOURCE = /^[A-Za-z0-9_-]{1,100}$/;

export interface Door {
  /** A request that node:http read. */
  readonly open: (request: IncomingMessage, response: ServerResponse) => void;
  /** One that needed no node:http. Never rejects. */
  readonly take: (webhook: Arrived) => Promise<Written>;
}

/** A webhook with all its bytes. */
export interface Arrived {
  readonly source: string;
  readonly body: Uint8Array;
  readonly rawHeaders: readonly string[];
  readonly host: string | undefined;
  readonly path: string;
}

export function createDoor({ engine, settings, log }: HttpParts): Door {
  async function take({ source, body, rawHeaders, host, path }: Arrived): Promise<Written> {
    try {
      const url = `${settings.publicUrl ?? `http://${host ?? 'localhost'}`}${path}`;
      return answerTo(await engine.accept(source, { body, headers: headersOf(rawHeaders), rawHeaders, url }), path);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'internal') log.error({ source, error: String(error) }, 'a webhook could not be accepted');
      return problemAt(path.split('?', 1)[0] ?? '', problem);
    }
  }

  return {
    take,
    open(request, response) {
      const path = request.url ?? '';
      const source = sourceOf(path);
      const refusal = refuse(request, source);
      if (refusal !== null) return answerUnread(request, response, refusal);
      readBody(request, (body) => {
        if (body === null) return answerUnread(request, response, tooLarge());
        const { rawHeaders } = request;
        const arrived = { source, body, rawHeaders, host: request.headers.host, path };
        void take(arrived).then((written) => answerWritten(request, response, written));
      });
    },
  };
}

function sourceOf(url: string): string {
  const end = url.indexOf('?');
  const path = end === -1 ? url.slice(DOOR_PATH.length) : url.slice(DOOR_PATH.length, end);
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function refuse(request: IncomingMessage, source: string): Problem | null {
  const { headers } = request;
  if (!SOURCE.test(source)) return new Problem('unknown_source', 'The address of a source is /in/ and its id; see GET /v1/sources.');
  if (request.method !== 'POST') return new Problem('method_not_allowed', 'Webhooks come by POST.');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    return new Problem('unsupported_encoding', 'Signatures are over the plain bytes; send the body without Content-Encoding.');
  }
  return Number(headers['content-length'] ?? 0) > MAX_WEBHOOK_BYTES ? tooLarge() : null;
}

const tooLarge = (): Problem => new Problem('payload_too_large', `A webhook may have ${MAX_WEBHOOK_BYTES} bytes; nothing of it was kept.`);

/** Answers with null once the body is over the limit. A body whose sender goes away answers nothing. */
function readBody(request: IncomingMessage, done: (body: Buffer | null) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_WEBHOOK_BYTES) return void chunks.push(chunk);
    request.removeAllListeners('data').removeAllListeners('end');
    done(null);
  });
  // Copied even where it is one piece: a kept view would keep the socket's whole read buffer with it.
  request.on('end', () => done(Buffer.concat(chunks, size)));
}

/** Node joins or drops repeated headers; a signature that came twice must be seen twice. */
export function headersOf(raw: readonly string[]): Record<string, string | string[]> {
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (typeof before === 'string') headers[name] = [before, value];
    else before.push(value);
  }
  return headers;
}

function answerTo(accepted: Accepted, path: string): Written {
  if (accepted.kind === 'rejected') return problemAt(path.split('?', 1)[0] ?? '', rejected(accepted));
  const { status, contentType, body } = accepted.ack;
  return { status, headers: { 'content-type': contentType }, text: body };
}

function rejected(accepted: Extract<Accepted, { kind: 'rejected' }>): Problem {
  const { reason, detail, request } = accepted;
  const hint = `npx paybell verify --provider P --secret S --body @file --header 'name: value' says why; the bytes are at /v1/requests/${request}/body.`;
  return new Problem('signature_rejected', detail, { more: { reason, request, hint } });
}
