import type { KeyObject } from 'node:crypto';
import { concat, encode, fromBase64, sameBytes, utf8 } from '../bytes.ts';
import { oneHeader, signatureHeader } from '../headers.ts';
import type { Verdict, VerifyInput } from '../provider.ts';
import { isOfKeyPair, publicKey, secretKey, signEd25519, verifyEd25519 } from './ed25519.ts';
import { hmacOf } from './hmac.ts';
import type { Scheme } from './hmac.ts';
import { keysOf, MAX_SIGNATURES, NO_MATCH, NO_SECRET, refuse } from './secret.ts';
import { judgeTimestamp, unixSeconds } from './timestamp.ts';

const ID = 'webhook-id';
const TIME = 'webhook-timestamp';
const SIGNATURE = 'webhook-signature';
const HASH = { hash: 'sha256' } as const;
const MAX_ENTRIES = 64;
/** Each costs fifty times as much as an HMAC, and nobody signs with more pairs at once. */
const MAX_OF_PAIRS = 6;
const SENDABLE_ID = /^[\w-]{1,128}$/;

/** Signature versions: an HMAC under a shared secret, an ed25519 signature of a key pair. */
type Version = 'v1' | 'v1a';

/** The bytes of a `whsec_` secret (the prefix may be missing), or null where it is no base64. */
export function standardKey(secret: string): Uint8Array | null {
  return fromBase64(secret.startsWith('whsec_') ? secret.slice(6) : secret);
}

/** Standard Webhooks 1.0.0: `v1` with each `whsec_` secret, `v1a` with each `whsk_` key; entries of other versions are passed over. */
export const standardWebhooks: Scheme = {
  verify: verifyStandard,
  sign({ id, now, body, secrets }) {
    if (!SENDABLE_ID.test(id)) throw new Error('An event id is 1 to 128 letters, digits, "-" and "_".');
    const time = unixSeconds(now);
    const content = `${id}.${time}.`;
    const signatures = keysOf(secrets, signer).map(({ key }) => key(content, body));
    if (signatures.length === 0) throw new Error('A secret is needed to sign: "whsec_" and base64, or "whsk_" and base64.');
    return { headers: { [ID]: id, [TIME]: time, [SIGNATURE]: signatures.join(' ') } };
  },
};

type Signer = (start: string, body: Uint8Array) => string;

function signer(secret: string): Signer | null {
  if (isOfKeyPair(secret)) {
    const key = secretKey(secret);
    return key === null ? null : (start, body) => `v1a,${encode(signEd25519(key, concat([utf8(start), body])), 'base64')}`;
  }
  const key = standardKey(secret);
  return key === null ? null : (start, body) => `v1,${hmacOf(HASH, key, [start, body]).toString('base64')}`;
}

/** What a secret can check; which of the two is decided by its own form and never by what the sender wrote. */
type Check = { readonly version: 'v1'; readonly key: Uint8Array } | { readonly version: 'v1a'; readonly key: KeyObject };

function checkOf(secret: string): Check | null {
  if (isOfKeyPair(secret)) {
    const key = publicKey(secret);
    return key === null ? null : { version: 'v1a', key };
  }
  const key = standardKey(secret);
  return key === null ? null : { version: 'v1', key };
}

const LENGTH: Readonly<Record<Version, number>> = { v1: 32, v1a: 64 };

/** The signatures of one version, decoded; those that are none are left out. */
function signaturesOf(header: string, version: Version): readonly Uint8Array[] {
  const start = `${version},`;
  const entries = header.split(' ', MAX_ENTRIES).filter((entry) => entry.startsWith(start));
  return entries.map((entry) => fromBase64(entry.slice(start.length)) ?? NONE);
}

const NONE = new Uint8Array(0);

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
  const keys = keysOf(input.secrets, checkOf);
  if (keys.length === 0) return NO_SECRET;
  const versions = [...new Set(keys.map(({ key }) => key.version))];
  const found = new Map(versions.map((version) => [version, signaturesOf(header.value, version)]));
  const entries = [...found.values()].reduce((sum, list) => sum + list.length, 0);
  if (entries > MAX_SIGNATURES || (found.get('v1a')?.length ?? 0) > MAX_OF_PAIRS)
    return refuse(
      'too_many_signatures',
      `${SIGNATURE} holds more than ${MAX_SIGNATURES} signatures, or more than ${MAX_OF_PAIRS} of key pairs.`,
    );
  if (!versions.some((version) => found.get(version)?.some(({ length }) => length === LENGTH[version])))
    return refuse('signature_malformed', lacking(header.value, versions));
  const start = `${id.value}.${time.value}.`;
  for (const { key, index } of keys) {
    if (matches(key, found.get(key.version) ?? [], [start, input.body]))
      return { ok: true, authenticity: 'signed-body', secretIndex: index };
  }
  return NO_MATCH;
}

/** Often the sender signs in the other way: then another secret is needed. */
function lacking(header: string, versions: readonly Version[]): string {
  const wanted = versions.map((version) => `"${version},"`).join(' or ');
  const [other] = (['v1', 'v1a'] as const).filter((version) => !versions.includes(version) && signaturesOf(header, version).length > 0);
  const advice = other === undefined ? '' : other === 'v1' ? ' Set the shared secret, "whsec_...".' : ' Set the public key, "whpk_...".';
  return `${SIGNATURE} holds no ${wanted} signature${other === undefined ? '' : `, but "${other},"`}.${advice}`;
}

function matches(check: Check, given: readonly Uint8Array[], [start, body]: readonly [string, Uint8Array]): boolean {
  if (check.version === 'v1') {
    const expected = hmacOf(HASH, check.key, [start, body]);
    return given.some((bytes) => sameBytes(expected, bytes));
  }
  const content = concat([utf8(start), body]);
  return given.some((bytes) => verifyEd25519(check.key, content, bytes));
}
