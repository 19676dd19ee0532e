import type { Pool } from 'pg';
import type { Page, PageQuery } from '../contract.ts';
import { storageError } from './errors.ts';
import { completeUpTo } from './numbered.ts';

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

export interface PageOf<Row> {
  readonly query: PageQuery;
  readonly columns: string;
  readonly from: string;
  /** For each `?` in `from`. */
  readonly fromValues?: readonly Value[];
  /** The part of `from` that holds `seq` and what is `found`; without it, all of it. */
  readonly walked?: string;
  /** Conditions that an index answers: what does not meet them is never read. */
  readonly found?: readonly (Condition | null)[];
  /** Conditions that rows are looked through for, so many at a time. */
  readonly filters?: readonly (Condition | null)[];
  /** True: what is `found` is little in any case. */
  readonly narrow?: boolean;
  /** What SQL cannot judge. */
  readonly keep?: (row: Row) => boolean;
  /** Alias of the table that has `seq` and `merchant`. */
  readonly alias?: string;
  /** Oldest first; the sequence that numbers the rows. */
  readonly oldestBy?: string | undefined;
}

/** Rows that one page looks through for a filter that few of them meet: one after the other, or scattered where an index chose them. */
const STEP = 4_000;
const SCATTERED_STEP = 1_000;

/**
 * One page by keyset on `seq`: its cost does not grow with how far one has paged, nor with how rare a filter is: such a page ends early,
 * and its cursor goes on from there. Columns must hold `seq`.
 */
export async function page<Row>(reads: Pool, pageOf: PageOf<Row>): Promise<Page<Row>> {
  const { query, columns, from, alias, oldestBy } = pageOf;
  const of = alias === undefined ? '' : `${alias}.`;
  const [past, upTo, order] = oldestBy === undefined ? ['<', '>=', 'DESC'] : ['>', '<=', 'ASC'];
  const found = [
    condition(`${of}merchant = ?`, query.merchant ?? undefined),
    condition(`${of}seq ${past} ?`, query.cursor === null ? undefined : Number(query.cursor)),
    condition(`${of}seq <= ?`, oldestBy === undefined ? undefined : await completeUpTo(reads, oldestBy)),
    ...(pageOf.found ?? []),
  ].filter((one) => one !== null);
  const filters = (pageOf.filters ?? []).filter((one) => one !== null);
  const read = <Found>(what: string, where: readonly Condition[], limit: string): Promise<Found[]> => {
    const text = where.length === 0 ? '' : `WHERE ${where.map(({ sql }) => sql).join(' AND ')}`;
    const values = [...(pageOf.fromValues ?? []), ...where.flatMap((one) => one.values)];
    return ask<Found>(reads, `SELECT ${what} ${text} ORDER BY ${of}seq ${order} ${limit}`, values);
  };
  const most = (pageOf.found ?? []).some((one) => one !== null) ? SCATTERED_STEP : STEP;
  const stepped = filters.length > 0 && pageOf.narrow !== true;
  const walked = pageOf.walked ?? from;
  const [step] = stepped ? await read<{ seq: number }>(`${of}seq AS seq FROM ${walked}`, found, `LIMIT 1 OFFSET ${most - 1}`) : [];
  const where = [...found, ...filters, condition(`${of}seq ${upTo} ?`, step?.seq)].filter((one) => one !== null);
  const rows = await read<Row & { seq?: number }>(`${columns} FROM ${from}`, where, `LIMIT ${query.limit + 1}`);
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1)?.seq : step?.seq;
  for (const row of shown) delete row.seq;
  return { rows: pageOf.keep === undefined ? shown : shown.filter(pageOf.keep), nextCursor: last === undefined ? null : String(last) };
}
