import type { Pool } from 'pg';
import type { Transaction } from '@paybell/sdk';
import { references } from '../../ledger/references.ts';
import type { Folded } from '../../ledger/refold.ts';
import { ask } from './page.ts';
import type { Condition } from './page.ts';

/** An index entry holds less than a third of a page; nobody types more than this to search. */
const SEARCHED_CHARS = 400;

/** The code point after which no text goes on: closes the range of a prefix search. */
const AFTER_ALL = '\u{10FFFF}';

/** The texts of a row as the index holds them. */
export function indexed(row: Transaction): string[] {
  return [...new Set(references(row).map(searched))];
}

function searched(text: string): string {
  return text.length > SEARCHED_CHARS ? text.slice(0, SEARCHED_CHARS) : text;
}

/** What a fold added to the texts of a row. */
export function newReferences({ before, now }: Folded): string[] {
  const all = indexed(now);
  if (before === null) return all;
  const had = indexed(before);
  return all.filter((value) => !had.includes(value));
}

// The operator's search goes through each merchant's stretch of the index in turn: one probe finds the next merchant.
const MERCHANTS = `ARRAY(WITH RECURSIVE m (id) AS ((SELECT merchant FROM refs ORDER BY merchant LIMIT 1)
  UNION ALL SELECT (SELECT merchant FROM refs WHERE merchant > m.id ORDER BY merchant LIMIT 1) FROM m WHERE m.id IS NOT NULL) SELECT id FROM m WHERE id IS NOT NULL)`;

/** More transactions than this are not gathered: the newest are looked through instead, and most of them match. */
const MOST_FOUND = 10_000;

export interface Search {
  /** The rows, by way of the index, instead of the table. */
  readonly from?: Condition;
  /** What is looked for in rows instead, and whether it really is a reference. */
  readonly filter?: Condition;
  readonly keep?: (row: { readonly doc: string }) => boolean;
}

const ROW = `(SELECT merchant, status, kind, provider, rail, currency, updated_at, doc FROM transactions t WHERE t.seq = found.seq OFFSET 0) one`;

/** How to find transactions that have a reference that is, or begins with, `q`. */
export async function byReference(reads: Pool, merchant: string | null, q: string | undefined): Promise<Search | null> {
  if (q === undefined || q === '') return null;
  const from = searched(q.replaceAll('\0', '\u2400'));
  const tenant = merchant === null ? `merchant = ANY (${MERCHANTS})` : 'merchant = ?';
  const values = [...(merchant === null ? [] : [merchant]), from, from + AFTER_ALL];
  const range = `SELECT transaction_seq FROM refs WHERE ${tenant} AND value >= ? AND value < ?`;
  const many = await ask(reads, `${range} LIMIT 1 OFFSET ${MOST_FOUND}`, values);
  // Spelt out, because left to itself the planner may walk the whole ledger to meet the few that were found.
  if (many.length === 0)
    return { from: { sql: `(SELECT DISTINCT transaction_seq AS seq FROM (${range}) r) found CROSS JOIN LATERAL ${ROW}`, values } };
  return {
    filter: { sql: 'strpos(doc, ?) > 0', values: [JSON.stringify(from).slice(1, -1)] },
    keep: ({ doc }) => indexed(JSON.parse(doc) as Transaction).some((value) => value.startsWith(from)),
  };
}
