import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Transaction } from '@paybell/sdk';
import { references } from '../../ledger/references.ts';
import type { Condition } from './page.ts';
import { Run, runsOf } from './runs.ts';

/** Transactions in one run of the search index; those after the last run are looked through one by one. */
const RUN = 8192;

/** The code point after which no text goes on: closes the range of a prefix search. */
const AFTER_ALL = '\u{10FFFF}';

interface Line {
  readonly merchant: string;
  readonly values: readonly string[];
  readonly seq: number;
}

interface Ref {
  readonly merchant: string;
  readonly value: string;
  readonly seq: number;
}

/** Keeps the search index: in sorted runs for new transactions, at once for what an indexed one gains. */
export function refWriter(db: DatabaseSync) {
  const runs = runsOf(db);
  const insert = db.prepare('INSERT INTO refs (merchant, value, transaction_seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const write = ({ merchant, value, seq }: Ref): void => void insert.run(merchant, value, seq);
  // Up to here rows are in the table, or in the run that is on its way there.
  let upto = runs.upto('refs');
  const tail = db.prepare('SELECT seq, doc FROM transactions WHERE seq > ?').all(upto) as { seq: number; doc: string }[];
  let recent = new Map<number, Line>(tail.map(({ seq, doc }) => [seq, lineOf(JSON.parse(doc) as Transaction, seq)]));
  let fresh = new Map<number, Line>();
  const run = new Run<Ref>({ write, finish: (last) => runs.written('refs', last) });
  return {
    changed(before: Transaction | null, now: Transaction, seq: number): void {
      if (seq > upto) {
        fresh.set(seq, lineOf(now, seq));
        return;
      }
      const had = before === null ? [] : references(before);
      for (const value of references(now)) if (!had.includes(value)) insert.run(now.merchant, value, seq);
    },
    /** Call it inside the commit. */
    flush: (): void => run.step(2 * fresh.size),
    settle(committed: boolean): void {
      if (committed) for (const [seq, line] of fresh) recent.set(seq, line);
      fresh = new Map();
      run.settle(committed);
      if (!run.isEmpty || recent.size < RUN) return;
      for (const seq of recent.keys()) if (seq > upto) upto = seq;
      run.begin(inOrder(recent.values()), upto);
      recent = new Map();
    },
  };
}

function inOrder(lines: Iterable<Line>): Ref[] {
  const refs = [...lines].flatMap(({ merchant, values, seq }) => values.map((value) => ({ merchant, value, seq })));
  return refs.sort((a, b) => (a.merchant === b.merchant ? (a.value < b.value ? -1 : 1) : a.merchant < b.merchant ? -1 : 1));
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
