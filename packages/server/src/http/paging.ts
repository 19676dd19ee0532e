import type { Page, PageQuery } from '../storage/contract.ts';
import { merchantOf } from './auth.ts';
import type { Caller } from './auth.ts';
import { Problem } from './problems.ts';

const DEFAULT_LIMIT = 50;

export interface PageInput {
  readonly limit?: number;
  readonly cursor?: string;
  readonly merchant?: string;
}

/** The part of a query that every list has; the rest are its filters. */
export function pageQuery<Query extends PageInput>(caller: Caller, query: Query): Omit<Query, keyof PageInput> & PageQuery {
  const { limit, cursor, merchant, ...filters } = query;
  return {
    ...filters,
    merchant: merchantOf(caller, merchant),
    limit: limit ?? DEFAULT_LIMIT,
    cursor: cursor === undefined ? null : open(cursor),
  };
}

// A store's cursor is its own affair; wrapped, a made-up one is noticed before a store sees it.
const MARK = 'next:';
const wrap = (text: string): string => Buffer.from(MARK + text).toString('base64url');

function open(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith(MARK) || wrap(text.slice(MARK.length)) !== cursor)
    throw new Problem('invalid_cursor', 'Send the nextCursor of the page before, unchanged.');
  return text.slice(MARK.length);
}

/** One page from a store, as the API shows it. */
export function shown<From, To>({ rows, nextCursor }: Page<From>, present: (row: From) => To): PageOf<To> {
  return { data: rows.map(present), nextCursor: nextCursor === null ? null : wrap(nextCursor) };
}

interface Dated {
  readonly id: string;
  readonly createdAt: number;
}

export interface PageOf<Row> {
  readonly data: Row[];
  readonly nextCursor: string | null;
}

/** One page of rows that are all in memory, newest first. */
export function pageOf<Row extends Dated>(
  all: readonly Row[],
  query: { readonly limit: number; readonly cursor: string | null },
): PageOf<Row> {
  const rows = all.toSorted(newestFirst);
  const after = query.cursor === null ? null : readCursor(query.cursor);
  const rest = after === null ? rows : rows.filter((row) => newestFirst(after, row) < 0);
  const data = rest.slice(0, query.limit);
  const last = data.at(-1);
  return { data, nextCursor: last === undefined || data.length === rest.length ? null : writeCursor(last) };
}

const newestFirst = (a: Dated, b: Dated): number => b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
const writeCursor = ({ createdAt, id }: Dated): string => wrap(`${createdAt}:${id}`);

function readCursor(text: string): Dated {
  const [, createdAt, id = ''] = /^(\d{1,16}):(.{1,100})$/.exec(text) ?? [];
  return { createdAt: Number(createdAt ?? 0), id };
}
