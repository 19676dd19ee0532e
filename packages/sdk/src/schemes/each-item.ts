import { fromBase64, fromHex, sameBytes } from '../bytes.ts';
import { isAmbiguous, parseJson } from '../json.ts';
import type { JsonValue } from '../json.ts';
import type { Verdict, VerifyInput } from '../provider.ts';
import { hmacOf } from './hmac.ts';
import { keysOf, MAX_SIGNATURES, NO_MATCH, NO_SECRET, refuse } from './secret.ts';

export interface SignedItem {
  /** Base64 HMAC-SHA256; undefined where the item has none. */
  readonly signature: JsonValue | undefined;
  /** The text that was signed, or null where the item lacks what is signed. */
  readonly text: string | null;
}

/** Every item of the body carries its own signature; the key is hex. One bad item refuses the whole request. */
export function verifyEachItem(itemsOf: (body: JsonValue) => readonly SignedItem[] | null, input: VerifyInput): Verdict {
  let items: readonly SignedItem[] | null = null;
  try {
    const body = parseJson(input.body);
    // With a key twice, what was signed and what is read could be two things.
    if (!isAmbiguous(body)) items = itemsOf(body);
  } catch {
    items = null;
  }
  if (items === null || items.length === 0)
    return refuse('body_malformed', 'The body holds no items as documented, so no signature can be found.');
  if (items.length > MAX_SIGNATURES) return refuse('too_many_signatures', `More than ${MAX_SIGNATURES} signed items in one request.`);
  const keys = keysOf(input.secrets, fromHex);
  if (keys.length === 0) return NO_SECRET;
  let secretIndex = 0;
  for (const item of items) {
    if (item.signature === undefined) return refuse('signature_missing', 'An item has no signature.');
    const given = typeof item.signature === 'string' ? fromBase64(item.signature) : null;
    if (given === null || given.length !== 32) return refuse('signature_malformed', 'The signature of an item is no base64 SHA256.');
    const text = item.text;
    if (text === null) return refuse('body_malformed', 'An item lacks a field that is signed.');
    const match = keys.find(({ key }) => sameBytes(signText(key, text), given));
    if (match === undefined) return NO_MATCH;
    secretIndex = match.index;
  }
  return { ok: true, authenticity: 'signed-fields', secretIndex };
}

export function signText(key: Uint8Array, text: string): Buffer {
  return hmacOf({ hash: 'sha256' }, key, [text]);
}
