import { openStorage } from '../open.ts';
import type { Contents } from '../postgres/contents.ts';
import { EXPIRED, LEFT_BEHIND, SHAPES } from './shapes.ts';
import type { Shape } from './shapes.ts';
import { openSource } from './source.ts';
import type { Source } from './source.ts';
import { openTarget } from './target.ts';
import type { Target } from './target.ts';

/** The check value of the master keys (config/vault.ts): the same text in two stores means the same installation. */
const CHECK_NOTE = 'master-key-check';

export interface Progress {
  readonly table: string;
  /** Rows read so far, and of how many, over all tables. */
  readonly done: number;
  readonly of: number;
}

export interface Move {
  /** Path of the embedded database. */
  readonly from: string;
  /** `postgres://` address. */
  readonly to: string;
  readonly now: number;
  /** Called while the source is held, before anything is written; throws where it must not be moved. */
  readonly before: () => Promise<void>;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Moves an embedded installation into an empty PostgreSQL database, in one transaction: whatever happens in the middle, the target
 * is empty as before and the source is not changed, so a second try starts clean. Answers with the rows read from each table.
 */
export async function moveInstallation({ from, to, now, before, onProgress }: Move): Promise<Readonly<Record<string, number>>> {
  const source = openSource(from);
  try {
    await before();
    await makeSchema(to);
    const target = await openTarget(to);
    try {
      assertCovered(source, target);
      await assertEmpty(source, target);
      const counts = Object.fromEntries(SHAPES.map(({ table }) => [table, source.count(table)]));
      const of = Object.values(counts).reduce((sum, count) => sum + count, 0);
      let done = 0;
      for (const table of ['contents', 'attempt_contents'] as const) await layOut(source, target, { table, now });
      for (const shape of SHAPES) {
        for (const rows of source.rows(shape.select ?? `SELECT * FROM ${shape.table}`)) {
          const written = shape.make?.(rows, now) ?? { [shape.table]: rows };
          // Of attempts, the ones that are there already are the better ones.
          for (const [table, made] of Object.entries(written))
            await target.write(table, made, table === 'attempts' ? ' ON CONFLICT DO NOTHING' : '');
          done += rows.length;
          onProgress({ table: shape.table, done, of });
        }
        if (shape.sequence !== undefined) await target.numberFrom(shape.sequence, shape.table);
      }
      await target.commit();
      return counts;
    } finally {
      await target.close().catch(() => undefined);
    }
  } finally {
    source.close();
  }
}

/** By the store itself: it checks the server's settings as at every start. */
async function makeSchema(url: string): Promise<void> {
  const store = await openStorage(url);
  await store.open();
  await store.close();
}

/** The partitions that what is there needs, and what of it is gone already. */
async function layOut(source: Source, target: Target, { table, now }: { readonly table: Contents; readonly now: number }): Promise<void> {
  const [oldest] = [...source.rows(`SELECT min(at) AS at FROM (${EXPIRED[table]}) WHERE expired_at IS NULL`)].flat();
  await target.makePartitions(table, { from: Math.min(Number(oldest?.['at'] ?? now), now), to: now });
  const gone = `SELECT max(at) + 1 AS upto, expired_at AS at FROM (${EXPIRED[table]}) WHERE expired_at IS NOT NULL GROUP BY expired_at`;
  for (const rows of source.rows(`SELECT upto, max(at) AS at, '${table}' AS what FROM (${gone}) GROUP BY upto`))
    await target.write('expired', rows);
}

/** A table or column that nobody said what to do with must not be left behind in silence. */
function assertCovered(source: Source, target: Target): void {
  const tables = target.tables();
  const shapes = new Map<string, Shape>(SHAPES.map((shape) => [shape.table, shape]));
  const problems = [...source.tables()].flatMap(([table, columns]) => {
    if (LEFT_BEHIND.has(table)) return [];
    const shape = shapes.get(table);
    if (shape === undefined) return [table];
    const known = new Set([...(shape.without ?? []), ...(shape.fills ?? [table]).flatMap((name) => tables.get(name) ?? [])]);
    return columns.filter((column) => !known.has(column)).map((column) => `${table}.${column}`);
  });
  if (problems.length > 0) throw new Error(`This Paybell does not know how to move ${problems.join(', ')}: nothing was moved.`);
}

async function assertEmpty(source: Source, target: Target): Promise<void> {
  const filled: string[] = [];
  for (const table of target.tables().keys()) if (await target.holdsRows(table)) filled.push(table);
  if (filled.length === 0) return;
  const [mine] = [...source.rows(`SELECT text FROM notes WHERE name = '${CHECK_NOTE}'`)].flat();
  const theirs = await target.note(CHECK_NOTE);
  const whose =
    theirs === null
      ? 'It was not written by this command.'
      : theirs === mine?.['text']
        ? 'It is this very installation: it was moved there before.'
        : 'It is another installation.';
  throw new Error(`The target is not empty (${filled.join(', ')}). ${whose} Nothing was moved; give an empty database.`);
}
