import type { Headers, Verdict } from './provider.ts';

/** The only value of a header; a header that came twice has no value that can be trusted. */
export type HeaderValue = { readonly found: 'one'; readonly value: string } | { readonly found: 'none' } | { readonly found: 'several' };

const NONE: HeaderValue = { found: 'none' };
const SEVERAL: HeaderValue = { found: 'several' };

export function oneHeader(headers: Headers, name: string): HeaderValue {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (typeof value === 'string') return value === '' ? NONE : { found: 'one', value };
  if (value === undefined || value.length === 0) return NONE;
  if (value.length > 1) return SEVERAL;
  return value[0] === undefined || value[0] === '' ? NONE : { found: 'one', value: value[0] };
}

/** The header's only value, or null: for what is not signed and merely useful. */
export function headerText(headers: Headers, name: string): string | null {
  const header = oneHeader(headers, name);
  return header.found === 'one' ? header.value : null;
}

/** The header's only value, or the verdict that refuses the request for the lack of it. */
export function signatureHeader(headers: Headers, name: string): { readonly value: string } | { readonly refused: Verdict } {
  const header = oneHeader(headers, name);
  if (header.found === 'one') return header;
  if (header.found === 'several') {
    return { refused: { ok: false, reason: 'signature_ambiguous', detail: `The header ${name} came more than once.` } };
  }
  return { refused: { ok: false, reason: 'signature_missing', detail: `The header ${name} is missing.` } };
}

/** What web frameworks call headers: a record in any case, or a `Headers` object, or entries. */
export type HeadersLike = Headers | Iterable<readonly [string, string]>;

/** Any framework's headers in the form that providers read: lower-case names, a list where a header came more than once. */
export function normalHeaders(headers: HeadersLike): Headers {
  const entries = isIterable(headers) ? headers : Object.entries(headers);
  const normal: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    const before = normal[key];
    const values = before === undefined ? [] : typeof before === 'string' ? [before] : before;
    const all = values.concat(value);
    normal[key] = all.length === 1 ? (all[0] as string) : all;
  }
  return normal;
}

function isIterable(headers: HeadersLike): headers is Iterable<readonly [string, string]> {
  return Symbol.iterator in headers;
}
