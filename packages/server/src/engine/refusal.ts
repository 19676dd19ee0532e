import type { Published } from './faces.ts';

/** Why the engine refuses a call: a closed list. The HTTP table (http/problems.ts) gives each a status and a title. */
export const REFUSALS = [
  'unknown_source',
  'source_paused',
  'unknown_provider',
  'invalid_options',
  'invalid_secret',
  'invalid_url',
  'address_blocked',
  'invalid_retry',
  'invalid_event_type',
  'invalid_timeout',
  'invalid_headers',
  'idempotency_conflict',
  'not_found',
  'conflict',
  'expired',
  'overloaded',
  'store_down',
] as const;
export type RefusalCode = (typeof REFUSALS)[number];

/** A refusal with one sentence that says what is wrong and what to do next. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode, sentence: string) {
    super(sentence);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** Events whose Idempotency-Key was used before with another body; the others of the same call were published. */
export class KeyConflict extends Refusal {
  /** What became of each event of the call; null where its key was used before. */
  readonly lines: readonly (Published | null)[];
  constructor(lines: readonly (Published | null)[]) {
    super('idempotency_conflict', 'This Idempotency-Key was used before with another body. Use a new key for a new event.');
    this.lines = lines;
  }
}
