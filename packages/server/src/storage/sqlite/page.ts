import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Page, PageQuery } from '../contract.ts';

export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** A condition, or null where its value was not asked for. */
export function condition(sql: string, value: SQLInputValue | undefined): Condition | null {
  return value === undefined ? null : { sql, values: [value] };
}

export interface PageOf<Row> {
  readonly query: PageQuery;
  readonly columns: string;
  readonly from: string;
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
  readonly oldestFirst?: boolean;
}

/** Rows that one page looks through for a filter that few of them meet: one after the other, or scattered where an index chose them. */
const STEP = 4_000;
const SCATTERED_STEP = 1_000;

/**
 * One page by keyset on `seq`: its cost does not grow with how far one has paged, nor with how rare a filter is: such a page ends early,
 * and its cursor goes on from there. Columns must hold `seq`.
 */
export function page<Row>(db: DatabaseSync, pageOf: PageOf<Row>): Page<Row> {
  const { query, columns, from, alias, oldestFirst } = pageOf;
  const of = alias === undefined ? '' : `${alias}.`;
  const [past, upTo, order] = oldestFirst === true ? ['>', '<=', 'ASC'] : ['<', '>=', 'DESC'];
  const found = [
    condition(`${of}merchant = ?`, query.merchant ?? undefined),
    condition(`${of}seq ${past} ?`, query.cursor === null ? undefined : Number(query.cursor)),
    ...(pageOf.found ?? []),
  ].filter((one) => one !== null);
  const filters = (pageOf.filters ?? []).filter((one) => one !== null);
  const read = (what: string, where: readonly Condition[], limit: string): unknown[] =>
    db
      .prepare(
        `SELECT ${what} ${where.length === 0 ? '' : `WHERE ${where.map(({ sql }) => sql).join(' AND ')}`} ORDER BY ${of}seq ${order} ${limit}`,
      )
      .all(...where.flatMap(({ values }) => values));
  const most = (pageOf.found ?? []).some((one) => one !== null) ? SCATTERED_STEP : STEP;
  const stepped = filters.length > 0 && pageOf.narrow !== true;
  const step = stepped ? read(`${of}seq AS seq FROM ${pageOf.walked ?? from}`, found, `LIMIT 1 OFFSET ${most - 1}`) : [];
  const end = (step[0] as { seq: number } | undefined)?.seq;
  const where = [...found, ...filters, condition(`${of}seq ${upTo} ?`, end)].filter((one) => one !== null);
  const rows = read(`${columns} FROM ${from}`, where, `LIMIT ${query.limit + 1}`) as (Row & { seq?: number })[];
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1)?.seq : end;
  for (const row of shown) delete row.seq;
  return { rows: pageOf.keep === undefined ? shown : shown.filter(pageOf.keep), nextCursor: last === undefined ? null : String(last) };
}
