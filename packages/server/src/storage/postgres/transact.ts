import type { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { isLost, isReadOnly, isTransient, storageError } from './errors.ts';

/** A deadlock, or a connection that broke before anything could stand, is tried again this often. */
export const TRIES = 4;

/** Is answered once everything that was written before it is as durable as the server promises, on its standby too. */
const BARRIER = `SELECT pg_logical_emit_message(true, 'paybell', '')`;

/**
 * Runs `work` on one connection as one transaction; `work` itself sends COMMIT as the last of its queries (`commit`), so that the last
 * write and the commit share a round trip. Repeats it where the database rolled it back. `work` is told whether a try before it may
 * already stand: its commit was sent and the connection was lost before the answer.
 */
export async function atomically<Result>(
  pool: Pool,
  work: (client: PoolClient, again: { readonly maybeDone: boolean }) => Promise<Result>,
  begun = { maybeDone: false },
): Promise<Result> {
  let { maybeDone } = begun;
  for (let left = TRIES; ; left--) {
    let client: PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw storageError(error, { unsure: maybeDone, down: true });
    }
    try {
      const result = await work(client, { maybeDone });
      // What a try before this one left on disk may be on this disk alone, and this one then wrote nothing that a standby waits for.
      if (maybeDone) await client.query(BARRIER);
      client.release();
      return result;
    } catch (error) {
      const lost = isLost(error);
      if (lost) maybeDone = true;
      const gone = lost || isReadOnly(error);
      // A connection whose state is not certain is closed: the database rolls back what it had not committed.
      client.release(gone || !(await rolledBack(client)));
      if (left <= 1 || !(gone || isTransient(error) || error instanceof TryAgain)) throw storageError(error, { unsure: maybeDone });
      if (error instanceof TryAgain) maybeDone = true;
    }
  }
}

/** False: the state of the connection is not certain. */
export async function rolledBack(client: PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

/** Thrown by `work` that found itself to be a repetition: the next try is told so. */
export class TryAgain extends Error {}

/** Runs `send`; all the queries that it starts leave in one write to the socket, which costs more than most of what it carries. */
export function together<Result>(client: PoolClient, send: () => Result): Result {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** Sends what `writes` starts with the commit behind it; rejects where the transaction was rolled back instead. */
export async function commit(client: PoolClient, writes: () => readonly Promise<unknown>[]): Promise<void> {
  const sent = together(client, () => {
    const before = writes();
    return [client.query('COMMIT'), ...before] as const;
  });
  const [end] = await Promise.all(sent);
  if (end.command !== 'COMMIT') throw new Error('The database rolled the commit back.');
}

/** One statement that is a transaction by itself, done again after a deadlock. */
export async function once<Row>(
  pool: Pool,
  statement: { readonly name: string; readonly text: string; readonly values: readonly unknown[] },
): Promise<Row[]> {
  for (let left = TRIES; ; left--) {
    try {
      const { rows } = await pool.query({ ...statement, values: [...statement.values] });
      return rows as Row[];
    } catch (error) {
      if (left <= 1 || !isTransient(error)) throw storageError(error);
    }
  }
}
