import { timingSafeEqual } from 'node:crypto';

export type Encoding = 'hex' | 'base64';

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** Strict: an even number of hex digits and nothing else, or null. `Buffer.from` stops silently at the first other character. */
export function fromHex(text: string): Uint8Array | null {
  return HEX.test(text) ? Buffer.from(text, 'hex') : null;
}

/** Strict: canonical, padded base64 of the standard alphabet, or null. `Buffer.from` skips what it does not know. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length === 0 || text.length % 4 !== 0) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

export function decode(text: string, encoding: Encoding): Uint8Array | null {
  return encoding === 'hex' ? fromHex(text) : fromBase64(text);
}

export function encode(bytes: Uint8Array, encoding: Encoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}

/** Compares in constant time; two lengths are simply unequal, where `timingSafeEqual` throws. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
