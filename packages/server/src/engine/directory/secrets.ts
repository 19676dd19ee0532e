/** One signing secret; `until` null: in use until it is replaced. Milliseconds since 1970. */
export interface SecretEntry {
  readonly text: string;
  readonly until: number | null;
}

/** Encrypts for rest; the row's id is bound in, so that a sealed text cannot be moved to another row. */
export interface Vault {
  seal(text: string, rowId: string): string;
  open(sealed: string, rowId: string): string;
}

/** The secrets in use at `now`, the newest first. */
export function inUse(entries: readonly SecretEntry[], now: number): readonly string[] {
  return entries.filter(({ until }) => until === null || until > now).map(({ text }) => text);
}
