import assert from 'node:assert/strict';
import type { Expirable, Expired, ExpiryStep, Storage } from '../../../src/storage/contract.ts';
import { claimAll, settlement, T, text } from '../given.ts';

export const DAY = 86_400_000;
/** Long after everything that these tests record. */
export const LATER = T + 100 * DAY;
/** What is needed still is looked at again by then. */
export const AGAIN = DAY / 4;

export const STEP: Omit<ExpiryStep, 'what'> = { before: T + DAY, now: LATER, rows: 100, bytes: 1_000_000 };

/** Steps until there is no more, and their sum. */
export async function expireAll(
  storage: Storage,
  what: Expirable,
  more: Partial<ExpiryStep> = {},
): Promise<Expired & { readonly steps: number }> {
  const sum = { expired: 0, keptBack: 0, bytes: 0, steps: 0, more: true };
  while (sum.more && sum.steps < 1000) {
    const done = await storage.expire({ ...STEP, what, ...more });
    assert.ok(done.expired + done.keptBack <= (more.rows ?? STEP.rows), `${JSON.stringify(done)} is more than one step`);
    sum.expired += done.expired;
    sum.keptBack += done.keptBack;
    sum.bytes += done.bytes;
    sum.more = done.more;
    sum.steps += 1;
  }
  return sum;
}

export const clean = async (storage: Storage): Promise<void> => assert.deepEqual(await storage.check({ now: T }), []);

export async function deliverAll(storage: Storage, endpoint = 'end_1', now = T + 1000): Promise<void> {
  await storage.settle((await claimAll(storage, endpoint, { now })).map((job) => settlement(job)));
}

export async function contentOf(storage: Storage, id: string) {
  const found = await storage.getEvent({ merchant: null, id });
  assert.ok(found);
  const { event: row, body, headers } = found;
  return { data: row.data, body: text(body), headers, expiredAt: row.expiredAt };
}

export async function bodyOf(storage: Storage, id: string) {
  const found = await storage.getDelivery({ merchant: null, id });
  assert.ok(found);
  return { body: text(found.body), expiredAt: found.expiredAt };
}
