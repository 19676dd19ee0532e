import { createHash } from 'node:crypto';
import { isJsonObject, isList, jsonObject } from '../json.ts';
import type { JsonValue } from '../json.ts';

const IDENTITY =
  /^(?:id|reference|(?:order|transaction|payment|refund|charge|withdrawalTransaction)(?:_id|Id|Hash)|transactionHash|payment_intent|charge|(?:psp|original|merchant|customer)Reference|order)$/;

/**
 * Gives the data of an example identities of its own: every reference is replaced by one that follows from `series` and the reference
 * that stood there, so that all events of one series still belong together and no two series do.
 */
export function renameIdentities(value: JsonValue, series: string): JsonValue {
  if (isList(value)) return value.map((item) => renameIdentities(item, series));
  if (!isJsonObject(value)) return value;
  const renamed = jsonObject();
  for (const [key, member] of Object.entries(value)) {
    renamed[key] = typeof member === 'string' && IDENTITY.test(key) ? rename(member, series) : renameIdentities(member, series);
  }
  return renamed;
}

/** Keeps the look: `txn_8fk20sLq` stays a `txn_`, digits stay digits, a hash stays a hash. */
function rename(old: string, series: string): string {
  const digest = createHash('sha256').update(`${series}\n${old}`).digest('hex');
  if (/^0x[0-9a-f]{64}$/.test(old)) return `0x${digest}`;
  if (/^\d+$/.test(old)) return String(BigInt(`0x${digest.slice(0, 12)}`) + 100_000_000_000n).slice(0, 15);
  const prefix = /^.*[^A-Za-z0-9]/.exec(old)?.[0] ?? '';
  const token = digest.slice(0, 12);
  return prefix + (/[a-z]/.test(old.slice(prefix.length)) ? token : token.toUpperCase());
}
