import type { Pool, PoolClient } from 'pg';
import type { Transaction, TransactionIdentity } from '@paybell/sdk';
import { rebuilt } from '../../ledger/refold.ts';
import { STANDING, Tally } from '../../ledger/tally.ts';
import type { Finding, StorageFacts } from '../contract.ts';
import { encode } from './arrays.ts';
import { CONTENT_FACTS, TOLD_FACTS, isKept } from './contents.ts';
import { chains } from './chain.ts';
import { durability } from './connect.ts';
import { BODY_AT, BODY_FROM } from './deliveries.ts';
import { storageError } from './errors.ts';
import { BEHIND, NEVER, OVERTAKEN } from './order.ts';
import { DELIVERED } from './stale.ts';
import type { Skew } from './skew.ts';

/** A lease may end this long before its delivery is claimed again without anything being wrong. */
const LEASE_GRACE_MS = 60_000;

/** More findings of one kind than this tell no more. */
const MOST = 100;

/** Transactions that are folded again at a time. */
const STEP = 500;

interface Invariant {
  readonly name: string;
  readonly sql: string;
  readonly sentence: string;
}

const INVARIANTS: readonly Invariant[] = [
  {
    name: 'event_in_log',
    sql: `SELECT id FROM requests q WHERE verdict = 'accepted' AND NOT EXISTS (SELECT 1 FROM events e WHERE e.request = q.id)`,
    sentence: 'This request was acknowledged, and no event of it is in the log.',
  },
  {
    name: 'event_in_log',
    sql: `SELECT q.id FROM requests q LEFT JOIN (SELECT request, count(*) AS number FROM events WHERE request IS NOT NULL GROUP BY request) e ON e.request = q.id
      WHERE q.events <> coalesce(e.number, 0)`,
    sentence: 'This request brought another number of events than the log holds of it.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT q.id FROM requests q LEFT JOIN ${CONTENT_FACTS} ON c.at = q.received_at AND c.id = q.id
      WHERE CASE WHEN c.id IS NULL THEN ${isKept('contents', 'q.received_at')} ELSE coalesce(c.bytes, -1) <> q.size END`,
    sentence: 'The bytes of this request are gone or cut, and it did not expire.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT e.id FROM events e LEFT JOIN ${CONTENT_FACTS} ON c.at = e.recorded_at AND c.id = e.id
      WHERE e.source IS NULL AND CASE WHEN c.id IS NULL THEN ${isKept('contents', 'e.recorded_at')} ELSE c.no_data END
      UNION ALL SELECT id FROM events e WHERE request IS NOT NULL AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.id = e.request)`,
    sentence: 'The content of this event is gone, and it did not expire.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT d.id FROM deliveries d LEFT JOIN ${CONTENT_FACTS} ON c.at = ${BODY_AT} AND c.id = coalesce(d.body_of, d.id)
      WHERE CASE WHEN c.id IS NULL THEN ${isKept('contents', BODY_AT)} ELSE c.bytes IS NULL END`,
    sentence: 'The body of this delivery is gone, and it did not expire.',
  },
  {
    name: 'pending_has_body',
    sql: `SELECT o.id FROM open_deliveries o JOIN deliveries d ON d.id = o.id ${BODY_FROM} WHERE o.status = 'pending' AND c.body IS NULL`,
    sentence: 'This delivery is still to be sent, and its body is gone.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT a.delivery AS id FROM attempts a LEFT JOIN ${TOLD_FACTS} ON c.at = a.started_at AND c.delivery = a.delivery AND c.n = a.n
      WHERE a.outcome <> 'unknown' AND CASE WHEN c.delivery IS NULL THEN ${isKept('attempt_contents', 'a.started_at')} ELSE c.no_answer END`,
    sentence: 'What an attempt of this delivery sent and got is gone, and it did not expire.',
  },
  {
    name: 'one_fact_once',
    sql: 'SELECT max(id) AS id FROM events GROUP BY coalesce(source, merchant), dedupe_key HAVING count(*) > 1',
    sentence: 'This event has the same key as another one in the log: one fact is counted twice.',
  },
  {
    name: 'event_in_ledger',
    sql: `SELECT id FROM events e WHERE state = 'recorded' AND transaction_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.id = e.transaction_id)`,
    sentence: 'This event touches a transaction that is not in the ledger.',
  },
  {
    name: 'routed_has_delivery',
    sql: 'SELECT id FROM events e WHERE routed > 0 AND routed > (SELECT count(*) FROM deliveries d WHERE d.event = e.id)',
    sentence: 'This event was routed to more endpoints than it has deliveries.',
  },
  {
    name: 'delivery_has_event',
    sql: `SELECT id FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.id = d.event)
      UNION ALL SELECT id FROM open_deliveries o WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = o.id)`,
    sentence: 'This delivery belongs to no event in the log.',
  },
  {
    name: 'success_has_attempt',
    sql: `SELECT id FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM open_deliveries o WHERE o.id = d.id)
      AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery = d.id AND a.outcome = 'succeeded')`,
    sentence: 'This delivery is marked as succeeded without a successful attempt.',
  },
  {
    name: 'finished_is_final',
    sql: `SELECT id FROM open_deliveries WHERE (status = 'pending') <> (due_at IS NOT NULL) OR (status = 'pending') = (finished_at IS NOT NULL)`,
    sentence: 'This delivery is neither clearly pending nor clearly finished.',
  },
  {
    name: 'order_moves',
    sql: `SELECT d.id FROM open_deliveries d WHERE d.status = 'pending' AND d.ordered = ${BEHIND} AND NOT EXISTS (SELECT 1 FROM open_deliveries o
      WHERE o.endpoint = d.endpoint AND o.transaction_id = d.transaction_id AND o.status = 'pending' AND o.ordered > 0 AND o.seq < d.seq
      AND (d.due_at = ${NEVER} AND o.ordered = ${BEHIND} OR d.due_at < ${NEVER} AND o.ordered < ${OVERTAKEN}))`,
    sentence: 'This delivery waits behind others of its transaction, and none of them is on its way.',
  },
  {
    name: 'superseded_by',
    sql: `SELECT o.id FROM open_deliveries o JOIN deliveries d ON d.id = o.id WHERE o.status = 'failed' AND o.cause = 'superseded' AND NOT EXISTS (
      SELECT 1 FROM deliveries s WHERE s.endpoint = d.endpoint AND s.transaction_id = d.transaction_id AND ${DELIVERED})`,
    sentence: 'This delivery ended because a later event of its transaction was delivered, and none was.',
  },
];

