import type { Pool } from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { storageError } from './errors.ts';

/** Takes the place of a commit that numbers rows among all transactions: before the first number. */
export const TAKE_PLACE = 'pg_current_xact_id()';

export const BEGIN_NUMBERING = `BEGIN; SELECT ${TAKE_PLACE}`;

const LOOK_EVERY_MS = 20;

/** A transaction of somebody else may take hours; our own commits end long before this. */
const LOOKS = 250;

/**
 * The number up to which every row is there, or never comes. Rows are numbered before they are committed, so a later number may be seen
 * before an earlier one: who goes from the oldest to the newest would pass that one by. Waits for the commits that are under way.
 */
export async function completeUpTo(reads: Pool, sequence: string): Promise<number> {
  const ask = async <Row>(text: string): Promise<Row> => (await reads.query<Row & object>(text)).rows[0] as Row;
  try {
    const { upto } = await ask<{ upto: number }>(`SELECT last_value AS upto FROM ${sequence}`);
    // Whoever took one of these numbers began before this; another statement, so that its snapshot is younger than the number.
    const { next } = await ask<{ next: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
    for (let left = LOOKS; left > 0; left--) {
      const { oldest } = await ask<{ oldest: string }>('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest');
      if (BigInt(oldest) >= BigInt(next)) break;
      await pause(LOOK_EVERY_MS);
    }
    return upto;
  } catch (error) {
    throw storageError(error);
  }
}
