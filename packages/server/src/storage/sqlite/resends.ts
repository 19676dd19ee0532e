import type { DatabaseSync } from 'node:sqlite';
import type { ById, NewResend, Page, PageQuery, ResendEnd, ResendRow, ResendStep, Storage } from '../contract.ts';
import { adder } from './deliveries.ts';
import { FREE, ordering } from './order.ts';
import { page } from './page.ts';
import { atomically } from './transact.ts';
import { walker } from './walk.ts';

interface Columns {
  id: string;
  merchant: string;
  doc: string;
  state: ResendRow['state'];
  note: string | null;
  cursor: string | null;
  made: number;
  finishedAt: number | null;
}

const COLUMNS = 'seq, id, merchant, doc, state, note, step_at AS cursor, made, finished_at AS finishedAt';

/** Resends: their rows, and the steps that they take. */
export function resendOperations(db: DatabaseSync) {
  const insert = db.prepare(
    `INSERT INTO resends (id, merchant, doc, state, busy, owner, lease_until) VALUES (?, ?, ?, 'running', 1, ?, ?)`,
  );
  const take = db.prepare(`UPDATE resends SET owner = ?, lease_until = ? WHERE busy = 1 RETURNING ${COLUMNS}`);
  const one = db.prepare(`SELECT ${COLUMNS} FROM resends WHERE id = ?`);
  const move = db.prepare(
    `UPDATE resends SET step_at = ?, made = made + ?, lease_until = ?, state = CASE WHEN ? THEN 'done' ELSE state END,
       busy = CASE WHEN ? THEN 0 ELSE busy END, finished_at = CASE WHEN ? THEN ? END
     WHERE id = ? AND state = 'running' AND owner = ? AND step_at IS ?`,
  );
  const end = db.prepare(
    `UPDATE resends SET state = ?, note = ?, finished_at = ?, owner = ?, lease_until = ?, busy = 1
     WHERE id = ? AND (state = 'running' OR (state = 'done' AND ?))`,
  );
  const open = db.prepare(
    `SELECT status, count(*) AS n FROM deliveries INDEXED BY deliveries_of_resend WHERE resend = ? AND status <> 'succeeded' GROUP BY status`,
  );
  const waiting = db.prepare(
    `SELECT id, ordered FROM deliveries INDEXED BY deliveries_of_resend
     WHERE resend = ? AND status = 'pending' AND status <> 'succeeded' AND owner IS NULL LIMIT ?`,
  );
  const pending = db.prepare(
    `SELECT 1 FROM deliveries INDEXED BY deliveries_of_resend WHERE resend = ? AND status = 'pending' AND status <> 'succeeded' LIMIT 1`,
  );
  const withdraw = db.prepare(`UPDATE deliveries SET status = 'failed', cause = 'canceled', finished_at = ?, due_at = NULL WHERE id = ?`);
  const rest = db.prepare('UPDATE resends SET busy = ?, lease_until = ? WHERE id = ? AND owner = ?');
  const add = adder(db);
  const order = ordering(db);

  function shown({ doc, ...row }: Columns): ResendRow {
    const counts = { pending: 0, failed: 0 };
    for (const { status, n } of open.all(row.id) as unknown as { status: 'pending' | 'failed'; n: number }[]) counts[status] = n;
    return { ...(JSON.parse(doc) as Kept), ...row, ...counts };
  }

  function getResend({ merchant, id }: ById): ResendRow | null {
    const row = one.get(id) as unknown as (Columns & { seq?: number }) | undefined;
    if (row === undefined || (merchant !== null && row.merchant !== merchant)) return null;
    delete row.seq;
    return shown(row);
  }

  return {
    findResendable: walker(db),
    getResend,
    saveResend: ({ id, merchant, lease, ...kept }: NewResend): void =>
      void insert.run(id, merchant, JSON.stringify(kept satisfies Kept), lease.owner, lease.until),
    listResends: (query: PageQuery): Page<ResendRow> => {
      const { rows, nextCursor } = page<Columns>(db, { query, columns: COLUMNS, from: 'resends' });
      return { rows: rows.map(shown), nextCursor };
    },
    takeResends: ({ owner, until }: { owner: string; now: number; until: number }): ResendRow[] =>
      (take.all(owner, until) as unknown as (Columns & { seq?: number })[]).map(({ seq: _seq, ...row }) => shown(row)),
    stepResend: ({ id, lease, from, cursor, deliveries, now }: ResendStep): boolean =>
      atomically(db, () => {
        const last = cursor === null ? 1 : 0;
        const { changes } = move.run(cursor, deliveries.length, lease.until, last, last, last, now, id, lease.owner, from);
        if (changes === 0) return false;
        for (const delivery of deliveries) add(delivery, id);
        return true;
      }),
    endResend: ({ merchant, id, state, note, lease, now }: ResendEnd): ResendRow | null =>
      atomically(db, () => {
        const row = getResend({ merchant, id });
        if (row === null) return null;
        end.run(state, note, now, lease.owner, lease.until, id, row.pending > 0 ? 1 : 0);
        return getResend({ merchant, id });
      }),
    withdrawResend: ({ id, owner, now, until, limit }: Parameters<Storage['withdrawResend']>[0]): boolean =>
      atomically(db, () => {
        for (const { id: delivery, ordered } of waiting.all(id, limit) as unknown as { id: string; ordered: number }[]) {
          withdraw.run(now, delivery);
          if (ordered > FREE) order.letGo(delivery, now);
        }
        const none = pending.get(id) === undefined;
        rest.run(none ? 0 : 1, until, id, owner);
        return none;
      }),
  };
}

/** What of a resend does not change. */
type Kept = Omit<NewResend, 'id' | 'merchant' | 'lease'>;
