import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Transaction, TransactionIdentity } from '@paybell/sdk';
import { rebuilt } from '../../ledger/refold.ts';
import { STANDING, Tally } from '../../ledger/tally.ts';
import type { Finding, StorageFacts } from '../contract.ts';
import { durability } from './connect.ts';
import { chainReader } from './chain.ts';
import { hashOf } from './keys.ts';
import { BEHIND, NEVER, OVERTAKEN } from './order.ts';
import { DELIVERED } from './stale.ts';

/** A lease may end this long before its delivery is claimed again without anything being wrong. */
const LEASE_GRACE_MS = 60_000;

/** More findings of one kind than this tell no more. */
const MOST = 100;

interface Invariant {
  readonly name: string;
  readonly sql: string;
  readonly sentence: string;
}

const INVARIANTS: readonly Invariant[] = [
  {
    name: 'event_in_log',
    sql: `SELECT id FROM requests WHERE verdict = 'accepted' AND id NOT IN (SELECT request FROM events WHERE request IS NOT NULL)`,
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
    sql: `SELECT id FROM requests WHERE expired_at IS NULL AND (body IS NULL OR length(body) <> size)`,
    sentence: 'The bytes of this request are gone or cut, and it did not expire.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT id FROM events WHERE data IS NULL AND expired_at IS NULL AND source IS NULL
      UNION ALL SELECT id FROM events e WHERE request IS NOT NULL AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.id = e.request)`,
    sentence: 'The content of this event is gone, and it did not expire.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT d.id FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload WHERE d.format <> 'request' AND p.body IS NULL AND p.expired_at IS NULL`,
    sentence: 'The body of this delivery is gone, and it did not expire.',
  },
  {
    name: 'pending_has_body',
    sql: `SELECT d.id FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload LEFT JOIN events e ON e.id = d.event AND d.format = 'request'
      LEFT JOIN requests q ON q.id = e.request WHERE d.status = 'pending' AND coalesce(p.body, q.body) IS NULL`,
    sentence: 'This delivery is still to be sent, and its body is gone.',
  },
  {
    name: 'bytes_are_kept',
    sql: `SELECT delivery AS id FROM attempts WHERE outcome <> 'unknown' AND response_headers IS NULL AND expired_at IS NULL`,
    sentence: 'What an attempt of this delivery sent and got is gone, and it did not expire.',
  },
  {
    name: 'one_fact_once',
    sql: `SELECT max(id) AS id FROM events GROUP BY scope, dedupe_key HAVING count(*) > 1`,
    sentence: 'This event has the same key as another one in the log: one fact is counted twice.',
  },
  {
    name: 'key_known',
    sql: `SELECT e.id FROM events e WHERE e.seq <= (SELECT upto FROM runs WHERE name = 'event_keys')
      AND NOT EXISTS (SELECT 1 FROM event_keys k WHERE k.hash = key_hash(e.scope || char(10) || e.dedupe_key) AND k.seq = e.seq)`,
    sentence: 'The key of this event is not in the index of keys: the same fact would be counted again.',
  },
  {
    name: 'event_in_ledger',
    sql: `SELECT id FROM events WHERE state = 'recorded' AND transaction_id IS NOT NULL AND transaction_id NOT IN (SELECT id FROM transactions)`,
    sentence: 'This event touches a transaction that is not in the ledger.',
  },
  {
    name: 'routed_has_delivery',
    sql: `SELECT e.id FROM events e WHERE e.routed > (SELECT count(*) FROM deliveries d WHERE d.event = e.id)`,
    sentence: 'This event was routed to more endpoints than it has deliveries.',
  },
  {
    name: 'delivery_has_event',
    sql: `SELECT id FROM deliveries WHERE event NOT IN (SELECT id FROM events)`,
    sentence: 'This delivery belongs to no event in the log.',
  },
  {
    name: 'success_has_attempt',
    sql: `SELECT d.id FROM deliveries d WHERE d.status = 'succeeded'
      AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery = d.id AND a.outcome = 'succeeded')`,
    sentence: 'This delivery is marked as succeeded without a successful attempt.',
  },
  {
    name: 'finished_is_final',
    sql: `SELECT id FROM deliveries WHERE (status = 'pending') <> (due_at IS NOT NULL) OR (status = 'pending') = (finished_at IS NOT NULL)`,
    sentence: 'This delivery is neither clearly pending nor clearly finished.',
  },
  {
    name: 'order_moves',
    sql: `SELECT d.id FROM deliveries d WHERE d.status = 'pending' AND d.ordered = ${BEHIND} AND NOT EXISTS (SELECT 1 FROM deliveries o
      WHERE o.endpoint = d.endpoint AND o.transaction_id = d.transaction_id AND o.status = 'pending' AND o.ordered > 0 AND o.seq < d.seq
      AND (d.due_at = ${NEVER} AND o.ordered = ${BEHIND} OR d.due_at < ${NEVER} AND o.ordered < ${OVERTAKEN}))`,
    sentence: 'This delivery waits behind others of its transaction, and none of them is on its way.',
  },
  {
    name: 'superseded_by',
    sql: `SELECT id FROM deliveries WHERE status = 'failed' AND cause = 'superseded' AND (transaction_id IS NULL
      OR endpoint || ' ' || transaction_id NOT IN (SELECT endpoint || ' ' || transaction_id FROM deliveries d WHERE ${DELIVERED} AND transaction_id IS NOT NULL))`,
    sentence: 'This delivery ended because a later event of its transaction was delivered, and none was.',
  },
];

