import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../engine/ports.ts';
import type { Caller } from './auth.ts';

export const SESSION_COOKIE = 'paybell_session';
const LIFE_MS = 12 * 3_600_000;
const MAX_SESSIONS = 10_000;

interface Session extends Caller {
  readonly expiresAt: number;
}

/** Sessions live in this process only; a restart signs everybody out. */
export class Sessions {
  readonly #clock: Clock;
  /** By the hash of the token, so that a heap dump signs nobody in. In order of opening, thus of expiry. */
  readonly #open = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(caller: Caller): { readonly token: string; readonly expiresAt: number; readonly maxAgeSeconds: number } {
    this.#sweep();
    const token = randomBytes(32).toString('base64url');
    const expiresAt = this.#clock.now() + LIFE_MS;
    this.#open.set(digest(token), { key: caller.key, merchant: caller.merchant, expiresAt });
    return { token, expiresAt, maxAgeSeconds: LIFE_MS / 1_000 };
  }

  find(token: string): Caller | null {
    const session = this.#open.get(digest(token));
    return session !== undefined && session.expiresAt > this.#clock.now() ? session : null;
  }

  end(token: string): void {
    this.#open.delete(digest(token));
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [token, session] of this.#open) {
      if (session.expiresAt > now && this.#open.size < MAX_SESSIONS) break;
      this.#open.delete(token);
    }
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');
