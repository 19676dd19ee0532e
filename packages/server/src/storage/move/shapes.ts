import type { Transaction } from '@paybell/sdk';
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
export const LEFT_BEHIND: ReadonlySet<string> = new Set(['runs', 'event_keys', 'transaction_ids', 'refs', 'payloads']);

const text = (value: SourceValue | undefined): string => String(value);

/** In this order: what is small first, so that a wrong target is found at once. */
export const SHAPES: readonly Shape[] = [
  ...['notes', 'merchants', 'sources', 'endpoints', 'keys', 'ended_sessions', 'failing', 'kept_back'].map((table): Shape => ({ table })),
  { table: 'tallies', make: (rows) => ({ tallies: rows.map((row) => ({ ...row, shard: 0 })) }) },
  { table: 'requests', select: 'SELECT * FROM requests ORDER BY seq', sequence: 'requests_seq_seq' },
  { table: 'resends', select: 'SELECT * FROM resends ORDER BY seq', sequence: 'resends_seq_seq' },
  {
    table: 'events',
    select: 'SELECT * FROM events ORDER BY seq',
    without: ['scope', 'previous'],
    make: (rows) => ({
      events: rows.map((row) => ({ ...row, fact: factOf({ scope: text(row['scope']), dedupeKey: text(row['dedupe_key']) }) })),
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
    without: ['seq'],
  },
  {
    table: 'deliveries',
    select: 'SELECT d.*, p.body, p.expired_at FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload ORDER BY d.seq',
    without: ['payload'],
    fills: ['deliveries', 'open_deliveries', 'attempts'],
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
  return {
    deliveries: withSharedBodies(rows),
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

/** Deliveries of one event in one format share a body: the first one holds it. They were written one after the other. */
function withSharedBodies(rows: readonly SourceRow[]): SourceRow[] {
  const holders = new Map<SourceValue, SourceValue>();
  return rows.map((row) => {
    const { payload = null, id = null } = row;
    const holder = payload === null ? undefined : holders.get(payload);
    if (holder !== undefined) return { ...row, body_of: holder, body: null };
    if (payload !== null) holders.set(payload, id);
    return { ...row, body_of: null };
  });
}
