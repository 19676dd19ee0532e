import { fromHex, sameBytes } from '../bytes.ts';
import { signatureHeader } from '../headers.ts';
import type { Verdict, VerifyInput } from '../provider.ts';
import { hmacOf } from './hmac.ts';
import type { Scheme } from './hmac.ts';
import { keysOf, MAX_SIGNATURES, NO_MATCH, NO_SECRET, refuse } from './secret.ts';
import { judgeTimestamp, unixSeconds } from './timestamp.ts';

export interface SignatureListForm {
  /** Lower-case name. */
  readonly header: string;
  /** The member that holds the time in Unix seconds. */
  readonly time: string;
  /** The member, possibly repeated, that holds a hex HMAC-SHA256 of `time.body`. */
  readonly signature: string;
}

const HASH = { hash: 'sha256' } as const;
const MAX_MEMBERS = 64;

/** One header lists a time and one signature for each secret: `t=1700000000,v1=...,v1=...`. Members of other names are ignored. */
export function signatureList(form: SignatureListForm): Scheme {
  return {
    verify: (input) => verifyList(form, input),
    sign({ body, secrets, now }) {
      const time = unixSeconds(now);
      const signatures = keysOf(secrets, (secret) => secret).map(
        ({ key }) => `${form.signature}=${hmacOf(HASH, key, [`${time}.`, body]).toString('hex')}`,
      );
      if (signatures.length === 0) throw new Error('A secret is needed to sign.');
      return { headers: { [form.header]: [`${form.time}=${time}`, ...signatures].join(',') } };
    },
  };
}

function verifyList(form: SignatureListForm, input: VerifyInput): Verdict {
  const header = signatureHeader(input.headers, form.header);
  if ('refused' in header) return header.refused;
  const members = header.value.split(',', MAX_MEMBERS).map(memberOf);
  const times = members.filter((member) => member.name === form.time);
  const signatures = members.filter((member) => member.name === form.signature);
  if (signatures.length > MAX_SIGNATURES) return refuse('too_many_signatures', `More than ${MAX_SIGNATURES} signatures in ${form.header}.`);
  if (signatures.length === 0) return refuse('signature_missing', `${form.header} holds no "${form.signature}=".`);
  const time = times[0]?.value;
  if (time === undefined) return refuse('timestamp_missing', `${form.header} holds no "${form.time}=".`);
  if (times.length > 1) return refuse('timestamp_malformed', `${form.header} holds more than one "${form.time}=".`);
  const untimely = judgeTimestamp(time, input.now);
  if (untimely !== null) return untimely;
  const given = signatures.map((signature) => fromHex(signature.value)).filter((bytes) => bytes?.length === 32);
  if (given.length === 0) return refuse('signature_malformed', `${form.header} holds no hex SHA256 signature.`);
  const keys = keysOf(input.secrets, (secret) => secret);
  if (keys.length === 0) return NO_SECRET;
  for (const { key, index } of keys) {
    const expected = hmacOf(HASH, key, [`${time}.`, input.body]);
    for (const bytes of given)
      if (bytes && sameBytes(expected, bytes)) return { ok: true, authenticity: 'signed-body', secretIndex: index };
  }
  return NO_MATCH;
}

function memberOf(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text.trim(), value: '' } : { name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() };
}
