import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` as one write transaction: all of it is on disk when this returns, or none of it when it throws. `settle` learns which. */
export function atomically<Result>(db: DatabaseSync, work: () => Result, settle: (committed: boolean) => void = () => undefined): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    settle(true);
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    settle(false);
    throw error;
  }
}
