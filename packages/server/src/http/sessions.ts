import { createHash } from 'node:crypto';
import type { Directory } from '../engine/faces.ts';
import type { Clock } from '../engine/ports.ts';
import type { Caller } from './auth.ts';

export const SESSION_COOKIE = 'paybell_session';
const LIFE_MS = 12 * 3_600_000;
/** What a sealed session is bound to, so that no other sealed text passes for one. */
const BOUND_TO = 'session';

export interface SessionParts {
  readonly clock: Clock;
  /** `open` throws where the text was not sealed with these keys. */
  readonly vault: { seal(text: string, boundTo: string): string; open(sealed: string, boundTo: string): string };
  readonly directory: Pick<Directory, 'endSession' | 'isEnded'>;
}

interface Session extends Caller {
  readonly expiresAt: number;
}

/** Sessions are sealed into their cookie, so every process that has the master keys knows them; only those signed out are kept. */
export class Sessions {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  open({ key, merchant }: Caller): { readonly token: string; readonly expiresAt: number; readonly maxAgeSeconds: number } {
    const expiresAt = this.#parts.clock.now() + LIFE_MS;
    const token = this.#parts.vault.seal(JSON.stringify({ key, merchant, expiresAt }), BOUND_TO);
    return { token, expiresAt, maxAgeSeconds: LIFE_MS / 1_000 };
  }

  find(token: string): Caller | null {
    const session = this.#read(token);
    return session === null || this.#parts.directory.isEnded(digest(token)) ? null : session;
  }

  async end(token: string): Promise<void> {
    const session = this.#read(token);
    if (session !== null) await this.#parts.directory.endSession({ id: digest(token), until: session.expiresAt });
  }

  #read(token: string): Session | null {
    try {
      const session = JSON.parse(this.#parts.vault.open(token, BOUND_TO)) as Session;
      return session.expiresAt > this.#parts.clock.now() ? session : null;
    } catch {
      return null;
    }
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');
