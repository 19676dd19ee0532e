import type { ClientBase, Pool } from 'pg';
import type { LedgerEvent, Movement } from '@paybell/sdk';
import { encode } from './arrays.ts';

interface Row {
  readonly transaction: string;
  readonly id: string;
  readonly type: string;
  readonly dedupeKey: string;
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  readonly recordedAt: number;
  readonly movement: string;
}

const READ = {
  name: 'chains',
  text: `SELECT e.transaction_id AS transaction, e.id, e.type, e.dedupe_key AS "dedupeKey", e.sequence, e.occurred_at AS "occurredAt",
      e.recorded_at AS "recordedAt", e.movement
    FROM unnest($1::text[]) AS r (id) JOIN events e ON e.transaction_id = r.id AND e.state = 'recorded' AND e.movement IS NOT NULL`,
};

/** The events that each of these transactions is the fold of, in no order. */
export async function chains(client: ClientBase | Pool, transactions: readonly string[]): Promise<Map<string, LedgerEvent[]>> {
  const found = new Map<string, LedgerEvent[]>(transactions.map((id) => [id, []]));
  const { rows } = await client.query<Row>({ ...READ, values: [encode('text', transactions)] });
  for (const { transaction, movement, ...event } of rows)
    found.get(transaction)?.push({ ...event, movement: JSON.parse(movement) as Movement });
  return found;
}
