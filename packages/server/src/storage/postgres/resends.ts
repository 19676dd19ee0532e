import type { Pool, PoolClient } from 'pg';
import type { ById, NewResend, Page, PageQuery, ResendEnd, ResendRow, ResendStep, Storage } from '../contract.ts';
import { FREE, letGo } from './order.ts';
import { ask, ofMerchant, page } from './page.ts';
import { prepareAdded, writeAdded } from './resend.ts';
import type { RowTypes } from './arrays.ts';
import type { Skew } from './skew.ts';
import { atomically, commit, once } from './transact.ts';
import { walker } from './walk.ts';

interface Row extends Omit<ResendRow, keyof Kept> {
  readonly doc: string;
}

/** What of a resend does not change. */
type Kept = Omit<NewResend, 'id' | 'merchant' | 'lease'>;

const COLUMNS = `r.seq, r.id, r.merchant, r.doc, r.state, r.note, r.step_at AS cursor, r.made, r.finished_at AS "finishedAt",
  (SELECT count(*) FROM open_deliveries o WHERE o.resend = r.id AND o.status = 'pending') AS pending,
  (SELECT count(*) FROM open_deliveries o WHERE o.resend = r.id AND o.status = 'failed') AS failed`;

const INSERT = {
  name: 'resend_insert',
  text: `INSERT INTO resends (id, merchant, doc, state, busy, owner, lease_until) VALUES ($1, $2, $3, 'running', true, $4, $5) ON CONFLICT DO NOTHING`,
};

const TAKE = {
  name: 'resend_take',
  text: `UPDATE resends SET owner = $1, lease_until = $3 WHERE busy AND (owner = $1 OR lease_until < $2) RETURNING id`,
};

const MOVE = {
  name: 'resend_move',
  text: `UPDATE resends SET step_at = $3, made = made + $5, lease_until = $6, state = CASE WHEN $3::text IS NULL THEN 'done' ELSE state END,
      busy = $3::text IS NOT NULL, finished_at = CASE WHEN $3::text IS NULL THEN $7::bigint END
    WHERE id = $1 AND owner = $2 AND state = 'running' AND step_at IS NOT DISTINCT FROM $4 RETURNING id`,
};

// After a try whose answer was lost: only this step leaves the cursor there.
const MOVED = {
  name: 'resend_moved',
  text: `SELECT id FROM resends WHERE id = $1 AND owner = $2 AND step_at IS NOT DISTINCT FROM $3 AND (state = 'done') = ($3::text IS NULL)`,
};

const END = {
  name: 'resend_end',
  text: `UPDATE resends SET state = $3, note = $4, finished_at = $5, owner = $6, lease_until = $7, busy = true
    WHERE id = $1 AND ($2::text IS NULL OR merchant = $2)
      AND (state = 'running' OR (state = 'done' AND EXISTS (SELECT 1 FROM open_deliveries o WHERE o.resend = $1 AND o.status = 'pending')))`,
};

const WITHDRAW = {
  name: 'resend_withdraw',
  text: `UPDATE open_deliveries SET status = 'failed', cause = 'canceled', finished_at = $2, due_at = NULL WHERE id IN
    (SELECT id FROM open_deliveries WHERE resend = $1 AND status = 'pending' AND owner IS NULL LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id, ordered`,
};

const REST = {
  name: 'resend_rest',
  text: `UPDATE resends SET lease_until = $3, busy = EXISTS (SELECT 1 FROM open_deliveries o WHERE o.resend = $1 AND o.status = 'pending')
    WHERE id = $1 AND owner = $2 RETURNING busy`,
};

/** Resends: their rows, and the steps that they take. */
export function bulkOperations(hot: Pool, reads: Pool, { skew, types }: { readonly skew: Skew; readonly types: RowTypes }) {
  const read = async (where: string, values: readonly string[]): Promise<ResendRow[]> =>
    (await ask<Row & { seq?: number }>(hot, `SELECT ${COLUMNS} FROM resends r WHERE ${where} ORDER BY r.seq`, values)).map(shown);

  async function getResend({ merchant, id }: ById): Promise<ResendRow | null> {
    const tenant = ofMerchant(merchant, 'r.merchant');
    const [row] = await read(`r.id = ? AND ${tenant.sql}`, [id, ...(tenant.values as string[])]);
    return row ?? null;
  }

  return {
    findResendable: walker(reads),
    getResend,
    async saveResend({ id, merchant, lease, ...kept }: NewResend): Promise<void> {
      await once(hot, {
        ...INSERT,
        values: [id, merchant, JSON.stringify(kept satisfies Kept), lease.owner, skew.toDatabase(lease.until)],
      });
    },
    async listResends(query: PageQuery): Promise<Page<ResendRow>> {
      const found = await page<Row>(reads, { query, columns: COLUMNS, from: 'resends r', alias: 'r' });
      return { rows: found.rows.map(shown), nextCursor: found.nextCursor };
    },
    async takeResends({ owner, now, until }: Parameters<Storage['takeResends']>[0]): Promise<readonly ResendRow[]> {
      const taken = await once<{ id: string }>(hot, { ...TAKE, values: [owner, skew.toDatabase(now), skew.toDatabase(until)] });
      return taken.length === 0 ? [] : read('r.id = ANY (?)', [taken.map(({ id }) => id) as unknown as string]);
    },
    stepResend: (step: ResendStep): Promise<boolean> =>
      atomically(hot, async (client, { maybeDone }) => {
        const { id, lease, from, cursor, deliveries, now } = step;
        await client.query('BEGIN');
        const moved = await client.query({
          ...MOVE,
          values: [id, lease.owner, cursor, from, deliveries.length, skew.toDatabase(lease.until), now],
        });
        if (moved.rows.length === 0) {
          const before = maybeDone ? (await client.query({ ...MOVED, values: [id, lease.owner, cursor] })).rows.length > 0 : false;
          await client.query('ROLLBACK');
          return before;
        }
        const prepared = await prepareAdded(client, { added: deliveries, resend: id, skew });
        await commit(client, () => writeAdded(client, prepared, types));
        return true;
      }),
    async endResend({ merchant, id, state, note, lease, now }: ResendEnd): Promise<ResendRow | null> {
      await once(hot, { ...END, values: [id, merchant, state, note, now, lease.owner, skew.toDatabase(lease.until)] });
      return getResend({ merchant, id });
    },
    withdrawResend: ({ id, owner, now, until, limit }: Parameters<Storage['withdrawResend']>[0]): Promise<boolean> =>
      atomically(hot, async (client: PoolClient) => {
        await client.query('BEGIN');
        const { rows } = await client.query<{ id: string; ordered: number }>({ ...WITHDRAW, values: [id, now, limit] });
        const ordered = rows.filter((row) => row.ordered > FREE).map((row) => ({ id: row.id, at: skew.toDatabase(now) }));
        let busy = false;
        await commit(client, () => [
          ...(ordered.length === 0 ? [] : letGo(client, ordered)),
          client
            .query<{ busy: boolean }>({ ...REST, values: [id, owner, skew.toDatabase(until)] })
            .then((rest) => (busy = rest.rows[0]?.busy === true)),
        ]);
        return !busy;
      }),
  };
}

function shown({ doc, seq: _seq, ...row }: Row & { readonly seq?: number }): ResendRow {
  return { ...(JSON.parse(doc) as Kept), ...row };
}
