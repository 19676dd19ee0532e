import type { Clock, RandomBytes } from './ports.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_CHARS = 16;
const POOL_BYTES = 4096;

export type IdPrefix = 'mer' | 'src' | 'req' | 'evt' | 'end' | 'dlv' | 'key' | 'node';

/** Makes ids that sort by time: prefix, 48 bits of milliseconds, 80 random bits, in lower-case base32. */
export function createIds(clock: Clock, random: RandomBytes): (prefix: IdPrefix) => string {
  let pool = new Uint8Array(0);
  let at = 0;
  let lastMs = -1;
  let lastText = '';
  return (prefix) => {
    if (at + RANDOM_CHARS > pool.length) {
      pool = random(POOL_BYTES) as Uint8Array<ArrayBuffer>;
      at = 0;
    }
    const now = clock.now();
    if (now !== lastMs) {
      lastMs = now;
      lastText = timeText(now);
    }
    let text = '';
    for (let end = at + RANDOM_CHARS; at < end; at++) text += ALPHABET[(pool[at] ?? 0) & 31];
    return `${prefix}_${lastText}${text}`;
  };
}

function timeText(ms: number): string {
  let text = '';
  for (let rest = Math.max(0, Math.floor(ms)), i = 0; i < 10; i++, rest = Math.floor(rest / 32)) text = `${ALPHABET[rest % 32]}${text}`;
  return text;
}
