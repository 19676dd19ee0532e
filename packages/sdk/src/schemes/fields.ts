import { createHash } from 'node:crypto';
import { fromHex, sameBytes } from '../bytes.ts';
import { parseJson } from '../json.ts';
import type { JsonValue } from '../json.ts';
import { isAmbiguous, isJsonObject } from '../json.ts';
import type { Verdict, VerifyInput } from '../provider.ts';
import { keysOf, NO_MATCH, NO_SECRET, refuse } from './secret.ts';

export interface FieldsForm {
  /** The member of the body that holds the signature. */
  readonly signature: string;
  /** The text that was hashed, without the secret that follows it; null where a field is missing. */
  readonly text: (body: JsonValue) => string | null;
}

/** A member of the body holds the plain SHA-256 of some of its fields and the secret: weak, for nothing else is vouched for. */
export function verifyFields(form: FieldsForm, input: VerifyInput): Verdict {
  let body: JsonValue;
  try {
    body = parseJson(input.body);
  } catch {
    return refuse('body_malformed', 'The body is no JSON, so its signature cannot be found.');
  }
  if (!isJsonObject(body) || isAmbiguous(body)) return refuse('body_malformed', 'The body is no JSON object with each key once.');
  const signature = body[form.signature];
  if (signature === undefined) return refuse('signature_missing', `The body has no "${form.signature}".`);
  const given = typeof signature === 'string' ? fromHex(signature) : null;
  if (given === null || given.length !== 32) return refuse('signature_malformed', `"${form.signature}" is no hex SHA256.`);
  const text = form.text(body);
  if (text === null) return refuse('body_malformed', 'A field that is signed is missing from the body.');
  const keys = keysOf(input.secrets, (secret) => secret);
  if (keys.length === 0) return NO_SECRET;
  for (const { key, index } of keys) {
    if (
      sameBytes(
        createHash('sha256')
          .update(text + key)
          .digest(),
        given,
      )
    )
      return { ok: true, authenticity: 'signed-fields', secretIndex: index };
  }
  return NO_MATCH;
}
