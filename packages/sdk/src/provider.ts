import { isAmbiguous } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { Kind, Movement, Rail, Status } from './ledger/transaction.ts';
import { withoutMoney } from './reading.ts';

/** Header names in lower case; a header that came more than once has a list. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How much of a webhook its sender has vouched for. Below `signed-body`, confirm by the provider's API. */
export type Authenticity = 'signed-body' | 'signed-fields' | 'shared-token' | 'none';

export const REJECTIONS = [
  'not_configured',
  'signature_missing',
  'signature_ambiguous',
  'signature_malformed',
  'signature_mismatch',
  'too_many_signatures',
  'timestamp_missing',
  'timestamp_malformed',
  'timestamp_too_old',
  'timestamp_too_new',
  'body_malformed',
] as const;
export type Rejection = (typeof REJECTIONS)[number];

export type Verdict =
  | {
      readonly ok: true;
      readonly authenticity: Authenticity;
      /** Which of the given secrets matched. */
      readonly secretIndex: number;
      /** Set where the authenticated bytes are not the body itself (re-serialised fallback): read these, never the body. */
      readonly authenticated?: Uint8Array;
    }
  | { readonly ok: false; readonly reason: Rejection; /** One sentence for a person; no secret in it. */ readonly detail: string };

export interface VerifyInput {
  readonly body: Uint8Array;
  readonly headers: Headers;
  /** The active secrets, each exactly as the user pasted it. Any match passes. */
  readonly secrets: readonly string[];
  /** Arrival time in milliseconds since 1970. */
  readonly now: number;
  /** The public URL it was sent to, for schemes that sign it. */
  readonly url?: string;
  /** The source's options, already checked by `checkOptions`. */
  readonly options?: JsonObject;
}

export interface SignInput {
  readonly body: Uint8Array;
  /** First is current; schemes that allow several signatures sign with all of them. */
  readonly secrets: readonly string[];
  /** Event id: the same on every try. */
  readonly id: string;
  readonly now: number;
  readonly url?: string;
  readonly options?: JsonObject;
}

export interface Signed {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Set only where the signature lives in the body (Adyen). */
  readonly body?: Uint8Array;
}

/** One event in a body. Several per request where the provider batches. */
export interface Fact {
  /** The provider's own event name. */
  readonly type: string;
  /** Unique within the source: native event id, else type + reference (+ status), else a hash of the bytes. */
  readonly dedupeKey: string;
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  /** The provider's data of this event, numbers as they were written. */
  readonly data: JsonValue;
  /** Null: nothing the ledger understands (unknown event, unknown status); kept and passed on as `unmapped`. */
  readonly movement: Movement | null;
  /** Why there is no movement, one sentence. */
  readonly unmapped?: string;
}

export interface ReadContext {
  readonly options?: JsonObject;
  /** sha256 of the body, hex: the dedupe key of last resort. */
  readonly digest: string;
  readonly headers: Headers;
}

/** An event to be put into this provider's format. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonValue;
  readonly occurredAt: number;
}

export interface EventSpec {
  readonly kind: Kind | null;
  readonly status: Status | null;
  readonly title: string;
  /** A realistic `data` as plain JSON (numbers allowed; amounts that must keep their text are strings). */
  readonly example: unknown;
  /** False: sent once, never retried (MakaPay `payment.awaiting_gas`). */
  readonly retry?: false;
}

export interface RetryPlan {
  /** One entry per try, each the wait before it, as text: `['0s', '1m', '5m']`. */
  readonly delays: readonly string[];
  /** Total deadline of one try: `'15s'`. */
  readonly timeout: string;
}

/**
 * One payment provider: how it signs, shapes, names and retries its webhooks. Works in every direction:
 * receive (verify, read), send (envelope, sign), simulate (events' examples). All pure.
 */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** One sentence on what it is, and the pages that its facts come from. */
  readonly about: string;
  readonly sources: readonly string[];
  readonly rails: readonly Rail[];
  readonly authenticity: Authenticity;
  /** For people: `hex HMAC-SHA256 of the raw body in X-SerixPay-Signature`. */
  readonly signature: string;
  /** Default and documented retry plan; `documented` false where the provider does not say. */
  readonly retry: RetryPlan & { readonly documented: boolean };
  readonly events: Readonly<Record<string, EventSpec>>;
  /** What the provider expects as the answer to a webhook. */
  readonly ack: { readonly status: number; readonly contentType: string; readonly body: string };
  verify(input: VerifyInput): Verdict;
  /** Throws only for bodies it cannot read at all; the caller records those as `unmapped`. */
  read(body: JsonValue, context: ReadContext): readonly Fact[];
  /** The exact body for one event, serialised once. */
  envelope(event: OutgoingEvent, options?: JsonObject): Uint8Array;
  sign(input: SignInput): Signed;
  /** A sentence on what is wrong with a source's or endpoint's `options`, or null. Absent: no options allowed. */
  checkOptions?(options: JsonObject): string | null;
  /** Options to simulate with, for a provider that does nothing without options. */
  readonly exampleOptions?: JsonObject;
  /** A sentence on what is wrong with a secret's form, or null. */
  checkSecret?(secret: string): string | null;
  /** A fresh secret in this provider's form, from 32 random bytes. */
  makeSecret(random: Uint8Array): string;
  /** Set where webhooks may also be signed with a key pair, so that receivers need no secret. The form of each secret decides. */
  readonly keyPair?: KeyPairForm;
}

export interface KeyPairForm {
  /** A fresh secret key, from 32 random bytes. */
  makeSecret(random: Uint8Array): string;
  /** The public key that belongs to a secret key; a public key is its own. Null: it is a shared secret. */
  publicKeyOf(secret: string): string | null;
}

const DURATION = /^\d+[smh]$/;

/**
 * Makes a provider of its literal: throws for a profile that contradicts itself, and sees to it that no provider has to think of a
 * body that names one key twice, whose money is never to be trusted.
 */
export function defineProvider<const P extends Provider>(profile: P): P {
  const durations = [...profile.retry.delays, profile.retry.timeout];
  if (profile.retry.delays.length === 0 || !durations.every((text) => DURATION.test(text)))
    throw new Error(`${profile.id}: a retry plan is made of "30s", "5m", "2h".`);
  for (const [type, spec] of Object.entries(profile.events)) {
    if ((spec.kind === null) !== (spec.status === null))
      throw new Error(`${profile.id}: ${type} has a kind or a status without the other.`);
  }
  const read: Provider['read'] = (body, context) => {
    const facts = profile.read(body, context);
    if (!isAmbiguous(body)) return facts;
    return facts.map((fact) => (fact.movement === null ? fact : { ...fact, movement: withoutMoney(fact.movement) }));
  };
  return { ...profile, read };
}
