import type { Clock } from '../ports.ts';
import { Refusal } from '../refusal.ts';
import { inUse } from './secrets.ts';
import type { SecretEntry, Vault } from './secrets.ts';

/** A row with its secrets in clear: in memory only. */
export type Held<Row> = Row & { readonly entries: readonly SecretEntry[]; readonly secrets: readonly string[] };

/** `secrets` is worked out at each use, because an overlap ends by itself. */
export function hold<Row extends { id: string }>(row: Row, entries: readonly SecretEntry[], clock: Clock): Held<Row> {
  const lasting = entries.every(({ until }) => until === null) ? inUse(entries, 0) : null;
  const held = { ...row, entries };
  return Object.defineProperty(held, 'secrets', { get: () => lasting ?? inUse(entries, clock.now()), enumerable: true }) as Held<Row>;
}

/** The row as it is stored, without what only memory may hold. */
export function bare<Row extends object>(held: Held<Row>): Omit<Held<Row>, 'entries' | 'secrets'> {
  const { entries: _entries, secrets: _secrets, ...row } = held;
  return row;
}

export function openEntries(row: { id: string; sealed: string }, vault: Vault): SecretEntry[] {
  return JSON.parse(vault.open(row.sealed, row.id)) as SecretEntry[];
}

/** What of an endpoint is encrypted for rest: headers may hold a secret as well. */
export interface Sealed {
  readonly entries: readonly SecretEntry[];
  readonly headers: Readonly<Record<string, string>>;
}

export function openSealed(row: { id: string; sealed: string }, vault: Vault): Sealed {
  const opened = JSON.parse(vault.open(row.sealed, row.id)) as SecretEntry[] | Sealed;
  return Array.isArray(opened) ? { entries: opened, headers: {} } : (opened as Sealed);
}

/** The row with this id that the merchant may see; refuses as if there were none otherwise. */
export function find<Row extends { merchant: string }>(
  rows: { readonly what: 'source' | 'endpoint'; readonly get: (id: string) => Row | undefined },
  merchant: string | null,
  id: string,
): Row {
  const row = rows.get(id);
  if (row === undefined || (merchant !== null && row.merchant !== merchant))
    throw new Refusal('not_found', `There is no such ${rows.what}; see GET /v1/${rows.what}s.`);
  return row;
}

/** Ids sort by time. */
export function newest<Row extends { id: string }>(rows: Iterable<Row>): Row[] {
  return [...rows].sort((a, b) => (a.id < b.id ? 1 : -1));
}
