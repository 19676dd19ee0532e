import type { Clock, RandomBytes } from './ports.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_BYTES = 10;
const POOL_BYTES = 10_240;

export type IdPrefix = 'mer' | 'src' | 'req' | 'evt' | 'end' | 'dlv' | 'rsd' | 'key' | 'node';

/** Makes ids that sort by time: prefix, 48 bits of milliseconds, 80 random bits, in lower-case base32. */
export function createIds(clock: Clock, random: RandomBytes): (prefix: IdPrefix) => string {
  let pool = new Uint8Array(0);
  let at = 0;
  let lastMs = -1;
  let lastText = '';
  return (prefix) => {
    if (at + RANDOM_BYTES > pool.length) {
      pool = random(POOL_BYTES) as Uint8Array<ArrayBuffer>;
      at = 0;
    }
    const now = clock.now();
    if (now !== lastMs) {
      lastMs = now;
      lastText = timeText(now);
    }
    at += RANDOM_BYTES;
    return `${prefix}_${lastText}${fiveBytes(pool, at - RANDOM_BYTES)}${fiveBytes(pool, at - RANDOM_BYTES / 2)}`;
  };
}

/** Forty bits as eight characters. */
function fiveBytes(bytes: Uint8Array, at: number): string {
  const high = ((bytes[at] ?? 0) << 12) | ((bytes[at + 1] ?? 0) << 4) | ((bytes[at + 2] ?? 0) >> 4);
  const low = (((bytes[at + 2] ?? 0) & 15) << 16) | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
  return twentyBits(high) + twentyBits(low);
}

function twentyBits(bits: number): string {
  return `${ALPHABET[bits >> 15]}${ALPHABET[(bits >> 10) & 31]}${ALPHABET[(bits >> 5) & 31]}${ALPHABET[bits & 31]}`;
}

function timeText(ms: number): string {
  let text = '';
  for (let rest = Math.max(0, Math.floor(ms)), i = 0; i < 10; i++, rest = Math.floor(rest / 32)) text = `${ALPHABET[rest % 32]}${text}`;
  return text;
}
