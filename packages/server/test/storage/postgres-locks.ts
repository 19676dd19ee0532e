import type { TestDatabase } from '../support/postgres.ts';

/** Resolves once so many wait for a lock; gives up after a while, for the assertions to tell. */
export async function waiting(database: TestDatabase, count: number): Promise<void> {
  for (let left = 5_000; left > 0 && (await database.sql('SELECT 1 FROM pg_locks WHERE NOT granted')).length < count; left--);
}