/** The invariants behind the promises. Reads every row, in one snapshot: for `doctor`, never for the hot path. */
export function checkOperations(reads: Pool, skew: Skew) {
  return {
    check: ({ now }: { readonly now: number }): Promise<Finding[]> =>
      snapshot(reads, async (client) => {
        // It reads every row, and takes as long as that takes. What is there now does not go meanwhile: its snapshot would not know why.
        await client.query('SET LOCAL statement_timeout = 0; LOCK TABLE contents, attempt_contents IN ACCESS SHARE MODE');
        return [
          ...(await rowFindings(client, skew.toDatabase(now))),
          ...(await ledgerFindings(client)),
          ...(await moneyFindings(client)),
          ...(await balance(client)),
        ];
      }),
    ready: (): Promise<Pick<StorageFacts, 'driver' | 'durability'>> =>
      snapshot(reads, async (client) => ({ driver: 'postgres', durability: await durability(client) })),
    facts: (): Promise<StorageFacts> =>
      snapshot(reads, async (client) => {
        const { rows } = await client.query<Omit<StorageFacts, 'driver' | 'durability'>>(FACTS);
        return { driver: 'postgres', durability: await durability(client), ...(rows[0] as Omit<StorageFacts, 'driver' | 'durability'>) };
      }),
  };
}

const FACTS = `SELECT (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace) AS bytes,
  (SELECT count(*) FROM events) AS accepted, (SELECT count(*) FROM deliveries) - (SELECT count(*) FROM open_deliveries) AS delivered,
  (SELECT count(*) FROM open_deliveries WHERE status = 'failed') AS failed, (SELECT count(*) FROM open_deliveries WHERE status = 'pending') AS pending,
  (SELECT count(*) FROM events WHERE routed = 0) AS "notSubscribed"`;

async function snapshot<Result>(reads: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
  let client: PoolClient;
  try {
    client = await reads.connect();
  } catch (error) {
    throw storageError(error);
  }
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw storageError(error);
  }
}

