import type { Client } from './client.ts';
import type { Flags, FlagTable } from './command.ts';
import type { Row } from './table.ts';

export const LIST_FLAGS = {
  limit: { value: 'N', help: 'How many rows at most; 20 unless said, newest first.' },
  json: { help: 'One JSON object per line.' },
} as const satisfies FlagTable;

const PAGE = 100;

/** Up to `--limit` rows of a list, page by page; the flags named become filters. */
export async function listRows(
  client: Client,
  path: string,
  query: { readonly flags: Flags; readonly filters: readonly string[] },
): Promise<Row[]> {
  const limit = query.flags.count('limit', { from: 1, to: 100_000, fallback: 20 });
  const search = new URLSearchParams();
  for (const name of query.filters) {
    const value = query.flags.one(name);
    if (value !== undefined) search.set(name, value);
  }
  const rows: Row[] = [];
  while (rows.length < limit) {
    search.set('limit', String(Math.min(PAGE, limit - rows.length)));
    const page = await client.call<{ data: Row[]; nextCursor: string | null }>('GET', `${path}?${search.toString()}`);
    rows.push(...page.data);
    if (page.nextCursor === null) break;
    search.set('cursor', page.nextCursor);
  }
  return rows;
}
