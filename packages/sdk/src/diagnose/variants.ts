import { concat, decode, encode, utf8 } from '../bytes.ts';
import type { Headers, VerifyInput } from '../provider.ts';
import { reserialise } from '../schemes/reserialised.ts';
import type { Cause } from './causes.ts';

export interface Variant<T> {
  readonly cause: Cause;
  readonly value: T;
}

const BOM = Uint8Array.of(0xef, 0xbb, 0xbf);

/** The secret in the forms that people paste by mistake. */
export function secretVariants(secret: string): readonly Variant<string>[] {
  const bare = secret.trim();
  const whitespace = [bare, `${secret}\n`].filter((value) => value !== secret);
  const swapped = bare.startsWith('whsec_') ? bare.slice(6) : `whsec_${bare}`;
  return [...whitespace.map((value) => ({ cause: 'secret_whitespace', value }) as const), { cause: 'secret_prefix', value: swapped }];
}

/** The body as it may have been when it was signed. */
export function bodyVariants(body: Uint8Array): readonly Variant<Uint8Array>[] {
  const variants: Variant<Uint8Array>[] = [];
  const add = (cause: Cause, value: Uint8Array | null): void => {
    if (value !== null) variants.push({ cause, value });
  };
  const text = Buffer.from(body).toString('latin1');
  add('body_newline', text.endsWith('\n') ? body.subarray(0, body.length - (text.endsWith('\r\n') ? 2 : 1)) : concat([body, utf8('\n')]));
  if (!text.endsWith('\n')) add('body_newline', concat([body, utf8('\r\n')]));
  if (text.includes('\n'))
    add('body_line_endings', Buffer.from(text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text.replaceAll('\n', '\r\n'), 'latin1'));
  const marked = body[0] === BOM[0] && body[1] === BOM[1] && body[2] === BOM[2];
  add('body_bom', marked ? body.subarray(3) : concat([BOM, body]));
  add('body_reserialised', reserialise(marked ? body.subarray(3) : body));
  const indented = indent(body);
  add('body_reserialised', indented);
  return variants;
}

function indent(body: Uint8Array): Uint8Array | null {
  const compact = reserialise(body);
  return compact === null ? null : utf8(JSON.stringify(JSON.parse(new TextDecoder().decode(compact)), null, 2));
}

const MAX_HEADERS = 64;

/** The headers with the signature where and how the provider expects it: from another header, without a prefix, in the other encoding. */
export function headerVariants(input: VerifyInput, expected: string): readonly Variant<Headers>[] {
  const variants: Variant<Headers>[] = [];
  const own = input.headers[expected];
  if (typeof own === 'string') {
    const bare = own.replace(/^[\w-]{1,12}=(?=.)/, '');
    if (bare !== own) variants.push({ cause: 'signature_prefix', value: { ...input.headers, [expected]: bare } });
    for (const value of [own, bare])
      for (const other of otherEncodings(value))
        variants.push({ cause: 'signature_encoding', value: { ...input.headers, [expected]: other } });
    for (const prefix of ['sha256=', 'v1,', 'v1='])
      variants.push({ cause: 'signature_prefix', value: { ...input.headers, [expected]: prefix + own } });
    return variants;
  }
  for (const [name, value] of Object.entries(input.headers).slice(0, MAX_HEADERS)) {
    if (typeof value !== 'string' || value.length < 40) continue;
    const bare = value.replace(/^[\w-]{1,12}[=,](?=.)/, '');
    for (const candidate of new Set([value, bare]))
      variants.push({ cause: 'header_name', value: { ...renamed(input.headers, name, expected), [expected]: candidate } });
  }
  return variants;
}

/** `svix-id` and `svix-timestamp` belong to `svix-signature`: names that share a start move together. */
function renamed(headers: Headers, from: string, to: string): Headers {
  const [start, wanted] = [from.replace(/signature$/, ''), to.replace(/signature$/, '')];
  if (start === from || wanted === to) return headers;
  const moved = Object.entries(headers).map(
    ([name, value]) => [name.startsWith(start) ? wanted + name.slice(start.length) : name, value] as const,
  );
  return Object.fromEntries(moved);
}

function otherEncodings(text: string): readonly string[] {
  const hex = decode(text, 'hex');
  if (hex !== null) return [encode(hex, 'base64')];
  const base64 = decode(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
  return base64 === null ? [] : [encode(base64, 'hex')];
}
