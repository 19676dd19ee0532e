import type { Pool, PoolClient } from 'pg';
import { SLOT_MS } from '../../ledger/tally.ts';
import type { Settlement } from '../contract.ts';
import { rowsOf, typedRowsOf } from './arrays.ts';
import type { RowTypes } from './arrays.ts';
import { letGo } from './order.ts';
import type { OnShard } from './shards.ts';
import type { Skew } from './skew.ts';
import { atomically, commit } from './transact.ts';

const RESULTS = typedRowsOf('result_row', {
  started_at: 'int8',
  finished_at: 'int8',
  due_at: 'int8',
  slot: 'int8',
  duration_ms: 'float8',
  n: 'int8',
  status_code: 'int8',
  truncated: 'bool',
  delivery: 'text',
  owner: 'text',
  status: 'text',
  merchant: 'text',
  outcome: 'text',
  cause: 'text',
  timings: 'text',
  request_headers: 'text',
  response_headers: 'text',
  response_body: 'bytea',
});

// Who is leased is pending. Saying so as well would let the planner, while the table is empty, choose to read all that is pending.
const FENCE = 'o.id = ANY (ARRAY[r.delivery]) AND o.owner = r.owner AND o.attempt_count = r.n';

/** Everything that a batch of results changes, in one statement and one round trip: what is fenced off changes nothing. */
const SETTLE = {
  name: 'settle',
  text: `WITH results AS MATERIALIZED (SELECT * FROM ${RESULTS.unnest(2)}),
    done AS (DELETE FROM open_deliveries o USING results r WHERE r.status = 'succeeded' AND ${FENCE} RETURNING r.*),
    kept AS (UPDATE open_deliveries o SET status = r.status, status_code = r.status_code, cause = r.cause, due_at = r.due_at, turn = greatest(o.turn, 1), owner = NULL, started_at = NULL,
        finished_at = CASE WHEN r.status = 'pending' THEN NULL ELSE r.finished_at END, failures = o.failures + CASE WHEN r.outcome = 'failed' THEN 1 ELSE 0 END
      FROM results r WHERE r.status <> 'succeeded' AND ${FENCE} RETURNING r.*),
    settled AS MATERIALIZED (SELECT * FROM done UNION ALL SELECT * FROM kept),
    made AS (INSERT INTO attempts (delivery, n, started_at, finished_at, duration_ms, outcome, cause, status_code, truncated, timings)
      SELECT delivery, n, started_at, finished_at, duration_ms, outcome, cause, status_code, truncated, timings FROM settled ON CONFLICT DO NOTHING),
    told AS (INSERT INTO attempt_contents (at, delivery, n, request_headers, response_headers, response_body)
      SELECT started_at, delivery, n, request_headers, response_headers, response_body FROM settled),
    counted AS (INSERT INTO tallies AS t (slot, count, last_at, shard, exponent, value, merchant, name, provider, kind, status, rail, currency)
      SELECT slot, count(*), max(finished_at), $1, 0, 0, merchant, ends.name, '', '', '', '', ''
      FROM settled CROSS JOIN LATERAL (VALUES (CASE WHEN outcome = 'failed' THEN 'failed_try' END), (CASE WHEN status <> 'pending' THEN status END)) ends (name)
      WHERE ends.name IS NOT NULL GROUP BY slot, merchant, ends.name ORDER BY slot, merchant, ends.name
      ON CONFLICT (slot, merchant, name, provider, kind, status, rail, currency, exponent, shard)
      DO UPDATE SET count = t.count + excluded.count, last_at = greatest(t.last_at, excluded.last_at))
    SELECT delivery, owner, n FROM settled`,
};

interface Settled {
  readonly delivery: string;
  readonly owner: string;
  readonly n: number;
}

function resultRow({ delivery, merchant, owner, attempt, next, finishedAt }: Settlement, skew: Skew) {
  return {
    started_at: attempt.startedAt,
    finished_at: finishedAt,
    due_at: next.status === 'pending' ? skew.toDatabase(next.at) : null,
    slot: Math.floor(finishedAt / SLOT_MS),
    duration_ms: attempt.durationMs,
    n: attempt.n,
    status_code: attempt.statusCode,
    truncated: attempt.truncated,
    delivery,
    owner,
    status: next.status,
    merchant,
    outcome: attempt.outcome,
    cause: attempt.cause,
    timings: attempt.timings,
    request_headers: attempt.requestHeaders,
    response_headers: attempt.responseHeaders,
    response_body: attempt.responseBody,
  };
}

/** Writes how attempts ended. */
export function settleOperations(
  hot: Pool,
  { skew, onShard, types }: { readonly skew: Skew; readonly onShard: OnShard; readonly types: RowTypes },
) {
  /** One statement; with what it lets go behind it where the order of deliveries counts. */
  async function write(results: readonly Settlement[], shard: number): Promise<readonly Settled[]> {
    const statement = {
      ...SETTLE,
      values: [
        shard,
        RESULTS.bind(
          results.map((result) => resultRow(result, skew)),
          types,
        ),
      ],
    };
    const finished = results.flatMap(({ delivery, ordered, next, finishedAt }) =>
      ordered === true && next.status !== 'pending' ? [{ id: delivery, at: skew.toDatabase(finishedAt) }] : [],
    );
    const begun = { maybeDone: results.some(({ again }) => again === true) };
    const work = async (client: PoolClient, { maybeDone }: { readonly maybeDone: boolean }): Promise<readonly Settled[]> => {
      // Where a try before this one stands, the fence makes doing it again harmless.
      const before = maybeDone ? (await standing(client, results)).rows : [];
      if (finished.length === 0) return [...(await client.query<Settled>(statement)).rows, ...before];
      let settled: Settled[] = [];
      await commit(client, () => [
        client.query('BEGIN'),
        client.query<Settled>(statement).then(({ rows }) => (settled = rows)),
        ...letGo(client, finished),
      ]);
      return [...settled, ...before];
    };
    return atomically(hot, work, begun);
  }

  return {
    async settle(results: readonly Settlement[]): Promise<('settled' | 'fenced')[]> {
      if (results.length === 0) return [];
      const settled = new Set(
        (await onShard((shard) => write(results, shard))).map(({ delivery, owner, n }) => `${delivery} ${n} ${owner}`),
      );
      // Each once: the same result given twice is settled and then fenced.
      return results.map(({ delivery, owner, attempt }) => (settled.delete(`${delivery} ${attempt.n} ${owner}`) ? 'settled' : 'fenced'));
    },
  };
}

const WRITTEN = rowsOf({ delivery: 'text', owner: 'text', n: 'int8', started_at: 'int8' });

// Only who held the lease writes that attempt: after a try whose answer was lost, an attempt that stands is its work.
const STANDS = {
  name: 'settle_stands',
  text: `SELECT r.delivery, r.owner, a.n FROM ${WRITTEN.unnest()}
    JOIN attempts a ON a.delivery = r.delivery AND a.n = r.n AND a.started_at = r.started_at AND a.outcome <> 'unknown'`,
};

function standing(client: PoolClient, results: readonly Settlement[]): Promise<{ readonly rows: Settled[] }> {
  const rows = results.map(({ delivery, owner, attempt: { n, startedAt } }) => ({ delivery, owner, n, started_at: startedAt }));
  return client.query<Settled>({ ...STANDS, values: WRITTEN.bind(rows) });
}
