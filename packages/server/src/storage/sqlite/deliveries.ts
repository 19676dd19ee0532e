import type { DatabaseSync } from 'node:sqlite';
import type {
  AddedDelivery,
  Claim,
  Claimed,
  DeliveryRow,
  HeldLease,
  LeasedDelivery,
  NewDelivery,
  NewEvent,
  Turn,
  TurnAt,
} from '../contract.ts';
import { transactionFinder } from './keys.ts';
import { BEHIND, FREE, NEVER, OVERTAKEN, ordering } from './order.ts';
import { staleness } from './stale.ts';
import { atomically } from './transact.ts';

const INSERT = `INSERT INTO deliveries (id, merchant, event, event_type, endpoint, transaction_id, format, payload, status, attempt_count, failures,
    owner, due_at, ordered, ordered_wait, forced, turn, resend, started_at, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const DELIVERY_COLUMNS = `d.id, d.merchant, d.event, d.event_type AS eventType, d.endpoint, d.transaction_id AS "transaction", d.format, d.status,
  d.attempt_count AS attemptCount, d.status_code AS statusCode, d.cause, nullif(d.due_at, ${NEVER}) AS nextAttemptAt, d.created_at AS createdAt, d.finished_at AS finishedAt`;

type Origin = Pick<NewEvent, 'id' | 'merchant' | 'type' | 'transaction'> & { readonly at: number; readonly resend: string | null };

/** Inserts deliveries; endpoints that are spoken to in one format share one stored body. */
function inserter(db: DatabaseSync) {
  const insert = db.prepare(INSERT);
  const insertPayload = db.prepare('INSERT INTO payloads (body) VALUES (?)');
  const order = ordering(db);
  return (origin: Origin, delivery: NewDelivery, shared: Map<string, number | bigint>, row: string | null): string | null => {
    const made = delivery.format === 'transaction' ? (row ?? 'null') : null;
    const body = made === null ? delivery.body : Buffer.from(made);
    let payload = shared.get(delivery.format) ?? null;
    if (payload === null && body !== null) {
      payload = insertPayload.run(body).lastInsertRowid;
      shared.set(delivery.format, payload);
    }
    const { lease, endpoint, orderedWait: wait } = delivery;
    const { transaction, at: now } = origin;
    const isOrdered = wait !== undefined && lease === null && transaction !== null;
    const { ordered, dueAt } = isOrdered ? order.place({ endpoint, transaction, wait, now }) : { ordered: FREE, dueAt: now };
    insert.run(
      delivery.id,
      origin.merchant,
      origin.id,
      origin.type,
      delivery.endpoint,
      origin.transaction,
      delivery.format,
      payload,
      lease === null ? 0 : 1,
      lease?.owner ?? null,
      lease?.until ?? dueAt,
      ordered,
      isOrdered ? wait : null,
      delivery.forced === true ? 1 : 0,
      origin.resend === null ? 0 : 2,
      origin.resend,
      lease === null ? null : origin.at,
      origin.at,
    );
    return made;
  };
}

/** Inserts the deliveries of a new event; runs inside the record commit. */
export function deliveryWriter(db: DatabaseSync) {
  const insert = inserter(db);
  return {
    insert(event: NewEvent, row: string | null): Record<string, string> | null {
      const shared = new Map<string, number | bigint>();
      let bodies: Record<string, string> | null = null;
      for (const delivery of event.deliveries) {
        const made = insert(
          { id: event.id, merchant: event.merchant, type: event.type, transaction: event.transaction, at: event.recordedAt, resend: null },
          delivery,
          shared,
          row,
        );
        if (made !== null) (bodies ??= {})[delivery.id] = made;
      }
      return bodies;
    },
  };
}

/** Adds one delivery to an event that is in the log with its content; false where it is not. */
export function adder(db: DatabaseSync) {
  const event = db.prepare(
    `SELECT e.id, e.merchant, e.type, e.transaction_id AS "transaction" FROM events e LEFT JOIN requests r ON r.id = e.request
     WHERE e.id = ? AND e.expired_at IS NULL AND r.expired_at IS NULL`,
  );
  const transaction = transactionFinder(db);
  const row = db.prepare('SELECT doc FROM transactions WHERE seq = ?');
  const insert = inserter(db);
  return (delivery: AddedDelivery, resend: string | null): boolean => {
    const origin = event.get(delivery.event) as unknown as Omit<Origin, 'at' | 'resend'> | undefined;
    if (origin === undefined) return false;
    const doc =
      origin.transaction === null ? null : ((row.get(transaction(origin.transaction)) as { doc: string } | undefined)?.doc ?? null);
    insert({ ...origin, at: delivery.createdAt, resend }, delivery, new Map(), doc);
    return true;
  };
}

interface ClaimedRow {
  seq: number;
  id: string;
  merchant: string;
  endpoint: string;
  event: string;
  event_type: string;
  transaction_id: string | null;
  format: string;
  attempt_count: number;
  failures: number;
  due_at: number;
  created_at: number;
  owner: string | null;
  started_at: number | null;
  ordered: number;
  forced: number;
  turn: Turn;
  body: Uint8Array | null;
}

/** What a delivery of format `request` sends: read apart, because a join would look two rows up for every other delivery too. */
interface RequestBytes {
  readonly body: Uint8Array;
  readonly headers: string;
}

const LEASED = `SELECT d.seq, d.id, d.merchant, d.endpoint, d.event, d.event_type, d.transaction_id, d.format, d.attempt_count, d.failures, d.due_at, d.created_at,
    d.owner, d.started_at, d.ordered, d.forced, d.turn, p.body
  FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload`;

const NO_BYTES = new Uint8Array(0);

function leased(row: ClaimedRow, lease: { readonly at: number; readonly until: number }, request: RequestBytes | null): LeasedDelivery {
  return {
    id: row.id,
    merchant: row.merchant,
    endpoint: row.endpoint,
    event: row.event,
    eventType: row.event_type,
    transaction: row.transaction_id,
    format: row.format,
    body: row.body ?? request?.body ?? NO_BYTES,
    requestHeaders: request?.headers ?? null,
    attempt: row.attempt_count,
    failures: row.failures,
    leasedAt: lease.at,
    leaseUntil: lease.until,
    turn: row.turn,
    createdAt: row.created_at,
    ...(row.ordered === FREE ? {} : { ordered: true }),
  };
}

/** Claims, releases and adds deliveries. */
export function deliveryOperations(db: DatabaseSync) {
  const due = db.prepare(
    `${LEASED} WHERE d.endpoint = ? AND d.turn = ? AND d.status = 'pending' AND d.due_at <= ? ORDER BY d.due_at LIMIT ?`,
  );
  const one = db.prepare(`${LEASED} WHERE d.id = ?`);
  const request = db.prepare('SELECT r.body, r.headers FROM events e JOIN requests r ON r.id = e.request WHERE e.id = ?');
  const bytesOf = ({ format, event }: ClaimedRow): RequestBytes | null =>
    format === 'request' ? ((request.get(event) as RequestBytes | undefined) ?? null) : null;
  const leasedNow = (id: string, until: number): LeasedDelivery => {
    const found = one.get(id) as unknown as ClaimedRow;
    return leased(found, { at: found.started_at ?? found.created_at, until }, bytesOf(found));
  };
  const lease = db.prepare('UPDATE deliveries SET owner = ?, due_at = ?, started_at = ?, attempt_count = attempt_count + 1 WHERE seq = ?');
  const order = ordering(db);
  const stale = staleness(db);
  const lost = db.prepare(
    `INSERT INTO attempts (delivery, n, started_at, outcome, cause, truncated) VALUES (?, ?, ?, 'unknown', 'interrupted', 0) ON CONFLICT DO NOTHING`,
  );
  // What was not tried keeps its place before all that came later: `now` would put it behind the whole backlog, again at each restart.
  const release = db.prepare(
    `UPDATE deliveries SET owner = NULL, started_at = NULL, due_at = min(created_at, due_at, ?), attempt_count = attempt_count - 1
     WHERE id = ? AND owner = ? AND attempt_count = ? AND started_at = ? AND status = 'pending'`,
  );
  // What was leased when it was recorded is none of a claim's, though it may be of the same moment.
  const unclaim = db.prepare(
    `UPDATE deliveries SET owner = NULL, started_at = NULL, due_at = min(created_at, ?), attempt_count = attempt_count - 1
     WHERE endpoint = ? AND turn = ? AND status = 'pending' AND due_at BETWEEN ? AND ? AND owner = ? AND started_at = ? AND created_at <> started_at`,
  );
  // Without its bytes there is nothing to send.
  const retry = db.prepare(
    `UPDATE deliveries SET status = 'pending', turn = 0, forced = 1, due_at = ?, finished_at = NULL, owner = NULL, started_at = NULL,
       ordered = CASE WHEN ordered > 0 AND (status <> 'pending' OR ordered = ${BEHIND}) THEN ${OVERTAKEN} ELSE ordered END
     WHERE id = ? AND (status <> 'pending' OR owner IS NULL)
       AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.id = deliveries.payload AND p.expired_at IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM events e JOIN requests r ON r.id = e.request WHERE e.id = deliveries.event AND deliveries.format = 'request' AND r.expired_at IS NOT NULL)`,
  );
  // The attempts to come expire too, though the walk may have passed this delivery.
  const lookAgain = db.prepare(
    `INSERT INTO kept_back (what, look_at, seq) SELECT 'attempts', ?, seq FROM deliveries WHERE id = ? ON CONFLICT DO NOTHING`,
  );
  const nextDue = db.prepare(`SELECT min(due_at) AS at FROM deliveries WHERE endpoint = ? AND turn = ? AND status = 'pending'`);
  // Leases end within the horizon, so only that stretch of the index is read, never the backlog of later retries.
  const orphans = `endpoint = ? AND turn = ? AND status = 'pending' AND due_at BETWEEN ? AND ? AND owner IS NOT NULL AND owner <> ?`;
  const lostOnes = db.prepare(
    `INSERT INTO attempts (delivery, n, started_at, outcome, cause, truncated)
     SELECT id, attempt_count, coalesce(started_at, due_at), 'unknown', 'interrupted', 0 FROM deliveries WHERE ${orphans} ON CONFLICT DO NOTHING`,
  );
  const orphaned = db.prepare(`UPDATE deliveries SET due_at = min(created_at, ?), owner = NULL, started_at = NULL WHERE ${orphans}`);
  const abandoned = db.prepare(
    `UPDATE deliveries SET status = 'failed', cause = 'endpoint_deleted', finished_at = ?, due_at = NULL
     WHERE seq IN (SELECT seq FROM deliveries INDEXED BY deliveries_due WHERE endpoint = ? AND status = 'pending' AND owner IS NULL LIMIT ?)`,
  );
  const delivery = db.prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries d WHERE d.id = ?`);
  const add = adder(db);
  // One index probe per endpoint with work and turn, whatever the number of rows (a skip scan over `deliveries_due`).
  const backlog = db.prepare(
    `WITH RECURSIVE waiting (endpoint) AS (
       SELECT min(endpoint) FROM deliveries WHERE status = 'pending'
       UNION ALL
       SELECT (SELECT min(endpoint) FROM deliveries WHERE status = 'pending' AND endpoint > waiting.endpoint) FROM waiting WHERE waiting.endpoint IS NOT NULL)
     SELECT endpoint, turn, (SELECT min(due_at) FROM deliveries d WHERE d.status = 'pending' AND d.endpoint = waiting.endpoint AND d.turn = turns.turn) AS dueAt
     FROM waiting CROSS JOIN (SELECT 0 AS turn UNION ALL SELECT 1 UNION ALL SELECT 2) turns WHERE endpoint IS NOT NULL`,
  );
  const waiting = (): (TurnAt & { dueAt: number })[] =>
    (backlog.all() as unknown as (TurnAt & { dueAt: number | null })[]).flatMap(({ dueAt, ...at }) =>
      dueAt === null ? [] : [{ ...at, dueAt }],
    );

  function claim({ owner, now, until, wants }: Claim): Claimed {
    return atomically(db, () => {
      const claimed: LeasedDelivery[] = [];
      const superseded: DeliveryRow[] = [];
      for (const { endpoint, turn, max, skipStale } of wants) {
        for (const found of due.all(endpoint, turn, now, max) as unknown as ClaimedRow[]) {
          if (found.owner !== null) lost.run(found.id, found.attempt_count, found.started_at ?? found.due_at);
          if (found.ordered === BEHIND) order.overtakes({ ...found, transaction: found.transaction_id ?? '' }, now);
          if (skipStale === true && found.forced === 0 && stale.isOvertaken(found)) {
            stale.end(found, now);
            superseded.push(delivery.get(found.id) as unknown as DeliveryRow);
            continue;
          }
          lease.run(owner, until, now, found.seq);
          claimed.push(leased({ ...found, attempt_count: found.attempt_count + 1 }, { at: now, until }, bytesOf(found)));
        }
      }
      const next = wants.map(({ endpoint, turn }) => ({
        endpoint,
        turn,
        dueAt: (nextDue.get(endpoint, turn)?.['at'] ?? null) as number | null,
      }));
      return { deliveries: claimed, superseded, next };
    });
  }

  function addDeliveries(added: readonly AddedDelivery[]): LeasedDelivery[] {
    return atomically(db, () => {
      const mine: LeasedDelivery[] = [];
      for (const delivery of added)
        if (add(delivery, null) && delivery.lease !== null) mine.push(leasedNow(delivery.id, delivery.lease.until));
      return mine;
    });
  }

  return {
    claim,
    addDeliveries,
    release: ({ owner, leases, now }: { owner: string; leases: readonly HeldLease[]; now: number }): void =>
      atomically(db, () => {
        for (const { id, attempt, leasedAt } of leases) release.run(now, id, owner, attempt, leasedAt);
      }),
    unclaim: ({ claim: { owner, now: leasedAt, until, wants }, now }: { claim: Claim; now: number }): void =>
      atomically(db, () => {
        for (const { endpoint, turn } of wants) unclaim.run(now, endpoint, turn, now, until, owner, leasedAt);
      }),
    takeOver: ({ owner, now, horizon }: { owner: string; now: number; horizon: number }): number =>
      atomically(db, () =>
        waiting().reduce((sum, { endpoint, turn }) => {
          lostOnes.run(endpoint, turn, now, now + horizon, owner);
          return sum + Number(orphaned.run(now, endpoint, turn, now, now + horizon, owner).changes);
        }, 0),
      ),
    abandon: ({ endpoint, now, limit }: { endpoint: string; now: number; limit: number }): number =>
      Number(abandoned.run(now, endpoint, limit).changes),
    backlog: waiting,
    retryDelivery: ({ merchant, id, now }: { merchant: string | null; id: string; now: number }): DeliveryRow | null => {
      const read = (): DeliveryRow | undefined => delivery.get(id) as unknown as DeliveryRow | undefined;
      const found = read();
      if (found === undefined || (merchant !== null && found.merchant !== merchant)) return null;
      return atomically(db, () => {
        if (retry.run(now, id).changes > 0) lookAgain.run(now, id);
        if (found.transaction !== null) order.stepsOut({ endpoint: found.endpoint, transaction: found.transaction }, now);
        return read() ?? null;
      });
    },
  };
}
