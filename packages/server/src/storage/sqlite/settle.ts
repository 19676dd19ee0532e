import type { DatabaseSync } from 'node:sqlite';
import { Tally } from '../../ledger/tally.ts';
import type { Settlement } from '../contract.ts';
import { ordering } from './order.ts';
import { tallyWriter } from './tallies.ts';
import { atomically } from './transact.ts';

/** Writes how attempts ended: one commit for as many as there are. */
export function settleOperations(db: DatabaseSync) {
  const finish = db.prepare(
    `UPDATE deliveries SET status = ?, status_code = ?, cause = ?, finished_at = ?, due_at = NULL, owner = NULL, started_at = NULL, failures = failures + ?
     WHERE id = ? AND owner = ? AND attempt_count = ? AND status = 'pending'`,
  );
  const again = db.prepare(
    `UPDATE deliveries SET status_code = ?, cause = ?, due_at = ?, turn = max(turn, 1), owner = NULL, started_at = NULL, failures = failures + 1
     WHERE id = ? AND owner = ? AND attempt_count = ? AND status = 'pending'`,
  );
  const attempt = db.prepare(
    `INSERT INTO attempts (delivery, n, started_at, duration_ms, outcome, cause, status_code, truncated, timings, request_headers, response_headers, response_body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const tallies = tallyWriter(db);
  const order = ordering(db);

  function settleOne({ delivery, owner, attempt: made, next, finishedAt }: Settlement): boolean {
    const failed = made.outcome === 'failed' ? 1 : 0;
    const { changes } =
      next.status === 'pending'
        ? again.run(made.statusCode, made.cause, next.at, delivery, owner, made.n)
        : finish.run(next.status, made.statusCode, made.cause, finishedAt, failed, delivery, owner, made.n);
    if (changes === 0) return false;
    attempt.run(
      delivery,
      made.n,
      made.startedAt,
      made.durationMs,
      made.outcome,
      made.cause,
      made.statusCode,
      made.truncated ? 1 : 0,
      made.timings,
      made.requestHeaders,
      made.responseHeaders,
      made.responseBody,
    );
    return true;
  }

  return {
    settle: (results: readonly Settlement[]): ('settled' | 'fenced')[] =>
      atomically(db, () => {
        const tally = new Tally();
        const answers = results.map((result): 'settled' | 'fenced' => {
          if (!settleOne(result)) return 'fenced';
          const line = { merchant: result.merchant, at: result.finishedAt, provider: '' };
          if (result.attempt.outcome === 'failed') tally.count({ ...line, name: 'failed_try' });
          if (result.next.status === 'pending') return 'settled';
          tally.count({ ...line, name: result.next.status });
          if (result.ordered === true) order.letGo(result.delivery, result.finishedAt);
          return 'settled';
        });
        tallies.write(tally);
        return answers;
      }),
  };
}