/** The invariants behind the promises. Reads every row: for `doctor`, never for the hot path. */
export function checkOperations(db: DatabaseSync) {
  db.function('key_hash', { deterministic: true }, (key) => hashOf(String(key)));
  const number = (sql: string, ...values: (string | number)[]): number =>
    Number(Object.values(db.prepare(sql).get(...values) ?? {})[0] ?? 0);
  return {
    check({ now }: { now: number }): Finding[] {
      // One snapshot for all: what is written in between must not look like a contradiction.
      db.exec('BEGIN');
      try {
        return [...rowFindings(db, now), ...ledgerFindings(db), ...moneyFindings(db), ...balance(db), ...integrity(db)];
      } finally {
        db.exec('COMMIT');
      }
    },
    ready: (): Pick<StorageFacts, 'driver' | 'durability'> => ({ driver: 'sqlite', durability: durability(db) }),
    facts: (): StorageFacts => ({
      driver: 'sqlite',
      durability: durability(db),
      bytes: fileSize(db.location() ?? ''),
      accepted: number('SELECT count(*) FROM events'),
      delivered: number(`SELECT count(*) FROM deliveries WHERE status = 'succeeded'`),
      failed: number(`SELECT count(*) FROM deliveries WHERE status = 'failed'`),
      pending: number(`SELECT count(*) FROM deliveries WHERE status = 'pending'`),
      notSubscribed: number('SELECT count(*) FROM events WHERE routed = 0'),
    }),
  };
}

function rowFindings(db: DatabaseSync, now: number): Finding[] {
  const findings: Finding[] = [];
  for (const { name, sql, sentence } of INVARIANTS) {
    for (const row of db.prepare(`${sql} LIMIT ${MOST}`).all()) findings.push({ invariant: name, id: String(row['id']), sentence });
  }
  for (const row of db
    .prepare(`SELECT id FROM deliveries WHERE owner IS NOT NULL AND due_at < ? LIMIT ${MOST}`)
    .all(now - LEASE_GRACE_MS)) {
    findings.push({
      invariant: 'lease_in_time',
      id: String(row['id']),
      sentence: 'The lease of this delivery ended long ago and nobody took it over.',
    });
  }
  return findings;
}

