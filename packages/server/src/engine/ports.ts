/** All that the engine knows of the world. Each is an argument, so that a seed can drive it. */

import type { Storage } from '../storage/contract.ts';
import type { Cause } from './deliver/causes.ts';

export type { Storage };

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export interface Timers {
  /** Runs once after `ms`; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** `size` unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

export interface SendRequest {
  readonly url: string;
  readonly method: 'POST';
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Names of headers whose values the log must not hold. */
  readonly hide?: readonly string[];
  /** One total deadline, from name look-up to the last byte kept. */
  readonly deadlineMs: number;
  /** PEM of the only authority accepted for this endpoint. */
  readonly caPin?: string;
}

export interface SendTimings {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  readonly firstByteMs: number | null;
}

export interface SendResult {
  readonly status: number | null;
  readonly cause: Cause;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** At most 16 KiB. */
  readonly body: Uint8Array;
  readonly truncated: boolean;
  readonly durationMs: number;
  readonly timings: SendTimings;
  /** A reused connection broke before any answer and the call was made again at once. */
  readonly maybeDuplicate?: boolean;
  readonly retryAfter?: string;
}

/** Never throws for an endpoint's sake: it answers with a status or a cause. */
export type Send = (request: SendRequest) => Promise<SendResult>;

export type HintKind = 'directory' | 'due' | 'live';

/** Hints to the other nodes on the same store, and theirs: they may be late, come twice or never, and nothing is ever waited for. */
export interface Signal {
  /** Sends at once or not at all. */
  tell(kind: HintKind, text: string): void;
  hear(kind: HintKind, receive: (text: string, node: string) => void): void;
  /** `dropped`: not sent because nobody would have taken it; `ignored`: heard and not understood. */
  state(): { readonly redis: 'none' | 'connected' | 'lost'; readonly dropped: number; readonly ignored: number };
}

/** What went wrong inside, for the operator's log. Never a body, a secret or personal data. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
