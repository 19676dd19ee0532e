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
export function page<Row>(db: DatabaseSync, { query, columns, from, conditions, alias, oldestFirst }: PageOf): Page<Row> {
  const of = alias === undefined ? '' : `${alias}.`;
  const after = query.cursor === null ? null : Number(query.cursor);
  const all = [
    condition(`${of}merchant = ?`, query.merchant ?? undefined),
    condition(`${of}seq ${oldestFirst === true ? '>' : '<'} ?`, after ?? undefined),
    ...conditions,
  ].filter((one): one is Condition => one !== null);
  const where = all.length === 0 ? '' : `WHERE ${all.map(({ sql }) => sql).join(' AND ')}`;
  const order = oldestFirst === true ? 'ASC' : 'DESC';
  const rows = db
    .prepare(`SELECT ${columns} FROM ${from} ${where} ORDER BY ${of}seq ${order} LIMIT ?`)
    .all(...all.flatMap(({ values }) => values), query.limit + 1) as unknown as (Row & { seq?: number })[];
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1)?.seq;
  for (const row of shown) delete row.seq;
  return { rows: shown, nextCursor: rows.length > query.limit && last !== undefined ? String(last) : null };
}
