import type { Pool, PoolClient } from 'pg';
import type { Expired, ExpiryStep } from '../contract.ts';
import { GIVE_UP } from './contents.ts';
import type { Contents } from './contents.ts';
import { BODY_AT } from './deliveries.ts';
import { isLost, isReadOnly, isTransient, storageError } from './errors.ts';
import { dropPartition, makePartition, missing, otherOf, partitionsOf, widthFor } from './partitions.ts';
import type { Partition } from './partitions.ts';
import { WITH_CONTENT } from './requests.ts';
import { once, rolledBack } from './transact.ts';

/** Commits may have to wait for so long, once in a minute, while somebody reads what is to be dropped. */
const WAIT_MS = 200;

/** Several nodes may want a step at once: one has it, the others come again later. */
const LOCK = {
  name: 'expire_lock',
  text: `SELECT pg_try_advisory_xact_lock(hashtext('paybell expire'), hashtext(current_schema())) AS mine`,
};

const NOTHING: Expired = { expired: 0, keptBack: 0, bytes: 0, more: false };
const GOES_ON: Expired = { ...NOTHING, more: true };

const QUARANTINE = {
  name: 'expire_quarantine',
  text: `WITH old AS MATERIALIZED (SELECT seq FROM requests WHERE verdict = 'rejected' AND received_at >= 0 AND received_at < $1
      ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM requests q USING old o WHERE q.seq = ANY (ARRAY[o.seq]) RETURNING q.id, q.received_at, q.size),
    emptied AS (${WITH_CONTENT})
    SELECT size FROM gone`,
};

/** Lets content expire, of requests and events or of attempts: each step is one short transaction. */
export function expiryOperations(hot: Pool) {
  return {
    async expire(step: ExpiryStep): Promise<Expired> {
      switch (step.what) {
        case 'events':
          return inTurn(hot, (client) => next(client, 'contents', step));
        case 'attempts':
          return inTurn(hot, (client) => next(client, 'attempt_contents', step));
        case 'duplicates':
          // Their bytes stand among the others of their time.
          return NOTHING;
        case 'quarantine': {
          const gone = await once<{ size: number }>(hot, { ...QUARANTINE, values: [step.before, step.rows] });
          return {
            ...NOTHING,
            expired: gone.length,
            bytes: gone.reduce((sum, { size }) => sum + size, 0),
            more: gone.length === step.rows,
          };
        }
      }
    },
  };
}

