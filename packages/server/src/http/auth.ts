import '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Directory } from '../engine/faces.ts';
import { Problem } from './problems.ts';
import { SESSION_COOKIE } from './sessions.ts';
import type { Sessions } from './sessions.ts';

/*
 * Who calls. A bearer key is sent by programs only; a session cookie is sent by browsers, so calls with it are held to their own origin.
 *
 * The Host header is not checked: tunnels bring webhooks under any name, and a foreign name that is made to point here (DNS rebinding)
 * brings neither key nor cookie along, because both belong to the name they were made under. What answers without either holds no
 * merchant's data.
 */

export interface Caller {
  /** Id of the key. */
  readonly key: string;
  /** Null: the admin, who sees all merchants. */
  readonly merchant: string | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** Answers without a key. */
    open?: boolean;
    /** Numbers of the body keep their text (`JsonNumber`). */
    lossless?: boolean;
  }
}

export const DEFAULT_MERCHANT = 'default';
const HINT = 'Send "Authorization: Bearer KEY"; the first admin key is printed at the first start.';

/** Throws `unauthorized` or `origin_refused`. */
export function authenticate(
  request: FastifyRequest,
  parts: { directory: Directory; sessions: Sessions; publicUrl: string | null },
): Caller {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const key = /^Bearer +(\S{1,256})$/i.exec(authorization)?.[1];
    const holder = key === undefined ? null : parts.directory.keyHolder(key);
    if (holder === null) throw new Problem('unauthorized', `The key is not known or was withdrawn. ${HINT}`);
    return { key: holder.id, merchant: holder.merchant };
  }
  const token = request.cookies[SESSION_COOKIE];
  const session = token === undefined ? null : parts.sessions.find(token);
  if (session === null) throw new Problem('unauthorized', token === undefined ? HINT : 'The session has ended; sign in again.');
  if (!parts.directory.keys().some((key) => key.id === session.key && key.deletedAt === null)) {
    throw new Problem('unauthorized', 'The key of this session was withdrawn; sign in with another.');
  }
  refuseOtherSites(request, parts.publicUrl);
  return session;
}

/** SameSite=Strict lets other ports of the same host through; the Origin header does not lie about them. */
export function refuseOtherSites(request: FastifyRequest, publicUrl: string | null): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const { origin } = request.headers;
  if (origin === undefined) return;
  const host = hostOf(origin);
  if (host !== null && (host === request.headers.host?.toLowerCase() || (publicUrl !== null && host === hostOf(publicUrl)))) return;
  throw new Problem('origin_refused', 'Signed-in calls must come from the console itself; programs use a bearer key.');
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}

/** Whose rows a list shows or a new row belongs to: the key's own merchant, or for the admin the one named, else `default`. */
export function merchantOf(caller: Caller, named: string | undefined): string {
  if (caller.merchant === null) return named ?? DEFAULT_MERCHANT;
  if (named !== undefined && named !== caller.merchant) {
    throw new Problem('forbidden', `This key belongs to the merchant ${caller.merchant}; leave "merchant" out or use an admin key.`);
  }
  return caller.merchant;
}

/** Throws `forbidden` for a key that is bound to a merchant. */
export function requireAdmin(caller: Caller): void {
  if (caller.merchant !== null) throw new Problem('forbidden', 'This takes an admin key; this one is bound to a merchant.');
}
