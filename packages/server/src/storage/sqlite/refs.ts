import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Transaction } from '@paybell/sdk';
import { references } from '../../ledger/references.ts';
import type { Condition } from './page.ts';
import { runsOf } from './keys.ts';

/** Transactions in one run of the search index; those after the last run are looked through one by one. */
const RUN = 4096;

/** The code point after which no text goes on: closes the range of a prefix search. */
const AFTER_ALL = '\u{10FFFF}';

interface Line {
  readonly merchant: string;
  readonly values: readonly string[];
  readonly seq: number;
}

/** Keeps the search index: in sorted runs for new transactions, at once for what an indexed one gains. */
export function refWriter(db: DatabaseSync) {
  const runs = runsOf(db);
  const insert = db.prepare('INSERT INTO refs (merchant, value, transaction_seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const tail = db.prepare('SELECT seq, doc FROM transactions WHERE seq > ?').all(runs.upto('refs')) as { seq: number; doc: string }[];
  const recent = new Map<number, Line>(tail.map(({ seq, doc }) => [seq, lineOf(JSON.parse(doc) as Transaction, seq)]));
  let upto = runs.upto('refs');
  let fresh = new Map<number, Line>();
  let flushed = false;
  return {
    changed(before: Transaction | null, now: Transaction, seq: number): void {
      if (seq > upto) {
        fresh.set(seq, lineOf(now, seq));
        return;
      }
      const had = before === null ? [] : references(before);
      for (const value of references(now)) if (!had.includes(value)) insert.run(now.merchant, value, seq);
    },
    flush(): void {
      if (recent.size + fresh.size < RUN) return;
      const lines = [...recent, ...fresh].flatMap(([, { merchant, values, seq }]) => values.map((value) => ({ merchant, value, seq })));
      lines.sort((a, b) => (a.merchant === b.merchant ? (a.value < b.value ? -1 : 1) : a.merchant < b.merchant ? -1 : 1));
      for (const { merchant, value, seq } of lines) insert.run(merchant, value, seq);
      runs.written('refs', Math.max(...recent.keys(), ...fresh.keys()));
      flushed = true;
    },
    settle(committed: boolean): void {
      if (committed && flushed) {
        recent.clear();
        upto = runs.upto('refs');
      } else if (committed) {
        for (const [seq, line] of fresh) recent.set(seq, line);
      }
      fresh = new Map();
      flushed = false;
    },
  };
}

function lineOf(row: Transaction, seq: number): Line {
  return { merchant: row.merchant, values: references(row), seq };
}

/** More transactions than this are not gathered: the newest are looked through instead, and most of them match. */
const MOST_FOUND = 10_000;

export interface Search {
  readonly found?: Condition;
  /** What is looked for in rows instead, and whether it really is a reference. */
  readonly filter?: Condition;
  readonly keep?: (row: { readonly doc: string }) => boolean;
}

/** How to find transactions that have a reference that is, or begins with, `q`. */
export function byReference(db: DatabaseSync, merchant: string | null, q: string | undefined): Search | null {
  if (q === undefined || q === '') return null;
  const tenant = merchant === null ? '' : 'merchant = ? AND ';
  const mine: readonly SQLInputValue[] = merchant === null ? [] : [merchant];
  const inDoc = { sql: 'instr(doc, ?) > 0', values: [JSON.stringify(q).slice(1, -1)] };
  const keep = ({ doc }: { readonly doc: string }): boolean =>
    references(JSON.parse(doc) as Transaction).some((value) => value.startsWith(q));
  const range = { sql: `SELECT transaction_seq FROM refs WHERE ${tenant}value >= ? AND value < ?`, values: [...mine, q, q + AFTER_ALL] };
  const many = db.prepare(`${range.sql} LIMIT 1 OFFSET ${MOST_FOUND}`).get(...range.values);
  if (many !== undefined) return { filter: inDoc, keep };
  const upto = runsOf(db).upto('refs');
  const unindexed = (
    db.prepare(`SELECT seq, doc FROM transactions WHERE ${tenant}seq > ? AND ${inDoc.sql}`).all(...mine, upto, ...inDoc.values) as {
      seq: number;
      doc: string;
    }[]
  )
    .filter(keep)
    .map(({ seq }) => seq);
  const found = {
    sql: `seq IN (${range.sql} UNION ALL SELECT value FROM json_each(?))`,
    values: [...range.values, JSON.stringify(unindexed)],
  };
  return { found };
}
