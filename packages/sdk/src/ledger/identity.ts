import { hash } from 'node:crypto';
import type { Kind } from './transaction.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 26;

/** The id of a transaction: `txn_` and 130 bits of a SHA-256 in lower-case base32, the same on every machine. */
export function transactionId(merchant: string, provider: string, kind: Kind, key: string): string {
  const digest = hash('sha256', part(merchant) + part(provider) + part(kind) + part(key), 'buffer');
  let id = 'txn_';
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let made = 0; made < LENGTH; made++) {
    if (held < 5) {
      bits = ((bits & 31) << 8) | (digest[at++] ?? 0);
      held += 8;
    }
    held -= 5;
    id += ALPHABET[(bits >> held) & 31];
  }
  return id;
}

// Lone surrogates all become U+FFFD in UTF-8, which would give two keys one id: they are escaped and marked instead.
function part(text: string): string {
  if (text.isWellFormed()) return `${text.length}:${text}`;
  const escaped = JSON.stringify(text);
  return `${escaped.length}!${escaped}`;
}
