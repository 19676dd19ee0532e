import { hash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { NewEvent, NewRequest, RequestVerdict } from '../contract.ts';
import { encode, typedRowsOf } from './arrays.ts';
import type { RowTypes } from './arrays.ts';
import { TAKE_PLACE } from './numbered.ts';
import { stepOver } from './steps.ts';
import type { Step } from './steps.ts';

const FACT_BYTES = 16;

/** What makes two events one fact, whatever the length of the key. `scope` is the source, or the merchant of a published event. */
export function factOf({ scope, dedupeKey }: { readonly scope: string; readonly dedupeKey: string }): Buffer {
  return hash('sha256', `${scope}\n${dedupeKey}`, 'buffer').subarray(0, FACT_BYTES);
}

const factOfEvent = ({ source, merchant, dedupeKey }: NewEvent): Buffer => factOf({ scope: source ?? merchant, dedupeKey });

const EVENTS = typedRowsOf('event_row', {
  sequence: 'int8',
  occurred_at: 'int8',
  recorded_at: 'int8',
  item: 'int8',
  routed: 'int8',
  id: 'text',
  merchant: 'text',
  provider: 'text',
  source: 'text',
  request: 'text',
  type: 'text',
  dedupe_key: 'text',
  fact: 'bytea',
  digest: 'text',
  state: 'text',
  note: 'text',
  transaction_id: 'text',
  movement: 'text',
});

/**
 * Takes the locks of the transactions that the batch touches, then inserts what is new. Locks and keys are each taken in sorted order,
 * so that two nodes wait for each other instead of standing in each other's way; numbers are given in the order of arrival, after the
 * place among all transactions is taken (numbered.ts). Says which are new only where some are not.
 */
const INSERT_EVENTS = {
  name: 'record_events',
  text: `WITH locked AS MATERIALIZED (
      SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(id, 0) AS key FROM unnest($1::text[]) AS t (id) ORDER BY 1) k),
    inserted AS (INSERT INTO events (seq, ${EVENTS.names}) SELECT seq, ${EVENTS.names} FROM (SELECT nextval('events_seq') AS seq, r.* FROM ${EVENTS.unnest(2)} OFFSET 0) arrived
      WHERE (SELECT count(*) FROM locked) >= 0 AND (SELECT ${TAKE_PLACE}) IS NOT NULL ORDER BY fact, seq ON CONFLICT (fact) DO NOTHING RETURNING id)
    SELECT CASE WHEN count(*) < $3 THEN coalesce(array_agg(id), '{}') END AS fresh FROM inserted`,
};

/** An event that stood in the log before. */
export interface Known {
  readonly id: string;
  readonly digest: string;
  readonly request: string | null;
  readonly duplicates: number;
  readonly deliveries: number;
}

const KNOWN = {
  name: 'record_known',
  text: `SELECT f.at, e.id, e.digest, e.request, e.duplicates, (SELECT count(*) FROM deliveries d WHERE d.event = e.id)::int AS deliveries
    FROM unnest($1::bytea[]) WITH ORDINALITY AS f (fact, at) JOIN events e ON e.fact = ANY (ARRAY[f.fact])`,
};

/** Inserts the new events of a batch; answers with the ids of those that are really new. `locks` are ids of transactions. */
export async function insertEvents(
  client: PoolClient,
  events: readonly NewEvent[],
  { locks, types }: { readonly locks: readonly string[]; readonly types: RowTypes },
): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const rows = events.map(eventRow);
  const values = [encode('text', locks), EVENTS.bind(rows, types), rows.length];
  const { rows: answers } = await client.query<{ fresh: readonly string[] | null }>({ ...INSERT_EVENTS, values });
  return new Set(answers[0]?.fresh ?? rows.map(({ id }) => id));
}

const INSERT_NEW_EVENTS = stepOver('events', {
  rows: EVENTS,
  text: (rows) => `recorded AS (INSERT INTO events (seq, ${EVENTS.names})
    SELECT seq, ${EVENTS.names} FROM (SELECT nextval('events_seq') AS seq, r.* FROM ${rows} OFFSET 0) arrived ORDER BY fact)`,
});

/** Inserts events that are all new: fails where one of them is not. */
export function insertNewEvents(events: readonly NewEvent[]): Step[] {
  return INSERT_NEW_EVENTS(events.map(eventRow));
}

function eventRow(event: NewEvent) {
  return {
    sequence: event.sequence,
    occurred_at: event.occurredAt,
    recorded_at: event.recordedAt,
    item: event.item,
    routed: event.deliveries.length,
    id: event.id,
    merchant: event.merchant,
    provider: event.provider,
    source: event.source,
    request: event.request,
    type: event.type,
    dedupe_key: event.dedupeKey,
    fact: factOfEvent(event),
    digest: event.digest,
    state: event.state,
    note: event.note,
    transaction_id: event.transaction,
    movement: event.movement === null ? null : JSON.stringify(event.movement),
  };
}

