import { createHmac, createSecretKey } from 'node:crypto';
import { decode, sameBytes } from '../bytes.ts';
import type { Encoding } from '../bytes.ts';
import { signatureHeader } from '../headers.ts';
import type { Authenticity, Signed, SignInput, Verdict, VerifyInput } from '../provider.ts';
import { currentSecret, keysOf, NO_MATCH, NO_SECRET, refuse } from './secret.ts';

export type Hash = 'sha256' | 'sha512';

export interface HmacForm {
  /** Lower-case name. */
  readonly header: string;
  readonly hash: Hash;
  readonly encoding: Encoding;
  /** A word such as `sha256=` that may stand before the signature. */
  readonly optionalPrefix?: string;
}

export interface Scheme {
  verify(input: VerifyInput): Verdict;
  sign(input: SignInput): Signed;
}

const LENGTH: Readonly<Record<Hash, number>> = { sha256: 32, sha512: 64 };
const SIGNED_BODY: Authenticity = 'signed-body';
const asText = (secret: string): string => secret;

export function hmacOf(form: { readonly hash: Hash }, key: string | Uint8Array, parts: readonly (string | Uint8Array)[]): Buffer {
  // Node takes five times as long over plain bytes as over a text or a key object.
  const hmac = createHmac(form.hash, typeof key === 'string' ? key : createSecretKey(key));
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** One header holds the HMAC of the exact body; the secret is used as UTF-8 text. */
export function hmac(form: HmacForm): Scheme {
  return {
    verify: (input) => verifyHmac(form, input, [input.body]),
    sign: ({ body, secrets }) => ({ headers: { [form.header]: hmacOf(form, currentSecret(secrets), [body]).toString(form.encoding) } }),
  };
}

/** Judges one header against the HMAC of `parts` under each secret. */
export function verifyHmac(form: HmacForm, input: VerifyInput, parts: readonly (string | Uint8Array)[]): Verdict {
  const header = signatureHeader(input.headers, form.header);
  if ('refused' in header) return header.refused;
  const prefix = form.optionalPrefix;
  const text = prefix !== undefined && header.value.startsWith(prefix) ? header.value.slice(prefix.length) : header.value;
  const given = decode(text, form.encoding);
  if (given === null || given.length !== LENGTH[form.hash]) return malformed(form, text);
  const keys = keysOf(input.secrets, asText);
  if (keys.length === 0) return NO_SECRET;
  for (const { key, index } of keys) {
    if (sameBytes(hmacOf(form, key, parts), given)) return { ok: true, authenticity: SIGNED_BODY, secretIndex: index };
  }
  return NO_MATCH;
}

function malformed(form: HmacForm, text: string): Verdict {
  // Two headers of one name reach a program as "one, two" where its server joins them.
  if (text.includes(',')) return refuse('signature_ambiguous', `The header ${form.header} holds more than one signature.`);
  return refuse('signature_malformed', `The header ${form.header} is no ${form.encoding} ${form.hash.toUpperCase()} signature.`);
}
