import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concat, encode, fromBase64 } from '../bytes.ts';

const SECRET = 'whsk_';
const PUBLIC = 'whpk_';
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** What stands before the bare key in DER: Node takes keys in envelopes only. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** Making a key costs twice as much as signing with it; a process signs with few keys, again and again. */
const MOST_KEPT = 512;
const kept = new Map<string, KeyObject | null>();

function keeping(text: string, make: () => KeyObject | null): KeyObject | null {
  let key = kept.get(text);
  if (key === undefined) {
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(text, (key = make()));
  }
  return key;
}

/** Whether a text says of itself that it is one half of a key pair. */
export function isOfKeyPair(text: string): boolean {
  return text.startsWith(SECRET) || text.startsWith(PUBLIC);
}

/** The key behind `whsk_`: base64 of the seed, alone or followed by the public key. Null for anything else. */
export function secretKey(text: string): KeyObject | null {
  if (!text.startsWith(SECRET)) return null;
  return keeping(text, () => {
    const bytes = fromBase64(text.slice(SECRET.length));
    if (bytes === null || (bytes.length !== KEY_BYTES && bytes.length !== 2 * KEY_BYTES)) return null;
    const key = createPrivateKey({ key: Buffer.concat([PKCS8, bytes.subarray(0, KEY_BYTES)]), format: 'der', type: 'pkcs8' });
    const half = bytes.subarray(KEY_BYTES);
    return half.length === 0 || Buffer.compare(half, publicBytes(key)) === 0 ? key : null;
  });
}

/** The key behind `whpk_`, or the public half of one behind `whsk_`. Null for anything else. */
export function publicKey(text: string): KeyObject | null {
  if (text.startsWith(SECRET)) {
    const secret = secretKey(text);
    return secret === null ? null : createPublicKey(secret);
  }
  if (!text.startsWith(PUBLIC)) return null;
  return keeping(text, () => {
    const bytes = fromBase64(text.slice(PUBLIC.length));
    return bytes?.length === KEY_BYTES ? createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' }) : null;
  });
}

/** The `whpk_` text that belongs to a `whsk_` one; a `whpk_` text is its own. Null for anything else. */
export function publicText(text: string): string | null {
  const key = publicKey(text);
  return key === null ? null : PUBLIC + encode(publicBytes(key), 'base64');
}

/** A key pair as one `whsk_` text: seed and public key, the form that most libraries read. */
export function keyPairFrom(seed: Uint8Array): string {
  const alone = SECRET + encode(seed, 'base64');
  const key = secretKey(alone);
  if (key === null) throw new Error(`A key pair is made from ${KEY_BYTES} bytes.`);
  return SECRET + encode(concat([seed, publicBytes(key)]), 'base64');
}

export function signEd25519(key: KeyObject, content: Uint8Array): Uint8Array {
  return sign(null, content, key);
}

export function verifyEd25519(key: KeyObject, content: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && verify(null, content, key, signature);
}

/** The last bytes of either envelope are the key itself. */
function publicBytes(key: KeyObject): Buffer {
  const open = key.type === 'public' ? key : createPublicKey(key);
  return open.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES);
}
