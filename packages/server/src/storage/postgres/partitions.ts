import type { ClientBase } from 'pg';
import type { Contents } from './contents.ts';

const DAY_MS = 86_400_000;

/** What expires goes when all of its partition is old enough: so much later than its age, at most. */
const PARTS = 8;
const LEAST_WIDTH_MS = 3_600_000;
const MOST_WIDTH_MS = 366 * DAY_MS;

/** A partition, and the times it holds: from `lower` to before `upper`. */
export interface Partition {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
}

/** How long a time one partition holds, where content is kept for `age`. */
export function widthFor(age: number): number {
  return Math.min(MOST_WIDTH_MS, Math.max(LEAST_WIDTH_MS, Math.floor(age / PARTS)));
}

/** Takes what fits no partition. */
export const otherOf = (table: Contents): string => `${table}_other`;

/** In order of time. */
export async function partitionsOf(client: ClientBase, table: Contents): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string }>({
    name: 'partitions',
    text: `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass`,
    values: [table],
  });
  return rows
    .flatMap(({ name }) => {
      const [lower = '', upper = ''] = name.slice(table.length + 1).split('_');
      return upper === '' ? [] : [{ name, lower: Number(lower), upper: Number(upper) }];
    })
    .sort((a, b) => a.lower - b.lower);
}

/** Where more than this came before its partition was made, it stays where it is: moving it would hold up what comes. */
const MOST_MOVED_BYTES = 32 * 1024 * 1024;
const SOON_MS = 60_000;

interface Room {
  readonly there: readonly Partition[];
  readonly now: number;
  readonly width: number;
}

/** The partition that is missing for what comes within the next day; null where there is one. */
export async function missing(client: ClientBase, table: Contents, { there, now, width }: Room): Promise<Partition | null> {
  const { rows } = await client.query<{ bytes: number }>(`SELECT pg_total_relation_size('${otherOf(table)}') AS bytes`);
  const tooMuch = (rows[0]?.bytes ?? 0) > MOST_MOVED_BYTES;
  const first = tooMuch ? now + SOON_MS : now;
  let at = first;
  for (const { lower, upper } of there) if (lower <= at && at < upper) at = upper;
  if (at > first + Math.min(width, DAY_MS)) return null;
  const from = Math.floor(at / width) * width;
  return partition(table, {
    lower: Math.max(tooMuch ? first : from, from, ...there.filter(({ upper }) => upper <= at).map(({ upper }) => upper)),
    upper: Math.min(from + width, ...there.filter(({ lower }) => lower > at).map(({ lower }) => lower)),
  });
}

/** Such as cover a history that is there already. */
export function partitionsFrom(table: Contents, { from, to }: { readonly from: number; readonly to: number }): Partition[] {
  const width = Math.max(15 * DAY_MS, widthFor(to - from));
  const first = Math.floor(from / width);
  return Array.from({ length: Math.floor(to / width) - first + 1 }, (_, n) =>
    partition(table, { lower: (first + n) * width, upper: (first + n + 1) * width }),
  );
}

function partition(table: Contents, { lower, upper }: { readonly lower: number; readonly upper: number }): Partition {
  return { name: `${table}_${lower}_${upper}`, lower, upper };
}

/** Makes a partition, within a transaction. What came before it is moved there; meanwhile only those wait who read such contents. */
export async function makePartition(client: ClientBase, table: Contents, { name, lower, upper }: Partition): Promise<void> {
  const other = otherOf(table);
  await client.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING STORAGE INCLUDING INDEXES) WITH (toast_tuple_target = 8160);
    LOCK TABLE ONLY ${table} IN SHARE UPDATE EXCLUSIVE MODE; LOCK TABLE ${other} IN ACCESS EXCLUSIVE MODE;
    WITH moved AS (DELETE FROM ${other} WHERE at >= ${lower} AND at < ${upper} RETURNING *) INSERT INTO ${name} SELECT * FROM moved;
    ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM (${lower}) TO (${upper})`);
}

export interface Gone {
  readonly rows: number;
  readonly bytes: number;
}

/** Drops a partition. Everybody else waits who reads or writes contents, for as long as this waits for a longer reader. */
export async function dropPartition(client: ClientBase, { name }: Partition): Promise<Gone> {
  const { rows } = await client.query<Gone>(
    `SELECT CASE WHEN reltuples < 0 THEN (SELECT count(*) FROM ${name}) ELSE reltuples::int8 END AS rows, pg_total_relation_size(oid) AS bytes
     FROM pg_class WHERE oid = '${name}'::regclass`,
  );
  await client.query(`DROP TABLE ${name}`);
  return rows[0] ?? { rows: 0, bytes: 0 };
}
