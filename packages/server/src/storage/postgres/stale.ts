import { isSuperseded } from '@paybell/sdk';
import type { LedgerEvent, Movement } from '@paybell/sdk';
import type { Pool } from 'pg';
import type { DeliveryRow } from '../contract.ts';
import { encode } from './arrays.ts';
import { DELIVERIES, DELIVERY_COLUMNS, deliveryRow } from './deliveries.ts';
import type { LeasedRow } from './deliveries.ts';
import { letGo } from './order.ts';
import type { Skew } from './skew.ts';
import { atomically, commit, once } from './transact.ts';

/** The newest events of a transaction tell what was overtaken; one with more of them is none that a claim should read whole. */
const MOST_EVENTS = 500;

/** The endpoint took `s`, though it may have been sent again since. */
export const DELIVERED = `(NOT EXISTS (SELECT 1 FROM open_deliveries x WHERE x.id = ANY (ARRAY[s.id]))
  OR EXISTS (SELECT 1 FROM attempts a WHERE a.delivery = ANY (ARRAY[s.id]) AND a.outcome = 'succeeded'))`;

/** For each of these deliveries, its own event and those of its transaction that were really delivered to the same endpoint. */
const SEEN = {
  name: 'stale_seen',
  text: `SELECT d.id AS delivery, e.id = d.event AS own, e.id, e.type, e.dedupe_key AS "dedupeKey", e.sequence, e.occurred_at AS "occurredAt", e.recorded_at AS "recordedAt", e.movement
    FROM unnest($1::text[]) AS r (id) JOIN open_deliveries p ON p.id = ANY (ARRAY[r.id]) AND NOT p.forced JOIN deliveries d ON d.id = ANY (ARRAY[r.id])
    CROSS JOIN LATERAL (SELECT * FROM events WHERE transaction_id = d.transaction_id AND state = 'recorded' AND movement IS NOT NULL ORDER BY seq DESC LIMIT ${MOST_EVENTS}) e
    WHERE e.id = d.event OR EXISTS (SELECT 1 FROM deliveries s WHERE s.event = ANY (ARRAY[e.id]) AND s.endpoint = d.endpoint AND ${DELIVERED})`,
};

const END = {
  name: 'stale_end',
  text: `UPDATE open_deliveries SET status = 'failed', cause = 'superseded', finished_at = $3, due_at = NULL, owner = NULL, started_at = NULL, attempt_count = attempt_count - 1
    WHERE id = ANY ($1::text[]) AND owner = $2 AND status = 'pending'`,
};

const ENDED = {
  name: 'stale_ended',
  text: `SELECT ${DELIVERY_COLUMNS} FROM unnest($1::text[]) AS r (id) JOIN ${DELIVERIES} ON d.id = r.id WHERE o.status = 'failed' AND o.cause = 'superseded'`,
};

type Seen = Omit<LedgerEvent, 'movement'> & { readonly movement: string; readonly delivery: string; readonly own: boolean };

/** Which of the leased deliveries what was delivered to the same endpoint has overtaken. Reads the few events of their transactions. */
export async function overtaken(hot: Pool, candidates: readonly LeasedRow[]): Promise<readonly LeasedRow[]> {
  if (candidates.length === 0) return [];
  const ids = candidates.map(({ id }) => id);
  const rows = await once<Seen>(hot, { ...SEEN, values: [encode('text', ids)] });
  const byDelivery = Map.groupBy(rows, ({ delivery }) => delivery);
  return candidates.filter(({ id }) => {
    const events = (byDelivery.get(id) ?? []).map((row) => ({ ...row, movement: JSON.parse(row.movement) as Movement }));
    const own = events.find((event) => event.own);
    return own !== undefined && events.some((event) => !event.own && isSuperseded(own, event));
  });
}

/** Ends leased deliveries without a call; the next ones of their transactions need not wait for them. Answers with what stands. */
export async function endOvertaken(
  hot: Pool,
  { stale, owner, now, skew }: { stale: readonly LeasedRow[]; owner: string; now: number; skew: Skew },
): Promise<readonly DeliveryRow[]> {
  if (stale.length === 0) return [];
  const ids = encode(
    'text',
    stale.map(({ id }) => id),
  );
  const finished = stale.filter(({ ordered }) => ordered).map(({ id }) => ({ id, at: skew.toDatabase(now) }));
  return atomically(hot, async (client) => {
    let ended: DeliveryRow[] = [];
    await commit(client, () => [
      client.query('BEGIN'),
      client.query({ ...END, values: [ids, owner, now] }),
      ...(finished.length === 0 ? [] : letGo(client, finished)),
      client.query<DeliveryRow>({ ...ENDED, values: [ids] }).then(({ rows }) => (ended = rows)),
    ]);
    return ended.map((row) => deliveryRow(row, skew));
  });
}
