import { createHmac } from 'node:crypto';
import { decode, fromBase64, fromHex, sameBytes } from '../bytes.ts';
import type { Encoding } from '../bytes.ts';
import type { VerifyInput } from '../provider.ts';

/** How a signature in some header was made. */
export interface Found {
  readonly header: string;
  readonly hash: string;
  readonly encoding: Encoding;
  readonly key: 'text' | 'decoded';
  readonly content: 'body' | 'timestamp' | 'url';
}

const HASHES: Readonly<Record<number, readonly string[]>> = { 20: ['sha1'], 32: ['sha256'], 64: ['sha512'] };
const MAX_CANDIDATES = 24;
/** Above this the search would cost more than an answer is worth. */
const MAX_BODY = 262_144;

interface Candidate {
  readonly header: string;
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
}

/** Looks for an HMAC of the body, by any usual hash, key form and content, in any header. */
export function searchSignature(input: VerifyInput): Found | null {
  if (input.body.length > MAX_BODY) return null;
  const candidates = candidatesIn(input);
  const contents = contentsOf(input);
  for (const secret of input.secrets) {
    for (const { key, form } of keysOf(secret)) {
      for (const { content, parts } of contents) {
        for (const { header, encoding, bytes } of candidates) {
          for (const hash of HASHES[bytes.length] ?? []) {
            const hmac = createHmac(hash, key);
            for (const part of parts) hmac.update(part);
            if (sameBytes(hmac.digest(), bytes)) return { header, hash, encoding, key: form, content };
          }
        }
      }
    }
  }
  return null;
}

function candidatesIn(input: VerifyInput): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const [header, value] of Object.entries(input.headers)) {
    if (typeof value !== 'string') continue;
    for (const token of value.split(/[,;\s]+/)) {
      for (const text of new Set([token, token.replace(/^[\w-]{1,12}=(?=.)/, '')])) {
        for (const encoding of ['hex', 'base64'] as const) {
          const bytes = decode(text, encoding);
          if (bytes !== null && HASHES[bytes.length] !== undefined && candidates.length < MAX_CANDIDATES)
            candidates.push({ header, encoding, bytes });
        }
      }
    }
  }
  return candidates;
}

function keysOf(secret: string): readonly { readonly key: string | Uint8Array; readonly form: Found['key'] }[] {
  const bare = secret.trim();
  const stripped = bare.replace(/^whsec_/, '');
  const decoded = [fromHex(stripped), fromBase64(stripped)].filter((bytes) => bytes !== null);
  return [
    ...[...new Set([secret, bare, stripped])].map((key) => ({ key, form: 'text' }) as const),
    ...decoded.map((key) => ({ key, form: 'decoded' }) as const),
  ].filter(({ key }) => key.length > 0);
}

function contentsOf({
  headers,
  body,
  url,
}: VerifyInput): readonly { readonly content: Found['content']; readonly parts: readonly (string | Uint8Array)[] }[] {
  const values = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [{ name, value }] : []));
  const times = values.filter(({ name }) => name.includes('timestamp')).map(({ value }) => value);
  const listed = values.flatMap(({ value }) => /(?:^|[,;\s])(?:t|ts)=(\d{9,14})/.exec(value)?.[1] ?? []);
  const ids = values.filter(({ name }) => name.endsWith('-id')).map(({ value }) => value);
  const stamped = [...times, ...listed].flatMap((time) => [
    [`${time}.`, body],
    [`${time}:`, body],
    [time, body],
    ...ids.map((id) => [`${id}.${time}.`, body]),
  ]);
  return [
    { content: 'body', parts: [body] },
    ...stamped.slice(0, 16).map((parts) => ({ content: 'timestamp' as const, parts })),
    ...(url === undefined ? [] : [{ content: 'url' as const, parts: [url, body] }]),
  ];
}
