import { fromBase64, sameBytes } from '../bytes.ts';
import { oneHeader, signatureHeader } from '../headers.ts';
import type { Verdict, VerifyInput } from '../provider.ts';
import { hmacOf } from './hmac.ts';
import type { Scheme } from './hmac.ts';
import { keysOf, MAX_SIGNATURES, NO_MATCH, NO_SECRET, refuse } from './secret.ts';
import { judgeTimestamp, unixSeconds } from './timestamp.ts';

const ID = 'webhook-id';
const TIME = 'webhook-timestamp';
const SIGNATURE = 'webhook-signature';
const HASH = { hash: 'sha256' } as const;
const VERSION = 'v1,';
const MAX_ENTRIES = 64;
const SENDABLE_ID = /^[\w-]{1,128}$/;

/** The bytes of a `whsec_` secret (the prefix may be missing), or null where it is no base64. */
export function standardKey(secret: string): Uint8Array | null {
  return fromBase64(secret.startsWith('whsec_') ? secret.slice(6) : secret);
}

/** Standard Webhooks 1.0.0, symmetric (`v1`); entries of other versions, such as `v1a`, are passed over. */
export const standardWebhooks: Scheme = {
  verify: verifyStandard,
  sign({ id, now, body, secrets }) {
    if (!SENDABLE_ID.test(id)) throw new Error('An event id is 1 to 128 letters, digits, "-" and "_".');
    const time = unixSeconds(now);
    const keys = keysOf(secrets, standardKey);
    if (keys.length === 0) throw new Error('A secret is needed to sign: "whsec_" and base64.');
    const signatures = keys.map(({ key }) => VERSION + hmacOf(HASH, key, [`${id}.${time}.`, body]).toString('base64'));
    return { headers: { [ID]: id, [TIME]: time, [SIGNATURE]: signatures.join(' ') } };
  },
};

function verifyStandard(input: VerifyInput): Verdict {
  const header = signatureHeader(input.headers, SIGNATURE);
  if ('refused' in header) return header.refused;
  const id = signatureHeader(input.headers, ID);
  if ('refused' in id) return id.refused;
  const time = oneHeader(input.headers, TIME);
  if (time.found === 'none') return refuse('timestamp_missing', `The header ${TIME} is missing.`);
  if (time.found === 'several') return refuse('timestamp_malformed', `The header ${TIME} came more than once.`);
  const untimely = judgeTimestamp(time.value, input.now);
  if (untimely !== null) return untimely;
  const entries = header.value.split(' ', MAX_ENTRIES).filter((entry) => entry.startsWith(VERSION));
  if (entries.length > MAX_SIGNATURES) return refuse('too_many_signatures', `More than ${MAX_SIGNATURES} signatures in ${SIGNATURE}.`);
  const given = entries.map((entry) => fromBase64(entry.slice(VERSION.length))).filter((bytes) => bytes?.length === 32);
  if (given.length === 0) return refuse('signature_malformed', `${SIGNATURE} holds no "v1," signature.`);
  const keys = keysOf(input.secrets, standardKey);
  if (keys.length === 0) return NO_SECRET;
  for (const { key, index } of keys) {
    const expected = hmacOf(HASH, key, [`${id.value}.${time.value}.`, input.body]);
    for (const bytes of given)
      if (bytes && sameBytes(expected, bytes)) return { ok: true, authenticity: 'signed-body', secretIndex: index };
  }
  return NO_MATCH;
}
