import assert from 'node:assert/strict';
import type { Expirable, Expired, ExpiryStep, Storage } from '../../../src/storage/contract.ts';
import { claimAll, settlement, T, text } from '../given.ts';

export const DAY = 86_400_000;
/** Long after everything that these tests record. */
export const LATER = T + 100 * DAY;
/** What is needed still is looked at again by then. */
export const AGAIN = DAY / 4;

/**
 * What is younger than `before` stays; what is older by an eighth of the age, here nine days, goes: a store may let contents go together
 * that came together.
 */
export const STEP: Omit<ExpiryStep, 'what'> = { before: T + 30 * DAY, now: LATER, rows: 100, bytes: 1_000_000 };

/** The same age, so many days later. */
export const after = (days: number): Partial<ExpiryStep> => ({ before: STEP.before + days * DAY, now: LATER + days * DAY });

/** As in an installation that runs since before these tests record anything. */
export async function livedIn(storage: Storage): Promise<void> {
  for (const what of ['events', 'attempts'] as const) await expireAll(storage, what, after(-100));
}

/** Steps until there is no more, and their sum. */
export async function expireAll(
  storage: Storage,
  what: Expirable,
  more: Partial<ExpiryStep> = {},
): Promise<Expired & { readonly steps: number }> {
  const sum = { expired: 0, keptBack: 0, bytes: 0, steps: 0, more: true };
  while (sum.more) {
    assert.ok(sum.steps < 1000, 'it never comes to the end');
    const done = await storage.expire({ ...STEP, what, ...more });
    // A shared store drops a table at once.
    if (!storage.shared)
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
