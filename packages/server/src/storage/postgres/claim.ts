import type { Pool } from 'pg';
import type { Claim, Claimed, HeldLease, TurnAt } from '../contract.ts';
import { encode, rowsOf } from './arrays.ts';
import { LEASED_COLUMNS, LEASED_FROM, leased } from './deliveries.ts';
import type { LeasedRow } from './deliveries.ts';
import { storageError } from './errors.ts';
import { overtakes } from './order.ts';
import { SPOKE_LATELY } from './directory.ts';
import { IS_GONE } from './presence.ts';
import type { Presence } from './presence.ts';
import type { Skew } from './skew.ts';
import { endOvertaken, overtaken } from './stale.ts';
import { atomically, commit, once } from './transact.ts';

/** For all wanted endpoints at once; rows that another node is just claiming are passed over. */
const CLAIM = {
  name: 'claim',
  text: `WITH due AS MATERIALIZED (
      SELECT w.at, o.id, o.due_at, o.started_at, o.attempt_count, o.owner FROM unnest($1::text[], $7::int8[], $2::int8[]) WITH ORDINALITY AS w (endpoint, turn, most, at)
      CROSS JOIN LATERAL (SELECT id, due_at, started_at, attempt_count, owner FROM open_deliveries
        WHERE endpoint = w.endpoint AND turn = w.turn AND status = 'pending' AND due_at <= $3 ORDER BY due_at LIMIT w.most FOR UPDATE SKIP LOCKED) o),
    lost AS (INSERT INTO attempts (delivery, n, started_at, outcome, cause, truncated)
      SELECT id, attempt_count, coalesce(started_at, due_at), 'unknown', 'interrupted', false FROM due WHERE owner IS NOT NULL ON CONFLICT DO NOTHING),
    leased AS (UPDATE open_deliveries o SET owner = $4, due_at = $5, started_at = $6, attempt_count = o.attempt_count + 1 FROM due WHERE o.id = ANY (ARRAY[due.id])
      RETURNING o.id, o.attempt_count AS attempt, o.failures, o.turn, o.ordered, due.at, due.due_at)
    SELECT ${LEASED_COLUMNS} FROM leased l ${LEASED_FROM} ORDER BY l.at, l.due_at, d.seq`,
};

const NEXT = {
  name: 'claim_next',
  text: `SELECT w.endpoint, w.turn, (SELECT min(due_at) FROM open_deliveries o WHERE o.endpoint = w.endpoint AND o.turn = w.turn AND o.status = 'pending') AS "dueAt"
    FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS w (endpoint, turn, at) ORDER BY w.at`,
};

// One index probe per endpoint with work and turn, whatever the number of rows (a skip scan over `open_deliveries_due`).
const TURNS = '(VALUES (0), (1), (2)) turns (turn)';
export const WAITING = `waiting (endpoint) AS (
    (SELECT endpoint FROM open_deliveries WHERE status = 'pending' ORDER BY endpoint LIMIT 1)
    UNION ALL
    SELECT (SELECT o.endpoint FROM open_deliveries o WHERE o.status = 'pending' AND o.endpoint > waiting.endpoint ORDER BY o.endpoint LIMIT 1)
    FROM waiting WHERE waiting.endpoint IS NOT NULL)`;

const BACKLOG = `WITH RECURSIVE ${WAITING}
  SELECT endpoint, turn, (SELECT min(due_at) FROM open_deliveries o WHERE o.status = 'pending' AND o.endpoint = waiting.endpoint AND o.turn = turns.turn) AS "dueAt",
    extract(epoch FROM clock_timestamp()) * 1000 AS now
  FROM waiting CROSS JOIN ${TURNS} WHERE endpoint IS NOT NULL`;

/** What was not tried keeps its place before all that came later: `now` would put it behind the whole backlog, again at each restart. */
const MADE_AT = '(SELECT d.created_at FROM deliveries d WHERE d.id = o.id)';

// Leases end within the horizon, so only that stretch of the index is read, never the backlog of later retries.
const TAKE_OVER = {
  name: 'take_over',
  text: `WITH RECURSIVE ${WAITING},
    held AS MATERIALIZED (SELECT o.* FROM waiting w CROSS JOIN ${TURNS} CROSS JOIN LATERAL (SELECT id, owner, due_at, started_at FROM open_deliveries
      WHERE endpoint = w.endpoint AND turn = turns.turn AND status = 'pending' AND due_at BETWEEN $2 AND $3 AND owner IS NOT NULL AND owner <> $1 OFFSET 0) o),
    owners AS MATERIALIZED (SELECT owner, NOT ${SPOKE_LATELY} AND ${IS_GONE} AS gone FROM (SELECT DISTINCT owner FROM held) o),
    freed AS (UPDATE open_deliveries o SET owner = NULL, started_at = NULL, due_at = least(${MADE_AT}, $2)
      FROM held h JOIN owners g ON g.owner = h.owner AND g.gone WHERE o.id = ANY (ARRAY[h.id]) AND o.owner = h.owner AND o.due_at = h.due_at
      RETURNING o.id, o.attempt_count, coalesce(h.started_at, h.due_at) AS started_at),
    lost AS (INSERT INTO attempts (delivery, n, started_at, outcome, cause, truncated)
      SELECT id, attempt_count, started_at, 'unknown', 'interrupted', false FROM freed ON CONFLICT DO NOTHING)
    SELECT id FROM freed`,
};