/** Where another node is at it, or somebody reads for long, it is for later. */
async function inTurn(hot: Pool, work: (client: PoolClient) => Promise<Expired>): Promise<Expired> {
  const client = await hot.connect().catch((error: unknown) => {
    throw storageError(error, { down: true });
  });
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${WAIT_MS}`);
    const { rows } = await client.query<{ mine: boolean }>(LOCK);
    const done = rows[0]?.mine === true ? await work(client) : NOTHING;
    await client.query('COMMIT');
    client.release();
    return done;
  } catch (error) {
    client.release(isLost(error) || isReadOnly(error) || !(await rolledBack(client)));
    if (isTransient(error)) return NOTHING;
    throw storageError(error);
  }
}

/** Everything before `upto` is given up; `todo` says what that leaves to do. */
interface Mark {
  readonly upto: number;
  readonly todo: string | null;
}

interface Expiring extends ExpiryStep {
  readonly table: Contents;
  readonly there: readonly Partition[];
  readonly width: number;
}

/** Makes the room for what comes; then gives up what is old, keeps what of it is needed still, drops partitions, and looks through the rest. */
async function next(client: PoolClient, table: Contents, step: ExpiryStep): Promise<Expired> {
  const { before, now } = step;
  const width = widthFor(now - before);
  const there = await partitionsOf(client, table);
  const room = await missing(client, table, { there, now, width });
  if (room !== null) {
    await makePartition(client, table, room);
    return GOES_ON;
  }
  const marks = await client.query<Mark>({
    name: 'expire_mark',
    text: 'SELECT upto, todo FROM expired WHERE what = $1 ORDER BY upto DESC LIMIT 1',
    values: [table],
  });
  const [mark] = marks.rows;
  const expiring = { ...step, table, there, width };
  if (mark?.todo != null) return goOn(client, expiring, { upto: mark.upto, todo: mark.todo });
  const upto = Math.floor(before / width) * width;
  if (upto <= (mark?.upto ?? 0)) return NOTHING;
  // Only who sends something again waits for this.
  if (table === 'contents') await client.query(GIVE_UP);
  await client.query({
    name: 'expire_give_up',
    text: 'INSERT INTO expired (what, upto, at, todo) VALUES ($1, $2, $3, $4)',
    values: [table, upto, now, table === 'contents' ? 'keep 0' : 'drop'],
  });
  return GOES_ON;
}

async function goOn(client: PoolClient, expiring: Expiring, mark: { readonly upto: number; readonly todo: string }): Promise<Expired> {
  const { upto, todo } = mark;
  const { table, there, width } = expiring;
  const [what, name = '', page = ''] = todo.split(' ');
  const then = (todoNext: string | null): Promise<unknown> =>
    client.query({
      name: 'expire_then',
      text: 'UPDATE expired SET todo = $3 WHERE what = $1 AND upto = $2',
      values: [table, upto, todoNext],
    });
  if (what === 'keep') {
    const { last, looked, kept } = await keep(client, { upto, after: Number(name), rows: expiring.rows });
    await then(looked < expiring.rows ? 'drop' : `keep ${last}`);
    return { ...GOES_ON, keptBack: kept };
  }
  // What stands among younger contents goes row by row: clocks were wrong, or contents were kept for longer when its partition was made.
  const mixed = [...there.filter(({ lower, upper }) => lower < upto && upper > upto + width).map((one) => one.name), otherOf(table)];
  if (what === 'drop') {
    const old = there.find(({ upper }) => upper <= upto);
    if (old === undefined) {
      await then(`sweep ${mixed[0]} 0`);
      return GOES_ON;
    }
    const { rows, bytes } = await dropPartition(client, old);
    return { ...GOES_ON, expired: rows, bytes };
  }
  const { end, ...swept } = await sweep(client, { name, upto, page: Number(page), pages: Math.min(expiring.rows, PAGES) });
  const following = mixed[mixed.indexOf(name) + 1];
  await then(end === null ? (following === undefined ? null : `sweep ${following} 0`) : `sweep ${name} ${end}`);
  return { ...swept, keptBack: 0, more: end !== null || following !== undefined };
}

/** What pending deliveries need of the contents before `upto` is written once more, at that time. Looks at `rows` of them. */
const KEEP = {
  name: 'expire_keep',
  text: `WITH part AS MATERIALIZED (SELECT seq, id FROM open_deliveries WHERE status = 'pending' AND seq > $1 ORDER BY seq LIMIT $2),
    needed AS MATERIALIZED (SELECT d.id, ${BODY_AT} AS at, coalesce(d.body_of, d.id) AS content FROM part p
      JOIN deliveries d ON d.id = ANY (ARRAY[p.id]) WHERE ${BODY_AT} < $3),
    copied AS (INSERT INTO contents (at, id, headers, data, body) SELECT DISTINCT ON (n.content) $3, n.content, c.headers, c.data, c.body
      FROM needed n JOIN contents c ON c.at = n.at AND c.id = ANY (ARRAY[n.content])
      WHERE NOT EXISTS (SELECT 1 FROM contents k WHERE k.at = $3 AND k.id = n.content)),
    moved AS (UPDATE deliveries d SET body_at = $3 FROM needed n WHERE d.id = ANY (ARRAY[n.id]))
    SELECT (SELECT max(seq) FROM part) AS last, (SELECT count(*) FROM part) AS looked, (SELECT count(*) FROM needed) AS kept`,
};

interface Kept {
  readonly last: number | null;
  readonly looked: number;
  readonly kept: number;
}

async function keep(client: PoolClient, { upto, after, rows }: { upto: number; after: number; rows: number }): Promise<Kept> {
  const answer = await client.query<Kept>({ ...KEEP, values: [after, rows, upto] });
  return answer.rows[0] ?? { last: null, looked: 0, kept: 0 };
}

const PAGES = 128;

interface Sweeping {
  readonly name: string;
  readonly upto: number;
  /** The first of these. */
  readonly page: number;
  readonly pages: number;
}

/** Deletes what is older than `upto` in some pages of a table; `end` is where the next ones begin, null at the end of it. */
async function sweep(
  client: PoolClient,
  { name, upto, page, pages }: Sweeping,
): Promise<{ expired: number; bytes: number; end: number | null }> {
  const { rows: size } = await client.query<{ pages: number | null }>(
    `SELECT pg_relation_size(to_regclass('${name}')) / current_setting('block_size')::int8 AS pages`,
  );
  const all = size[0]?.pages ?? 0;
  if (page >= all) return { expired: 0, bytes: 0, end: null };
  const end = page + pages;
  const { rows } = await client.query<{ expired: number; bytes: number }>(
    `WITH gone AS (DELETE FROM ${name} WHERE ctid >= '(${page},0)' AND ctid < '(${end},0)' AND at < ${upto} RETURNING ${name}.*)
     SELECT count(*) AS expired, coalesce(sum(pg_column_size(gone)), 0) AS bytes FROM gone`,
  );
  return { expired: rows[0]?.expired ?? 0, bytes: rows[0]?.bytes ?? 0, end: end >= all ? null : end };
}
