import type { Pool } from 'pg';
import type { Page, PageQuery } from '../contract.ts';
import { storageError } from './errors.ts';

export type Value = string | number | boolean | null | readonly string[];

export interface Condition {
  /** With `?` for each of its values. */
  readonly sql: string;
  readonly values: readonly Value[];
}

/** A condition, or null where its value was not asked for. */
export function condition(sql: string, value: Value | undefined): Condition | null {
  return value === undefined ? null : { sql, values: [typeof value === 'string' ? value.replaceAll('\0', '\u2400') : value] };
}

/** Asks with `?` for values, in order. */
export async function ask<Row>(reads: Pool, sql: string, values: readonly Value[]): Promise<Row[]> {
  let count = 0;
  try {
    const { rows } = await reads.query({ text: sql.replace(/\?/g, () => `$${(count += 1)}`), values: [...values] });
    return rows as Row[];
  } catch (error) {
    throw storageError(error);
  }
}

/** The condition that a row is of that merchant, or any where it is the operator who asks. */
export function ofMerchant(merchant: string | null, column = 'merchant'): Condition {
  return merchant === null ? { sql: 'true', values: [] } : { sql: `${column} = ?`, values: [merchant] };
}

export interface PageOf {
  readonly query: PageQuery;
  readonly columns: string;
  readonly from: string;
  readonly conditions: readonly (Condition | null)[];
  /** Alias of the table that has `seq` and `merchant`. */
  readonly alias?: string;
  readonly oldestFirst?: boolean;
}

/** One page by keyset on `seq`: its cost does not grow with how far one has paged. Columns must hold `seq`. */
export async function page<Row>(reads: Pool, { query, columns, from, conditions, alias, oldestFirst }: PageOf): Promise<Page<Row>> {
  const of = alias === undefined ? '' : `${alias}.`;
  const after = query.cursor === null ? undefined : Number(query.cursor);
  const all = [
    condition(`${of}merchant = ?`, query.merchant ?? undefined),
    condition(`${of}seq ${oldestFirst === true ? '>' : '<'} ?`, after),
    ...conditions,
  ].filter((one): one is Condition => one !== null);
  const where = all.length === 0 ? '' : `WHERE ${all.map(({ sql }) => sql).join(' AND ')}`;
  const order = oldestFirst === true ? 'ASC' : 'DESC';
  const text = `SELECT ${columns} FROM ${from} ${where} ORDER BY ${of}seq ${order} LIMIT ?`;
  const rows = await ask<Row & { seq?: number }>(reads, text, [...all.flatMap(({ values }) => values), query.limit + 1]);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1)?.seq;
  for (const row of shown) delete row.seq;
  return { rows: shown, nextCursor: rows.length > query.limit && last !== undefined ? String(last) : null };
}
