import type { Transaction } from '@paybell/sdk';
import type { Contents } from '../postgres/contents.ts';
import { factOf } from '../postgres/log.ts';
import { indexed } from '../postgres/refs.ts';
import type { SourceRow, SourceValue } from './source.ts';

/** Rows for tables of the target, made of rows of one table of the source. */
export type Written = Readonly<Record<string, readonly SourceRow[]>>;

/** How the rows of one table are moved. Columns of the same name are taken as they are. */
export interface Shape {
  readonly table: string;
  /** The rows; `SELECT * FROM table` unless told. */
  readonly select?: string;
  /** Columns of the source that the target does without, because it keeps the same otherwise. */
  readonly without?: readonly string[];
  /** The tables of the target that it fills; the one of the same name unless told. */
  readonly fills?: readonly string[];
  /** What a batch becomes; the same rows unless told. */
  readonly make?: (rows: readonly SourceRow[], now: number) => Written;
  /** The sequence that numbers its rows, where that is not the table's own. */
  readonly sequence?: string;
}

/** Indexes that the embedded store keeps as tables, and what moves inside other rows. */
export const LEFT_BEHIND: ReadonlySet<string> = new Set(['runs', 'event_keys', 'transaction_ids', 'refs', 'payloads', 'kept_back']);

const CONTENT_OF_ATTEMPT = ['request_headers', 'response_headers', 'response_body'];

/** When content was recorded, and when it expired; by the table of the target that would hold it. */
export const EXPIRED: Readonly<Record<Contents, string>> = {
  contents: `SELECT received_at AS at, expired_at FROM requests UNION ALL SELECT recorded_at, expired_at FROM events WHERE source IS NULL
    UNION ALL SELECT d.created_at, p.expired_at FROM deliveries d JOIN payloads p ON p.id = d.payload`,
  attempt_contents: 'SELECT started_at AS at, expired_at FROM attempts',
};

const text = (value: SourceValue | undefined): string => String(value);

/** In this order: what is small first, so that a wrong target is found at once. */
export const SHAPES: readonly Shape[] = [
  ...['notes', 'merchants', 'sources', 'endpoints', 'keys', 'ended_sessions', 'failing'].map((table): Shape => ({ table })),
  { table: 'tallies', make: (rows) => ({ tallies: rows.map((row) => ({ ...row, shard: 0 })) }) },
  {
    table: 'requests',
    select: 'SELECT * FROM requests ORDER BY seq',
    without: ['expired_at'],
    fills: ['requests', 'contents'],
    make: (rows) => ({
      requests: rows,
      contents: rows.flatMap(({ received_at: at = null, id = null, headers = null, body = null }) =>
        body === null ? [] : [{ at, id, headers, body }],
      ),
    }),
    sequence: 'requests_seq_seq',
  },
  { table: 'resends', select: 'SELECT * FROM resends ORDER BY seq', sequence: 'resends_seq_seq' },
  {
    table: 'events',
    select: 'SELECT * FROM events ORDER BY seq',
    without: ['scope', 'previous', 'expired_at'],
    fills: ['events', 'contents'],
    make: (rows) => ({
      events: rows.map((row) => ({ ...row, fact: factOf({ scope: text(row['scope']), dedupeKey: text(row['dedupe_key']) }) })),
      contents: rows.flatMap(({ recorded_at: at = null, id = null, data = null }) => (data === null ? [] : [{ at, id, data }])),
    }),
    sequence: 'events_seq',
  },
  {
    table: 'transactions',
    select: 'SELECT * FROM transactions ORDER BY seq',
    without: ['last_event'],
    fills: ['transactions', 'refs'],
    make: (rows) => ({ transactions: rows, refs: rows.flatMap(referencesOf) }),
    sequence: 'transactions_seq',
  },
  {
    table: 'attempts',
    select: `SELECT a.*, coalesce(CASE WHEN a.n = d.attempt_count THEN d.finished_at END, a.started_at + CAST(a.duration_ms AS INTEGER)) AS finished_at
      FROM attempts a LEFT JOIN deliveries d ON d.id = a.delivery ORDER BY a.seq`,
    without: ['seq', 'expired_at'],
    fills: ['attempts', 'attempt_contents'],
    make: (rows) => ({
      attempts: rows,
      attempt_contents: rows.flatMap((row) =>
        CONTENT_OF_ATTEMPT.every((column) => (row[column] ?? null) === null) ? [] : [{ ...row, at: row['started_at'] ?? null }],
      ),
    }),
  },
  {
    table: 'deliveries',
    select: `SELECT d.*, p.body, q.id AS request, q.received_at FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload
      LEFT JOIN events e ON d.format = 'request' AND e.id = d.event LEFT JOIN requests q ON q.id = e.request ORDER BY d.seq`,
    without: ['payload'],
    fills: ['deliveries', 'open_deliveries', 'attempts', 'contents'],
    make: deliveries,
    sequence: 'deliveries_seq',
  },
];

function referencesOf({ seq = null, merchant = null, doc }: SourceRow): SourceRow[] {
  return indexed(JSON.parse(text(doc)) as Transaction).map((value) => ({ transaction_seq: seq, merchant, value }));
}

/**
 * What has succeeded is a fact; what has not is open. A lease was held by a process that is gone: what it was trying is an attempt of
 * which nobody knows the end, and is due now, as at every start after a crash.
 */
function deliveries(rows: readonly SourceRow[], now: number): Written {
  const open = rows.filter(({ status }) => status !== 'succeeded');
  const leased = open.filter(({ owner }) => owner !== null);
  const made = withSharedBodies(rows);
  return {
    deliveries: made,
    contents: made.flatMap(({ created_at: at = null, id = null, body = null }) => (body === null ? [] : [{ at, id, body }])),
    open_deliveries: open.map((row) => ({
      ...row,
      transaction_id: row['ordered'] === 0 ? null : (row['transaction_id'] ?? null),
      ...(row['owner'] === null ? {} : { owner: null, started_at: null, due_at: now }),
    })),
    attempts: leased.map(({ id = null, attempt_count: n = null, started_at: startedAt = null, due_at: dueAt = null }) => ({
      delivery: id,
      n,
      started_at: startedAt ?? dueAt,
      outcome: 'unknown',
      cause: 'interrupted',
      truncated: 0,
    })),
  };
}

/**
 * Deliveries of one event in one format share a body: the first one holds it. They were written one after the other. Those that pass a
 * request on have its.
 */
function withSharedBodies(rows: readonly SourceRow[]): SourceRow[] {
  const holders = new Map<SourceValue, { readonly body_of: SourceValue; readonly body_at: SourceValue }>();
  return rows.map((row) => {
    const { payload = null, request = null, received_at: receivedAt = null, created_at: at = null, id = null } = row;
    if (payload === null) return { ...row, body_of: request, body_at: receivedAt };
    const holder = holders.get(payload);
    if (holder !== undefined) return { ...row, ...holder, body: null };
    holders.set(payload, { body_of: id, body_at: at });
    return row;
  });
}