const LEASES = rowsOf({ id: 'text', attempt: 'int8', leased_at: 'int8' });

const RELEASE = {
  name: 'release',
  text: `UPDATE open_deliveries o SET owner = NULL, started_at = NULL, due_at = least(${MADE_AT}, due_at, $2), attempt_count = attempt_count - 1
    FROM ${LEASES.unnest(3)} WHERE o.id = ANY (ARRAY[r.id]) AND o.owner = $1 AND o.attempt_count = r.attempt AND o.started_at = r.leased_at`,
};

/** The clock of the database may have been measured anew since the lease was taken. */
const SKEW_MS = 60_000;

// What was leased when it was recorded is none of a claim's, though it may be of the same moment.
const UNCLAIM = {
  name: 'unclaim',
  text: `WITH held AS MATERIALIZED (SELECT o.id FROM unnest($1::text[], $2::int8[]) AS w (endpoint, turn)
      CROSS JOIN LATERAL (SELECT id FROM open_deliveries WHERE endpoint = w.endpoint AND turn = w.turn AND status = 'pending'
        AND due_at BETWEEN $3 AND $4 AND owner = $5 AND started_at = $6 OFFSET 0) o
      JOIN deliveries d ON d.id = ANY (ARRAY[o.id]) WHERE d.created_at <> $6)
    UPDATE open_deliveries o SET owner = NULL, started_at = NULL, due_at = least(${MADE_AT}, $3), attempt_count = attempt_count - 1
    FROM held h WHERE o.id = ANY (ARRAY[h.id]) AND o.owner = $5 AND o.started_at = $6`,
};

interface ClaimParts {
  readonly skew: Skew;
  readonly now: () => number;
  readonly presence: Presence;
}

/** Leases: taken, given back, and what waits. */
export function claimOperations(hot: Pool, { skew, now: localNow, presence }: ClaimParts) {
  return {
    async claim({ owner, now, until, wants }: Claim): Promise<Claimed> {
      const endpoints = encode(
        'text',
        wants.map(({ endpoint }) => endpoint),
      );
      const most = encode(
        'int8',
        wants.map(({ max }) => max),
      );
      const turns = encode(
        'int8',
        wants.map(({ turn }) => turn),
      );
      const values = [endpoints, most, skew.toDatabase(now), owner, skew.toDatabase(until), now, turns];
      const rows = await once<LeasedRow>(hot, { ...CLAIM, values });
      const waited = rows.filter(({ behind }) => behind).map(({ id }) => ({ id, at: skew.toDatabase(now) }));
      if (waited.length > 0) await atomically(hot, (client) => commit(client, () => [client.query('BEGIN'), ...overtakes(client, waited)]));
      const skipping = new Set(wants.filter(({ skipStale }) => skipStale === true).map(({ endpoint }) => endpoint));
      const stale = await overtaken(
        hot,
        rows.filter(({ endpoint, transaction }) => transaction !== null && skipping.has(endpoint)),
      );
      const superseded = await endOvertaken(hot, { stale, owner, now, skew });
      const next = await once<Claimed['next'][number]>(hot, { ...NEXT, values: [endpoints, turns] });
      return {
        deliveries: (stale.length === 0 ? rows : rows.filter((row) => !stale.includes(row))).map((row) => leased(row, { at: now, until })),
        superseded,
        next: next.map(({ dueAt, ...at }) => ({ ...at, dueAt: dueAt === null ? null : skew.toLocal(dueAt) })),
      };
    },
    async release({ owner, leases, now }: { owner: string; leases: readonly HeldLease[]; now: number }): Promise<void> {
      const rows = leases.map(({ id, attempt, leasedAt }) => ({ id, attempt, leased_at: leasedAt }));
      await once(hot, { ...RELEASE, values: [owner, skew.toDatabase(now), ...LEASES.bind(rows)] });
    },
    async unclaim({ claim: { owner, now: leasedAt, until, wants }, now }: { claim: Claim; now: number }): Promise<void> {
      const [endpoints, turns] = [wants.map(({ endpoint }) => endpoint), wants.map(({ turn }) => turn)];
      const lease = [skew.toDatabase(now), skew.toDatabase(until) + SKEW_MS, owner, leasedAt];
      await once(hot, { ...UNCLAIM, values: [encode('text', endpoints), encode('int8', turns), ...lease] });
    },
    /** Other nodes may be alive: only the leases of those that are gone are taken; of the others `claim` takes what ran out. */
    async takeOver({ owner, now, horizon }: { owner: string; now: number; horizon: number }): Promise<number> {
      await presence.announce(owner);
      return (await once(hot, { ...TAKE_OVER, values: [owner, skew.toDatabase(now), skew.toDatabase(now + horizon)] })).length;
    },
    async backlog(): Promise<readonly (TurnAt & { readonly dueAt: number })[]> {
      try {
        const before = localNow();
        const { rows } = await hot.query<TurnAt & { dueAt: number | null; now: string }>({ name: 'backlog', text: BACKLOG });
        const databaseAt = rows[0]?.now;
        if (databaseAt !== undefined) skew.measured(Number(databaseAt), (before + localNow()) / 2);
        return rows.flatMap(({ endpoint, turn, dueAt }) => (dueAt === null ? [] : [{ endpoint, turn, dueAt: skew.toLocal(dueAt) }]));
      } catch (error) {
        throw storageError(error);
      }
    },
  };
}
