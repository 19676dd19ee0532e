import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { didYouMean } from './nearest.ts';

/** Readers of one setting's text. Each throws an Error that ends the sentence `NAME ...`. */

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error(`must be a port number from 0 to 65535, not "${shown(text)}".`);
  return Number(text);
}

export function host(text: string): string {
  if (isIP(text) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text))
    throw new Error(`must be an address or a host name, not "${shown(text)}".`);
  return text;
}

export function path(text: string): string {
  if (text.includes('\0')) throw new Error('must be a path.');
  return resolve(text);
}

/** Whether a database is named by an address instead of a file. */
export function isPostgres(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

export function database(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (isPostgres(text)) return text;
  if (scheme !== undefined) throw new Error(`must be the path of a file or a postgres:// address, not a ${scheme}:// one.`);
  return path(text);
}

/** Never shown again: it may hold a password. */
export function redis(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    throw new Error(
      'must be an address such as redis://host:6379, or rediss:// for TLS, with user:password@ before the host where Redis asks for one.',
    );
  if (!/^\/?\d{0,5}$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    throw new Error('may have nothing but the number of a database after the host.');
  return text;
}

export function adminKey(text: string): string {
  // It travels in a header: anything else could never be sent back.
  if (!/^[\x21-\x7e]{1,200}$/.test(text)) throw new Error('must be 1 to 200 printable ASCII characters without spaces.');
  return text;
}

export function publicUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new Error(`must be an http:// or https:// address, not "${shown(text)}".`);
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password.');
  if (url.search !== '' || url.hash !== '') throw new Error('must be an address without "?" and "#".');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

export function cidrs(text: string): readonly string[] {
  return text.split(',').map((part) => {
    const cidr = part.trim();
    const [address = '', bits = '', ...rest] = cidr.split('/');
    const width = isIP(address) === 4 ? 32 : 128;
    if (isIP(address) === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > width) {
      throw new Error(`must be ranges such as 10.0.0.0/8 or fd00::/8 with commas between, not "${shown(cidr)}".`);
    }
    return cidr;
  });
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_DAYS = 366;

/** Milliseconds; null: never. */
export function durationOrNever(text: string): number | null {
  if (text === 'never') return null;
  const match = /^(\d{1,6})([mhd])$/.exec(text);
  const ms = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? NaN);
  if (!(ms > 0 && ms <= LONGEST_DAYS * 86_400_000))
    throw new Error(`must be a duration from 1m to ${LONGEST_DAYS}d such as 12h or 5d, or "never", not "${shown(text)}".`);
  return ms;
}

export function oneOf<Word extends string>(text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text);
  if (word === undefined) throw new Error(`must be one of ${words.join(', ')}, not "${shown(text)}".${didYouMean(text, words)}`);
  return word;
}

const AGES: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 };

/** Milliseconds; null: for ever. */
export function age(text: string): number | null {
  if (text === 'forever') return null;
  const [, number = '', unit = ''] = /^(\d{1,5})([mhdy])$/.exec(text) ?? [];
  const ms = Number(number) * (AGES[unit] ?? 0);
  // To one reader zero means never, to another at once: what is lost by guessing does not come back.
  if (Number(text.replace(/[mhdy]$/, '') || 'x') === 0)
    throw new Error('must not be zero: write forever to keep it, or the time after which it goes, such as 1h.');
  if (ms === 0) throw new Error(`must be an age such as 24h, 90d or 7y, or forever, not "${shown(text)}".`);
  return ms;
}

/** What a person typed, fit for a terminal. */
function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?');
  return plain.length > 60 ? `${plain.slice(0, 60)}...` : plain;
}
