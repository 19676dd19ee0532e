import { decimalText } from '@paybell/sdk';
import type { Money } from '@paybell/sdk';
import type { Io } from './command.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Table {
  /** Field names, in order. */
  readonly columns: readonly string[];
  readonly json: boolean;
}

/** Prints rows: NDJSON with all fields, or the named columns for people. */
export function printRows(rows: readonly Row[], table: Table, io: Io): void {
  if (table.json) {
    for (const row of rows) io.print(JSON.stringify(row));
    return;
  }
  const cells = [table.columns.map((name) => name.toUpperCase()), ...rows.map((row) => table.columns.map((name) => cell(row[name])))];
  const widths = table.columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  for (const line of cells)
    io.print(
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** One value for people; control characters cannot reach the terminal. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (isMoney(value)) return plain(`${decimalText(value)} ${value.currency.replace(/^.*(0x.{4}).*(.{4})$/, '$1...$2')}`);
  return plain(typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean));
}

function isMoney(value: unknown): value is Money {
  if (typeof value !== 'object' || value === null) return false;
  const { value: units, exponent, currency } = value as Partial<Money>;
  return typeof units === 'string' && typeof exponent === 'number' && typeof currency === 'string';
}

export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
