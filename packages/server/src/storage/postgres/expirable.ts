import type { PoolClient } from 'pg';
import { encode } from './arrays.ts';

/** Rows whose time is over, in order. */
export interface Dropping {
  readonly seqs: readonly number[];
  readonly now: number;
  readonly before: number;
  readonly bytes: number;
}

/** A table whose rows lose their content one after the other. */
export interface Walk {
  /** Kept back rows whose turn it is ($2, $3), and those that come next after the note ($1), $4 at most of each. */
  readonly look: { readonly name: string; readonly text: string };
  /** For each row how many bytes went, or null where it is needed still; fewer answers than rows where enough bytes went. */
  drop(client: PoolClient, dropping: Dropping): Promise<(number | null)[]>;
}

const look = (
  table: string,
  time: string,
): string => `WITH again AS (SELECT look_at, seq FROM kept_back WHERE what = $2 AND look_at <= $3 ORDER BY look_at LIMIT $4)
  SELECT k.look_at AS "lookAt", k.seq, t.${time} AS at FROM again k LEFT JOIN ${table} t ON t.seq = k.seq
  UNION ALL (SELECT NULL, seq, ${time} FROM ${table} WHERE seq > coalesce((SELECT text::bigint FROM notes WHERE name = $1), 0) ORDER BY seq LIMIT $4)`;

// Events of one request are numbered in one statement: between them stand those of other nodes at that moment, and repeats.
const NEAR = '(q.events * 4 + 5000)';

const MEMBERS = {
  name: 'expire_members',
  text: `SELECT r.seq AS of, m.seq, m.id, m.data, q.id AS request, q.size, q.events FROM unnest($1::int8[]) AS r (seq) JOIN events e ON e.seq = r.seq
    LEFT JOIN requests q ON q.id = e.request CROSS JOIN LATERAL (
      SELECT e.seq, e.id, pg_column_size(e.data) AS data WHERE coalesce(q.events, 1) <= 1
      UNION ALL SELECT s.seq, s.id, pg_column_size(s.data) FROM events s
        WHERE q.events > 1 AND s.request = q.id AND s.seq BETWEEN e.seq - ${NEAR} AND e.seq + ${NEAR}) m
    WHERE e.request IS NULL OR q.expired_at IS NULL`,
};

interface Member {
  readonly of: number;
  readonly seq: number;
  readonly id: string;
  readonly data: number | null;
  readonly request: string | null;
  readonly size: number | null;
  readonly events: number | null;
}

// Whoever makes a delivery of the event holds it: it is not waited for, it is needed still. Another statement, so that it sees what they wrote.
const HOLD = { name: 'expire_hold', text: 'SELECT seq FROM events WHERE seq = ANY ($1::int8[]) FOR UPDATE SKIP LOCKED' };

const NEEDED = {
  name: 'expire_needed',
  text: `SELECT DISTINCT d.event FROM deliveries d JOIN open_deliveries o ON o.id = d.id WHERE d.event = ANY ($1::text[]) AND o.status = 'pending'`,
};

const EMPTY_REQUESTS = {
  name: 'expire_requests',
  text: `UPDATE requests SET body = NULL, headers = '[]', expired_at = $2 WHERE id = ANY ($1::text[]) AND expired_at IS NULL`,
};

const EMPTY_EVENTS = {
  name: 'expire_events',
  text: 'UPDATE events SET data = NULL, expired_at = $2 WHERE seq = ANY ($1::int8[]) AND data IS NOT NULL',
};

const EMPTY_DELIVERIES = {
  name: 'expire_deliveries',
  text: `WITH sent AS (SELECT id, event, octet_length(body) AS bytes FROM deliveries WHERE event = ANY ($1::text[]) AND body IS NOT NULL)
    UPDATE deliveries d SET body = NULL, expired_at = $2 FROM sent s WHERE d.id = s.id RETURNING s.event, s.bytes`,
};

