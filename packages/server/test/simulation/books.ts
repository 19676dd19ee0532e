import { DatabaseSync } from 'node:sqlite';
import type { EndpointRow } from '../../src/storage/contract.ts';

/** A delivery as it stands in the file at this moment. */
export interface Standing {
  readonly seq: number;
  readonly id: string;
  readonly event: string;
  readonly eventType: string;
  readonly endpoint: string;
  readonly transaction: string | null;
  readonly format: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly owner: string | null;
  readonly attempt: number;
  readonly dueAt: number | null;
  /** 0: no order counts; 1: its turn; 2: it waits behind another; 3: nobody waits for it any more. */
  readonly ordered: number;
  /** How long it waits for those before it, from when it is next. */
  readonly wait: number | null;
  readonly createdAt: number;
  readonly cause: string | null;
  /** The resend of many that made it. */
  readonly resend: string | null;
  readonly body: Uint8Array | null;
}

export interface Tried {
  readonly delivery: string;
  readonly n: number;
  readonly outcome: 'succeeded' | 'failed' | 'unknown';
}

const COLUMNS = `d.seq, d.id, d.event, d.event_type AS eventType, d.endpoint, d.transaction_id AS "transaction", d.format, d.status, d.owner,
  d.attempt_count AS attempt, d.due_at AS dueAt, d.ordered, d.ordered_wait AS wait, d.created_at AS createdAt, d.cause, d.resend`;

/**
 * Looks into the file beside the engine: what is really on disk, asked by nobody but the test. The contract does not show who holds a
 * lease, and a check that asked the code under test would believe it.
 */
export class Books {
  readonly #db: DatabaseSync;
  readonly #leased;
  readonly #leasedOf;
  readonly #one;
  readonly #ahead;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    const bodies = `, coalesce(p.body, (SELECT r.body FROM events e JOIN requests r ON r.id = e.request WHERE e.id = d.event)) AS body
      FROM deliveries d LEFT JOIN payloads p ON p.id = d.payload`;
    const held = `d.endpoint = ?1 AND d.owner = ?2 AND d.status = 'pending'`;
    this.#leased = this.#db.prepare(`SELECT ${COLUMNS} ${bodies} WHERE ${held}`);
    this.#leasedOf = this.#db.prepare(`SELECT ${COLUMNS} ${bodies} WHERE d.event = ?3 AND ${held}`);
    this.#one = this.#db.prepare(`SELECT ${COLUMNS}, NULL AS body FROM deliveries d WHERE d.id = ?`);
    this.#ahead = this.#db.prepare(
      `SELECT id, ordered, created_at AS createdAt FROM deliveries WHERE endpoint = ? AND transaction_id = ? AND ordered > 0 AND status = 'pending' AND seq < ?`,
    );
  }

  close(): void {
    this.#db.close();
  }

  /** What a process may send to an endpoint now: of one event, or all of it. */
  leased(endpoint: string, owner: string, event: string | undefined): Standing[] {
    const rows = event === undefined ? this.#leased.all(endpoint, owner) : this.#leasedOf.all(endpoint, owner, event);
    return rows as unknown as Standing[];
  }

  delivery(id: string): Standing | null {
    return (this.#one.get(id) as unknown as Standing | undefined) ?? null;
  }

  /** Deliveries that an endpoint with order must have finished before this one. */
  ahead({ endpoint, transaction, seq }: Standing): Pick<Standing, 'id' | 'ordered' | 'createdAt'>[] {
    return this.#ahead.all(endpoint, transaction, seq) as unknown as Standing[];
  }

  deliveries(): Standing[] {
    return this.#db.prepare(`SELECT ${COLUMNS}, NULL AS body FROM deliveries d ORDER BY d.seq`).all() as unknown as Standing[];
  }

  attempts(): Tried[] {
    return this.#db.prepare('SELECT delivery, n, outcome FROM attempts ORDER BY delivery, n').all() as unknown as Tried[];
  }

  pending(): { readonly endpoint: string; readonly count: number }[] {
    return this.#db
      .prepare(`SELECT endpoint, count(*) AS count FROM deliveries WHERE status = 'pending' GROUP BY endpoint`)
      .all() as unknown as {
      endpoint: string;
      count: number;
    }[];
  }

  endpoints(): EndpointRow[] {
    return (this.#db.prepare('SELECT doc FROM endpoints').all() as { doc: string }[]).map(({ doc }) => JSON.parse(doc) as EndpointRow);
  }

  /** Ids of events and requests, and what they hold. */
  requests(): { readonly id: string; readonly source: string; readonly verdict: string; readonly body: Uint8Array }[] {
    return this.#db.prepare('SELECT id, source, verdict, body FROM requests').all() as unknown as {
      id: string;
      source: string;
      verdict: string;
      body: Uint8Array;
    }[];
  }
}