async function rowFindings(client: PoolClient, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, sql, sentence } of INVARIANTS) {
    const { rows } = await client.query<{ id: string }>(`${sql} LIMIT ${MOST}`);
    for (const { id } of rows) findings.push({ invariant: name, id, sentence });
  }
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM open_deliveries WHERE owner IS NOT NULL AND due_at < $1 LIMIT ${MOST}`,
    [now - LEASE_GRACE_MS],
  );
  for (const { id } of rows)
    findings.push({ invariant: 'lease_in_time', id, sentence: 'The lease of this delivery ended long ago and nobody took it over.' });
  return findings;
}

interface Row extends TransactionIdentity {
  readonly seq: number;
  readonly doc: string;
}

async function* everyTransaction(client: PoolClient): AsyncGenerator<Row[]> {
  for (let after = 0; ;) {
    const { rows } = await client.query<Row>(
      `SELECT seq, id, merchant, provider, kind, key, doc FROM transactions WHERE seq > $1 ORDER BY seq LIMIT ${STEP}`,
      [after],
    );
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)?.seq ?? after;
  }
}

/** Folds every transaction from its events again and compares byte for byte. */
async function ledgerFindings(client: PoolClient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const rows of everyTransaction(client)) {
    const ids = rows.map(({ id }) => id);
    const events = await chains(client, ids);
    const children = await childrenOf(client, ids);
    for (const { seq: _seq, doc, ...identity } of rows) {
      const chain = events.get(identity.id) ?? [];
      if (chain.length > 0 && rebuilt(identity, chain, children.get(identity.id) ?? []) === doc) continue;
      findings.push({ invariant: 'ledger_is_fold', id: identity.id, sentence: 'This transaction is not what its events fold to.' });
      if (findings.length >= MOST) return findings;
    }
  }
  return findings;
}

async function childrenOf(client: PoolClient, parents: readonly string[]): Promise<Map<string, Transaction[]>> {
  const { rows } = await client.query<{ parent: string; doc: string }>(
    'SELECT parent, doc FROM transactions WHERE parent = ANY ($1::text[]) ORDER BY id',
    [encode('text', parents)],
  );
  const children = new Map<string, Transaction[]>();
  for (const { parent, doc } of rows) {
    const siblings = children.get(parent) ?? [];
    siblings.push(JSON.parse(doc) as Transaction);
    children.set(parent, siblings);
  }
  return children;
}

interface Line {
  readonly merchant: string;
  readonly provider: string;
  readonly kind: string;
  readonly status: string;
  readonly rail: string;
  readonly currency: string;
  readonly exponent: number;
}

function nameOf({ merchant, provider, kind, status, rail, currency, exponent }: Line): string {
  return [merchant, provider, kind, status, rail, currency, exponent].join(' ');
}

/** Adds up the ledger row by row and compares with the sums that the dashboard shows. */
async function moneyFindings(client: PoolClient): Promise<Finding[]> {
  const tally = new Tally();
  for await (const rows of everyTransaction(client)) for (const { doc } of rows) tally.move(null, JSON.parse(doc) as Transaction, 0);
  const counted = new Map(
    [...tally.lines.values()].filter(({ slot }) => slot === STANDING).map((line) => [nameOf(line), `${line.count} ${line.value}`]),
  );
  const { rows } = await client.query<Line & { sums: string }>(
    `SELECT merchant, provider, kind, status, rail, currency, exponent, sum(count) || ' ' || sum(value) AS sums FROM tallies
     WHERE slot = ${STANDING} AND name = 'money' GROUP BY merchant, provider, kind, status, rail, currency, exponent`,
  );
  const findings: Finding[] = [];
  for (const row of rows) {
    const line = nameOf(row);
    const expected = counted.get(line) ?? '0 0';
    counted.delete(line);
    if (row.sums === expected) continue;
    findings.push({
      invariant: 'money_adds_up',
      id: null,
      sentence: `The sum kept for ${line} is ${row.sums}, the ledger adds up to ${expected} (count, base units).`,
    });
  }
  for (const [line, sum] of counted) {
    if (sum !== '0 0')
      findings.push({
        invariant: 'money_adds_up',
        id: null,
        sentence: `No sum is kept for ${line}; the ledger adds up to ${sum} (count, base units).`,
      });
  }
  return findings;
}

/** accepted = delivered + failed + pending + not subscribed, each counted by a query of its own. */
async function balance(client: PoolClient): Promise<Finding[]> {
  const { rows } = await client.query<Record<'accepted' | 'pending' | 'failed' | 'delivered' | 'unsubscribed', number>>(
    `WITH fate AS (SELECT d.event, bool_or(o.status = 'pending') IS TRUE AS pending, bool_or(o.status = 'failed') IS TRUE AS failed
       FROM deliveries d LEFT JOIN open_deliveries o ON o.id = d.id GROUP BY d.event)
     SELECT (SELECT count(*) FROM events) AS accepted, count(*) FILTER (WHERE pending) AS pending, count(*) FILTER (WHERE failed AND NOT pending) AS failed,
       count(*) FILTER (WHERE NOT pending AND NOT failed) AS delivered,
       (SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.id)) AS unsubscribed FROM fate`,
  );
  const { accepted, pending, failed, delivered, unsubscribed } = rows[0] ?? {
    accepted: 0,
    pending: 0,
    failed: 0,
    delivered: 0,
    unsubscribed: 0,
  };
  if (pending + failed + delivered + unsubscribed === accepted) return [];
  const sentence = `accepted ${accepted} is not delivered ${delivered} + failed ${failed} + pending ${pending} + not subscribed ${unsubscribed}.`;
  return [{ invariant: 'books_balance', id: null, sentence }];
}