/** An event, the request that brought it and the bodies of its deliveries: all or nothing, and nothing while one of them is pending. */
export const eventExpiry: Walk = {
  look: { name: 'expire_look_events', text: look('events', 'recorded_at') },
  async drop(client, { seqs, now, bytes }) {
    if (seqs.length === 0) return [];
    const { rows } = await client.query<Member>({ ...MEMBERS, values: [encode('int8', seqs)] });
    const groups = Map.groupBy(rows, ({ of }) => of);
    const taken = within(seqs, bytes, (seq) =>
      (groups.get(seq) ?? []).reduce((sum, { data }) => sum + (data ?? 0), groups.get(seq)?.[0]?.size ?? 0),
    );
    const members = taken.flatMap((seq) => groups.get(seq) ?? []);
    const held = await client.query<{ seq: number }>({
      ...HOLD,
      values: [
        encode(
          'int8',
          members.map(({ seq }) => seq),
        ),
      ],
    });
    const needed = await client.query<{ event: string }>({
      ...NEEDED,
      values: [
        encode(
          'text',
          members.map(({ id }) => id),
        ),
      ],
    });
    const mine = new Set(held.rows.map(({ seq }) => seq));
    const pending = new Set(needed.rows.map(({ event }) => event));
    const free = (seq: number): boolean => {
      const group = groups.get(seq) ?? [];
      return group.length >= (group[0]?.events ?? 1) && group.every((one) => mine.has(one.seq) && !pending.has(one.id));
    };
    const going = taken.filter((seq) => groups.has(seq) && free(seq));
    const sent = await empty(
      client,
      going.flatMap((seq) => groups.get(seq) ?? []),
      now,
    );
    const counted = new Set<string>();
    return taken.map((seq) => {
      const group = groups.get(seq);
      if (group === undefined) return 0;
      if (!free(seq)) return null;
      const [{ request }] = group as [Member];
      // The events of one request go together: they are counted once.
      if (request !== null && counted.has(request)) return 0;
      if (request !== null) counted.add(request);
      return group.reduce((sum, { id, data }) => sum + (data ?? 0) + (sent.get(id) ?? 0), group[0]?.size ?? 0);
    });
  },
};

async function empty(client: PoolClient, members: readonly Member[], now: number): Promise<Map<string, number>> {
  if (members.length === 0) return new Map();
  const requests = [...new Set(members.flatMap(({ request }) => request ?? []))];
  const events = members.flatMap(({ seq, data }) => (data === null ? [] : [seq]));
  const [, , sent] = await Promise.all([
    client.query({ ...EMPTY_REQUESTS, values: [encode('text', requests), now] }),
    client.query({ ...EMPTY_EVENTS, values: [encode('int8', events), now] }),
    client.query<{ event: string; bytes: number }>({
      ...EMPTY_DELIVERIES,
      values: [
        encode(
          'text',
          members.map(({ id }) => id),
        ),
        now,
      ],
    }),
  ]);
  const sums = new Map<string, number>();
  for (const { event, bytes } of sent.rows) sums.set(event, (sums.get(event) ?? 0) + bytes);
  return sums;
}

const MADE = {
  name: 'expire_made',
  text: `SELECT d.seq, d.id, coalesce(o.status = 'pending', false) AS pending, coalesce(max(a.started_at), 0) AS last,
      coalesce(sum(coalesce(octet_length(a.response_body), 0) + coalesce(pg_column_size(a.request_headers), 0) + coalesce(pg_column_size(a.response_headers), 0)), 0)::int8 AS bytes
    FROM deliveries d LEFT JOIN open_deliveries o ON o.id = d.id LEFT JOIN attempts a ON a.delivery = d.id
    WHERE d.seq = ANY ($1::int8[]) GROUP BY d.seq, o.status`,
};

const EMPTY_ATTEMPTS = {
  name: 'expire_attempts',
  text: `UPDATE attempts SET request_headers = NULL, response_headers = NULL, response_body = NULL, expired_at = $2
    WHERE delivery = ANY ($1::text[]) AND expired_at IS NULL
    AND (request_headers IS NOT NULL OR response_headers IS NOT NULL OR response_body IS NOT NULL)`,
};

interface Made {
  readonly seq: number;
  readonly id: string;
  readonly pending: boolean;
  readonly last: number;
  readonly bytes: number;
}

/** The headers and answers of a delivery's attempts, once it is finished and the last of them is old enough. */
export const attemptExpiry: Walk = {
  look: { name: 'expire_look_attempts', text: look('deliveries', 'created_at') },
  async drop(client, { seqs, now, before, bytes }) {
    if (seqs.length === 0) return [];
    const { rows } = await client.query<Made>({ ...MADE, values: [encode('int8', seqs)] });
    const made = new Map(rows.map((row) => [row.seq, row]));
    const taken = within(seqs, bytes, (seq) => made.get(seq)?.bytes ?? 0);
    const results = taken.map((seq) => {
      const row = made.get(seq);
      if (row === undefined) return 0;
      return row.pending || row.last >= before ? null : row.bytes;
    });
    const going = taken.flatMap((seq, index) => (results[index] === null ? [] : (made.get(seq)?.id ?? [])));
    await client.query({ ...EMPTY_ATTEMPTS, values: [encode('text', going), now] });
    return results;
  },
};

/** As many of the first as it takes to reach `bytes`. */
function within(seqs: readonly number[], bytes: number, size: (seq: number) => number): readonly number[] {
  let sum = 0;
  for (const [index, seq] of seqs.entries()) {
    sum += size(seq);
    if (sum >= bytes) return seqs.slice(0, index + 1);
  }
  return seqs;
}