function fileSize(path: string): number {
  const sizes = [path, `${path}-wal`].map((name) => statSync(name, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Folds every transaction from its events again and compares byte for byte. */
function ledgerFindings(db: DatabaseSync): Finding[] {
  const findings: Finding[] = [];
  const eventsOf = chainReader(db);
  const childrenOf = db.prepare('SELECT doc FROM transactions WHERE parent = ? ORDER BY id');
  const rows = db.prepare(
    `SELECT t.id, t.merchant, t.provider, t.kind, t.key, t.doc, t.last_event AS lastEvent, e.number FROM transactions t
     LEFT JOIN (SELECT transaction_id, count(*) AS number FROM events WHERE state = 'recorded' GROUP BY transaction_id) e ON e.transaction_id = t.id`,
  );
  for (const row of rows.iterate()) {
    const { doc, lastEvent, number, ...identity } = row as unknown as TransactionIdentity & {
      doc: string;
      lastEvent: number;
      number: number | null;
    };
    const events = eventsOf(lastEvent);
    if (events.length !== (number ?? 0)) {
      const sentence = `${number ?? 0} events of the log touch this transaction, and it is the fold of ${events.length}.`;
      findings.push({ invariant: 'event_in_ledger', id: identity.id, sentence });
    }
    const children = (childrenOf.all(identity.id) as { doc: string }[]).map((child) => JSON.parse(child.doc) as Transaction);
    if (events.length > 0 && rebuilt(identity, events, children) === doc) continue;
    findings.push({ invariant: 'ledger_is_fold', id: identity.id, sentence: 'This transaction is not what its events fold to.' });
    if (findings.length >= MOST) break;
  }
  return findings;
}

/** Adds up the ledger row by row and compares with the sums that the dashboard shows. */
function moneyFindings(db: DatabaseSync): Finding[] {
  const tally = new Tally();
  for (const row of db.prepare('SELECT doc FROM transactions').iterate())
    tally.move(null, JSON.parse(String(row['doc'])) as Transaction, 0);
  const lineOf = (line: Record<string, unknown>): string =>
    [line['merchant'], line['provider'], line['kind'], line['status'], line['rail'], line['currency'], line['exponent']].join(' ');
  const counted = new Map(
    [...tally.lines.values()].filter(({ slot }) => slot === STANDING).map((line) => [lineOf({ ...line }), `${line.count} ${line.value}`]),
  );
  const findings: Finding[] = [];
  for (const row of db.prepare(`SELECT * FROM tallies WHERE slot = ${STANDING} AND name = 'money'`).all()) {
    const line = lineOf(row);
    const kept = `${String(row['count'])} ${String(row['value'])}`;
    if (kept !== (counted.get(line) ?? '0 0')) {
      findings.push({
        invariant: 'money_adds_up',
        id: null,
        sentence: `The sum kept for ${line} is ${kept}, the ledger adds up to ${counted.get(line) ?? '0 0'} (count, base units).`,
      });
    }
    counted.delete(line);
  }
  for (const [line, sum] of counted)
    if (sum !== '0 0')
      findings.push({
        invariant: 'money_adds_up',
        id: null,
        sentence: `No sum is kept for ${line}; the ledger adds up to ${sum} (count, base units).`,
      });
  return findings;
}

/** accepted = delivered + failed + pending + not subscribed, each counted by a query of its own. */
function balance(db: DatabaseSync): Finding[] {
  const states = db
    .prepare(
      `WITH fate AS (SELECT event, max(status = 'pending') AS pending, max(status = 'failed') AS failed FROM deliveries GROUP BY event)
       SELECT (SELECT count(*) FROM events) AS accepted, sum(pending) AS pending, sum(failed AND NOT pending) AS failed,
         sum(NOT pending AND NOT failed) AS delivered, (SELECT count(*) FROM events WHERE id NOT IN (SELECT event FROM deliveries)) AS unsubscribed FROM fate`,
    )
    .get() as Record<string, number | null>;
  const { accepted, pending, failed, delivered, unsubscribed } = states;
  const sum = (pending ?? 0) + (failed ?? 0) + (delivered ?? 0) + (unsubscribed ?? 0);
  if (sum === accepted) return [];
  const sentence = `accepted ${accepted} is not delivered ${delivered ?? 0} + failed ${failed ?? 0} + pending ${pending ?? 0} + not subscribed ${unsubscribed}.`;
  return [{ invariant: 'books_balance', id: null, sentence }];
}

function integrity(db: DatabaseSync): Finding[] {
  const rows = db
    .prepare('PRAGMA quick_check')
    .all()
    .map((row) => String(Object.values(row)[0]));
  if (rows.length === 1 && rows[0] === 'ok') return [];
  return rows.slice(0, MOST).map((sentence) => ({ invariant: 'integrity', id: null, sentence }));
}
