import type { PoolClient } from 'pg';
import type { Arrival, NewEvent, RecordedEvent, RequestVerdict } from '../contract.ts';
import { encode } from './arrays.ts';

/** What a try before this one left in the database, when its connection broke before the answer. */
export interface Written {
  readonly requests: ReadonlyMap<string, RequestVerdict>;
  readonly events: ReadonlyMap<string, { readonly recorded: RecordedEvent; readonly transactions: readonly string[] }>;
}

const REQUESTS = {
  name: 'written_requests',
  text: 'SELECT q.id, q.verdict FROM unnest($1::text[]) AS r (id) JOIN requests q ON q.id = r.id',
};

const EVENTS = {
  name: 'written_events',
  text: `SELECT e.id, (SELECT count(*) FROM deliveries d WHERE d.event = e.id)::int AS deliveries, t.doc,
      (SELECT json_object_agg(d.id, convert_from(coalesce(d.body, p.body), 'UTF8')) FROM deliveries d LEFT JOIN deliveries p ON p.id = d.body_of
        WHERE d.event = e.id AND d.format = 'transaction') AS bodies
    FROM unnest($1::text[]) AS r (id) JOIN events e ON e.id = r.id LEFT JOIN transactions t ON t.id = e.transaction_id`,
};

interface EventRow {
  readonly id: string;
  readonly deliveries: number;
  readonly doc: string | null;
  readonly bodies: Record<string, string> | null;
}

/** Looks for the batch's own ids: `arrivals` where a commit may stand, `events` those whose key was taken. */
export async function written(
  client: PoolClient,
  { arrivals, events }: { arrivals: readonly Arrival[]; events: readonly NewEvent[] },
): Promise<Written> {
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
    requests: new Map(requests.map(({ id, verdict }) => [id, verdict])),
    events: new Map(
      rows.map(({ id, deliveries, doc, bodies }) => [
        id,
        { recorded: { outcome: 'stored', id, deliveries, bodies }, transactions: doc === null ? [] : [doc] },
      ]),
    ),
  };
}
