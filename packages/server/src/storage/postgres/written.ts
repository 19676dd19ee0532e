import type { PoolClient } from 'pg';
import type { Arrival, NewEvent, RecordedEvent, RequestVerdict } from '../contract.ts';
import { encode } from './arrays.ts';
import { HOLD } from './contents.ts';
import { BODY_FROM } from './deliveries.ts';
import { BEGIN_NUMBERING } from './numbered.ts';

/** What a try before this one left in the database, when its connection broke before the answer, or another process that judged the same request. */
export interface Written {
  readonly requests: ReadonlyMap<string, RequestVerdict>;
  readonly events: ReadonlyMap<string, { readonly recorded: RecordedEvent; readonly transactions: readonly string[] }>;
}

const REQUESTS = {
  name: 'written_requests',
  text: 'SELECT q.id, q.verdict FROM unnest($1::text[]) AS r (id) JOIN requests q ON q.id = ANY (ARRAY[r.id])',
};

const EVENTS = {
  name: 'written_events',
  text: `SELECT e.id, (SELECT count(*) FROM deliveries d WHERE d.event = e.id)::int AS deliveries, t.doc,
      (SELECT json_object_agg(d.id, convert_from(c.body, 'UTF8')) FROM deliveries d ${BODY_FROM}
        WHERE d.event = e.id AND d.format = 'transaction') AS bodies
    FROM unnest($1::text[]) AS r (id) JOIN events e ON e.id = ANY (ARRAY[r.id]) LEFT JOIN transactions t ON t.id = ANY (ARRAY[e.transaction_id])`,
};

interface EventRow {
  readonly id: string;
  readonly deliveries: number;
  readonly doc: string | null;
  readonly bodies: Record<string, string> | null;
}

/** Of requests that are judged again, those that somebody else has taken in by now, and those that wait in the quarantine still. */
export interface Decided {
  readonly taken: ReadonlyMap<string, RequestVerdict>;
  readonly rejected: ReadonlySet<string>;
}

export const NONE_DECIDED: Decided = { taken: new Map(), rejected: new Set() };

/** Begins the commit with the locks of quarantined requests: two that judge the same one do so one after the other. */
const DECIDED = {
  name: 'decided_requests',
  text: 'SELECT id, verdict FROM requests WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE',
};

/** Holds their contents as well. */
export async function decidedRequests(client: PoolClient, again: readonly Arrival[]): Promise<Decided> {
  const ids = again.flatMap(({ request }) => (request === null ? [] : [request.id]));
  await Promise.all([client.query(BEGIN_NUMBERING), client.query(HOLD)]);
  const { rows } = await client.query<{ id: string; verdict: RequestVerdict }>({ ...DECIDED, values: [encode('text', ids)] });
  return {
    taken: new Map(rows.flatMap(({ id, verdict }) => (verdict === 'rejected' ? [] : [[id, verdict]]))),
    rejected: new Set(rows.flatMap(({ id, verdict }) => (verdict === 'rejected' ? [id] : []))),
  };
}

interface Wanted {
  readonly arrivals: readonly Arrival[];
  readonly events: readonly NewEvent[];
  readonly decided: Decided['taken'];
}

/** Looks for the batch's own ids: `arrivals` where a commit may stand, `events` those whose key was taken. */
export async function written(client: PoolClient, { arrivals, events, decided }: Wanted): Promise<Written> {
  const ids = arrivals.flatMap(({ request }) => (request === null ? [] : [request.id]));
  const [requests, rows] = await Promise.all([
    ids.length === 0
      ? []
      : client.query<{ id: string; verdict: RequestVerdict }>({ ...REQUESTS, values: [encode('text', ids)] }).then((answer) => answer.rows),
    events.length === 0
      ? []
      : client
          .query<EventRow>({
            ...EVENTS,
            values: [
              encode(
                'text',
                events.map(({ id }) => id),
              ),
            ],
          })
          .then((answer) => answer.rows),
  ]);
  return {
    requests: new Map([...decided, ...requests.map(({ id, verdict }) => [id, verdict] as const)]),
    events: new Map(
      rows.map(({ id, deliveries, doc, bodies }) => [
        id,
        { recorded: { outcome: 'stored', id, deliveries, bodies }, transactions: doc === null ? [] : [doc] },
      ]),
    ),
  };
}
