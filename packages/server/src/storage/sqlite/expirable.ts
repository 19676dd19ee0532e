import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

interface Emptied {
  readonly key: 'seq' | 'id';
  /** Columns that hold content, with what stands there afterwards. */
  readonly dropped: Readonly<Record<string, null | string>>;
}

/**
 * Writes a row anew without its content. SQLite joins pages that have become almost empty where a row is deleted, not where it is
 * updated: so the room is used again.
 */
function emptier(db: DatabaseSync, table: string, { key, dropped }: Emptied): (row: number, now: number) => void {
  const kept = db
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map((column) => String(column['name']))
    .filter((name) => name !== 'expired_at' && !Object.hasOwn(dropped, name));
  const read = db.prepare(`SELECT ${kept.join(', ')} FROM ${table} WHERE ${key} = ?`);
  const remove = db.prepare(`DELETE FROM ${table} WHERE ${key} = ?`);
  const columns = [...kept, 'expired_at', ...Object.keys(dropped)];
  const insert = db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`);
  return (row, now) => {
    const found = read.get(row);
    if (found === undefined) return;
    remove.run(row);
    insert.run(...(Object.values(found) as SQLInputValue[]), now, ...Object.values(dropped));
  };
}

export const requestEmptier = (db: DatabaseSync) => emptier(db, 'requests', { key: 'seq', dropped: { headers: '[]', body: null } });

/** A table whose rows lose their content one after the other. */
export interface Walk {
  /** The next rows in order, each with the time that its age counts from. */
  after(seq: number, limit: number): { readonly seq: number; readonly at: number }[];
  /** That time; null where the row is gone. */
  at(seq: number): number | null;
  /** Drops the content of a row; answers how many bytes went, or null where it is needed still. */
  drop(seq: number, when: { readonly now: number; readonly before: number }): number | null;
}

interface EventRow {
  readonly seq: number;
  readonly id: string;
  readonly request: string | null;
  readonly dataBytes: number | null;
}

/** An event, the request that brought it and the bodies of its deliveries: all or nothing, and nothing while one of them is pending. */
export function eventExpiry(db: DatabaseSync): Walk {
  const next = db.prepare('SELECT seq, recorded_at AS at FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
  const time = db.prepare('SELECT recorded_at AS at FROM events WHERE seq = ?');
  const columns = 'SELECT seq, id, request, length(data) AS dataBytes FROM events';
  const event = db.prepare(`${columns} WHERE seq = ?`);
  // Events of one request stand side by side: there is one writer, and it writes them in one commit.
  const siblings = db.prepare(`${columns} WHERE seq BETWEEN ? AND ? AND request = ?`);
  const request = db.prepare('SELECT seq, size + length(headers) AS size, events FROM requests WHERE id = ? AND expired_at IS NULL');
  const deliveries = db.prepare(
    `SELECT d.status, p.id AS payload, length(p.body) AS size FROM deliveries d INDEXED BY deliveries_of_event
     LEFT JOIN payloads p ON p.id = d.payload AND p.expired_at IS NULL WHERE d.event = ?`,
  );
  const emptyEvent = emptier(db, 'events', { key: 'seq', dropped: { data: null } });
  const emptyRequest = requestEmptier(db);
  const emptyPayload = emptier(db, 'payloads', { key: 'id', dropped: { body: null } });

  function together(row: EventRow, events: number): EventRow[] {
    return events <= 1 ? [row] : (siblings.all(row.seq - events + 1, row.seq + events - 1, row.request) as unknown as EventRow[]);
  }

  return {
    after: (seq, limit) => next.all(seq, limit) as { seq: number; at: number }[],
    at: (seq) => (time.get(seq) as { at: number } | undefined)?.at ?? null,
    drop(seq, { now }) {
      const row = event.get(seq) as unknown as EventRow | undefined;
      if (row === undefined) return 0;
      const brought =
        row.request === null ? undefined : (request.get(row.request) as { seq: number; size: number; events: number } | undefined);
      if (row.request !== null && brought === undefined) return 0;
      const all = together(row, brought?.events ?? 1);
      if (brought !== undefined && all.length !== brought.events) return null;
      const sent = all.flatMap(({ id }) => deliveries.all(id) as { status: string; payload: number | null; size: number | null }[]);
      if (sent.some(({ status }) => status === 'pending')) return null;
      let bytes = brought?.size ?? 0;
      if (brought !== undefined) emptyRequest(brought.seq, now);
      for (const { seq: of, dataBytes } of all) {
        if (dataBytes === null) continue;
        emptyEvent(of, now);
        bytes += dataBytes;
      }
      for (const payload of new Map(sent.map(({ payload: id, size }) => [id, size ?? 0]))) {
        if (payload[0] === null) continue;
        emptyPayload(payload[0], now);
        bytes += payload[1];
      }
      return bytes;
    },
  };
}

/** The headers and answers of a delivery's attempts, once it is finished and the last of them is old enough. */
export function attemptExpiry(db: DatabaseSync): Walk {
  const next = db.prepare('SELECT seq, created_at AS at FROM deliveries WHERE seq > ? ORDER BY seq LIMIT ?');
  const time = db.prepare('SELECT created_at AS at FROM deliveries WHERE seq = ?');
  const delivery = db.prepare('SELECT id, status FROM deliveries WHERE seq = ?');
  const attempts = db.prepare(
    `SELECT seq, started_at AS at, expired_at AS expiredAt, coalesce(length(request_headers), 0) + coalesce(length(response_headers), 0) + coalesce(length(response_body), 0) AS size
     FROM attempts WHERE delivery = ?`,
  );
  const empty = emptier(db, 'attempts', { key: 'seq', dropped: { request_headers: null, response_headers: null, response_body: null } });
  return {
    after: (seq, limit) => next.all(seq, limit) as { seq: number; at: number }[],
    at: (seq) => (time.get(seq) as { at: number } | undefined)?.at ?? null,
    drop(seq, { now, before }) {
      const row = delivery.get(seq) as { id: string; status: string } | undefined;
      if (row === undefined) return 0;
      if (row.status === 'pending') return null;
      const made = attempts.all(row.id) as { seq: number; at: number; expiredAt: number | null; size: number }[];
      if (made.some(({ at }) => at >= before)) return null;
      let bytes = 0;
      for (const { seq: of, expiredAt, size } of made) {
        if (expiredAt !== null || size === 0) continue;
        empty(of, now);
        bytes += size;
      }
      return bytes;
    },
  };
}
