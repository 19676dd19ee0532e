import type { Pool, PoolClient } from 'pg';
import type { Expirable, Expired, ExpiryStep } from '../contract.ts';
import { rowsOf } from './arrays.ts';
import { attemptExpiry, eventExpiry } from './expirable.ts';
import type { Walk } from './expirable.ts';
import { atomically, commit, once } from './transact.ts';

/** What is still needed is looked at again after this long. */
const LOOK_AGAIN_MS = 6 * 3_600_000;

/** Several nodes may want a step at once: one has it, the others come again later. */
const LOCK = {
  name: 'expire_lock',
  text: `SELECT pg_try_advisory_xact_lock(hashtext('paybell expire'), hashtext(current_schema())) AS mine`,
};

const NOTHING: Expired = { expired: 0, keptBack: 0, bytes: 0, more: false };

const ASIDE = 'SELECT seq FROM requests WHERE verdict = $1 AND aside_at < $2 ORDER BY aside_at LIMIT $3 FOR UPDATE SKIP LOCKED';

const DROP = { name: 'expire_quarantine', text: `DELETE FROM requests WHERE seq IN (${ASIDE}) RETURNING size` };

const EMPTY = {
  name: 'expire_duplicates',
  text: `UPDATE requests SET body = NULL, headers = '[]', expired_at = $4 WHERE seq IN (${ASIDE}) RETURNING size`,
};

const WALKS: Partial<Record<Expirable, Walk>> = { events: eventExpiry, attempts: attemptExpiry };

/** Drops content whose time is over: each step is one short transaction over few rows. */
export function expiryOperations(hot: Pool) {
  return {
    async expire(step: ExpiryStep): Promise<Expired> {
      const walk = WALKS[step.what];
      if (walk !== undefined) return atomically(hot, (client) => walkOn(client, walk, step));
      const { what, before, now, rows } = step;
      const values = what === 'quarantine' ? ['rejected', before, rows] : ['duplicate', before, rows, now];
      const gone = await once<{ size: number }>(hot, { ...(what === 'quarantine' ? DROP : EMPTY), values });
      return { expired: gone.length, keptBack: 0, bytes: gone.reduce((sum, { size }) => sum + size, 0), more: gone.length === rows };
    },
  };
}

interface Candidate {
  /** Null: it comes by its order; else it was kept back until then. */
  readonly lookAt: number | null;
  readonly seq: number;
  /** Null: the row is gone. */
  readonly at: number | null;
}

interface Due extends Candidate {
  readonly at: number;
}

/** Goes on by row order, and looks again at what it had to leave behind. */
async function walkOn(client: PoolClient, walk: Walk, step: ExpiryStep): Promise<Expired> {
  const { what, before, now, rows } = step;
  const note = `expired ${what}`;
  const [, locked] = await Promise.all([client.query('BEGIN'), client.query<{ mine: boolean }>(LOCK)]);
  if (locked.rows[0]?.mine !== true) {
    await client.query('ROLLBACK');
    return NOTHING;
  }
  const { rows: found } = await client.query<Candidate>({ ...walk.look, values: [note, what, now, rows] });
  const again = found.filter(({ lookAt }) => lookAt !== null);
  const next = found.filter((row): row is Due => row.lookAt === null).slice(0, rows - again.length);
  // Rows stand in order of arrival and almost in that of time: a young one among older ones is left behind, the young end is not reached.
  const reached = [...again, ...next.slice(0, next.findLastIndex(({ at }) => at < before) + 1)];
  const due = reached.filter((row): row is Due => row.at !== null && row.at < before);
  const results = await walk.drop(client, { seqs: due.map(({ seq }) => seq), ...step });
  const judged = new Set(due.slice(0, results.length).map(({ seq }) => seq));
  const cut = results.length < due.length;
  // What stands behind the cut has not been looked at: the next step begins there.
  const end = cut ? reached.findIndex((row) => row === due[results.length]) : reached.length;
  const done = reached.slice(0, end);
  const needed = due.slice(0, results.length).filter((_row, index) => results[index] === null);
  const young = done.filter((row): row is Due => row.at !== null && !judged.has(row.seq));
  const keep = [
    ...needed.map(({ seq }) => ({ seq, look_at: now + LOOK_AGAIN_MS })),
    ...young.map(({ seq, at }) => ({ seq, look_at: now + at - before + 1 })),
  ];
  const upto = done.findLast(({ lookAt }) => lookAt === null)?.seq ?? null;
  await commit(client, () => [
    ...forget(client, what, done),
    ...(keep.length === 0 ? [] : [client.query({ ...KEEP, values: [what, ...KEPT.bind(keep)] })]),
    ...(upto === null ? [] : [client.query({ ...MOVE, values: [note, String(upto)] })]),
  ]);
  const dropped = results.filter((bytes): bytes is number => bytes !== null && bytes > 0);
  return {
    expired: dropped.length,
    keptBack: keep.length,
    bytes: dropped.reduce((sum, bytes) => sum + bytes, 0),
    more: cut || (reached.length === rows && due.length > 0),
  };
}

const KEPT = rowsOf({ look_at: 'int8', seq: 'int8' });

const KEEP = {
  name: 'expire_keep',
  text: `INSERT INTO kept_back (what, look_at, seq) SELECT $1, look_at, seq FROM ${KEPT.unnest(2)} ON CONFLICT DO NOTHING`,
};

const FORGET = {
  name: 'expire_forget',
  text: `DELETE FROM kept_back k USING ${KEPT.unnest(2)} WHERE k.what = $1 AND k.look_at = r.look_at AND k.seq = r.seq`,
};

const MOVE = {
  name: 'expire_move',
  text: 'INSERT INTO notes (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text',
};

function forget(client: PoolClient, what: Expirable, done: readonly Candidate[]): Promise<unknown>[] {
  const again = done.flatMap(({ lookAt, seq }) => (lookAt === null ? [] : [{ look_at: lookAt, seq }]));
  return again.length === 0 ? [] : [client.query({ ...FORGET, values: [what, ...KEPT.bind(again)] })];
}