/** For each event, the one that holds its key. */
export async function knownEvents(client: PoolClient, events: readonly NewEvent[]): Promise<Map<NewEvent, Known>> {
  const { rows } = await client.query<Known & { at: number }>({ ...KNOWN, values: [encode('bytea', events.map(factOfEvent))] });
  return new Map(rows.map(({ at, ...known }) => [events[at - 1] as NewEvent, known]));
}

const COUNT_REPEATS = {
  name: 'record_repeats',
  text: `WITH r AS (SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[]) AS r (id, duplicates, variants) ORDER BY id)
    UPDATE events e SET duplicates = e.duplicates + r.duplicates, variants = e.variants + r.variants FROM r WHERE e.id = ANY (ARRAY[r.id])`,
};

export interface Repeats {
  readonly id: string;
  duplicates: number;
  variants: number;
}

/** Counts what came again. */
export function countRepeats(client: PoolClient, repeats: readonly Repeats[]): Promise<unknown> {
  const values = [
    encode(
      'text',
      repeats.map(({ id }) => id),
    ),
    encode(
      'int8',
      repeats.map(({ duplicates }) => duplicates),
    ),
    encode(
      'int8',
      repeats.map(({ variants }) => variants),
    ),
  ];
  return client.query({ ...COUNT_REPEATS, values });
}

const MARK_EVENTS = {
  name: 'record_marks',
  text: 'UPDATE events e SET state = r.state, note = r.note FROM unnest($1::text[], $2::text[], $3::text[]) AS r (id, state, note) WHERE e.id = ANY (ARRAY[r.id])',
};

/** Marks events that could not be folded. */
export function markEvents(client: PoolClient, marks: ReadonlyMap<string, string>): Promise<unknown> {
  const ids = [...marks.keys()];
  return client.query({
    ...MARK_EVENTS,
    values: [
      encode('text', ids),
      encode(
        'text',
        ids.map(() => 'fold_failed'),
      ),
      encode('text', [...marks.values()]),
    ],
  });
}

const REQUESTS = typedRowsOf('request_row', {
  received_at: 'int8',
  size: 'int8',
  duplicates: 'int8',
  events: 'int8',
  id: 'text',
  merchant: 'text',
  source: 'text',
  provider: 'text',
  verdict: 'text',
  reason: 'text',
  diagnosis: 'text',
  sha256: 'text',
});

const insertRequestsAs = (name: string, onConflict = '') =>
  stepOver(name, {
    rows: REQUESTS,
    text: (rows) => `${name} AS (INSERT INTO requests (${REQUESTS.names}) SELECT ${REQUESTS.names} FROM ${rows}${onConflict})`,
  });

const INSERT_NEW = insertRequestsAs('requests');

const INSERT_KNOWN = insertRequestsAs(
  'requests_known',
  ` ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, diagnosis = excluded.diagnosis, events = excluded.events
    WHERE requests.verdict = 'rejected'`,
);

export interface RequestToWrite {
  readonly request: NewRequest;
  readonly verdict: RequestVerdict;
  readonly reason: string | null;
  /** How many new events it brings. */
  readonly events: number;
  /** Repeats of its events within the same batch. */
  duplicates: number;
}

/** Inserts requests. Those already kept get their new verdict; where one was pruned in between, it is written once more. */
export function insertRequests(requests: readonly RequestToWrite[]): Step[] {
  return [
    ...INSERT_NEW(requests.filter(({ request }) => request.known !== true).map(requestRow)),
    ...INSERT_KNOWN(requests.filter(({ request }) => request.known === true).map(requestRow)),
  ];
}

function requestRow({ request, verdict, reason, events, duplicates }: RequestToWrite) {
  const { receivedAt, body, id, merchant, source, provider, diagnosis, sha256 } = request;
  return {
    received_at: receivedAt,
    size: body.byteLength,
    duplicates,
    events,
    id,
    merchant,
    source,
    provider,
    verdict,
    reason,
    diagnosis,
    sha256,
  };
}

const COUNT_ON_REQUESTS = {
  name: 'record_on_requests',
  text: 'UPDATE requests q SET duplicates = q.duplicates + r.n FROM unnest($1::text[], $2::int8[]) AS r (id, n) WHERE q.id = ANY (ARRAY[r.id])',
};

/** Counts repeats on the requests that brought the events first. */
export function countOnRequests(client: PoolClient, counts: ReadonlyMap<string, number>): Promise<unknown> {
  const lines = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return client.query({
    ...COUNT_ON_REQUESTS,
    values: [
      encode(
        'text',
        lines.map(([id]) => id),
      ),
      encode(
        'int8',
        lines.map(([, n]) => n),
      ),
    ],
  });
}
