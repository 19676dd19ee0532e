import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Movement } from '@paybell/sdk';
import type { Claimed, NewDelivery, Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { claimAll, delivery, event, failedAttempt, ME, OTHER, payment, published, settlement, T } from '../given.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

type Given = Partial<NewDelivery> & { readonly status?: Movement['status']; readonly key?: string; readonly endpoint?: string };

/** Records the event `e_ID` of a payment at minute `n`, with one delivery. */
async function given(
  storage: Storage,
  id: string,
  n: number,
  { status = 'succeeded', key = 'A', endpoint = 'end_1', ...more }: Given = {},
) {
  const at = T + n * MINUTE;
  const movement = payment(key, { status });
  await storage.record([
    published(
      event(`e_${id}`, { movement, type: `payment.${status}`, occurredAt: at, recordedAt: at, deliveries: [delivery(id, endpoint, more)] }),
    ),
  ]);
}

/** A claim for an endpoint that skips what was overtaken; `turn` 0 and 1 at once. */
function claimFresh(storage: Storage, now: number, { endpoint = 'end_1', owner = ME, max = 100 } = {}): Promise<Claimed> {
  const wants = ([0, 1] as const).map((turn) => ({ endpoint, turn, max, skipStale: true }));
  return storage.claim({ owner, now, until: now + MINUTE, wants });
}

const ids = (claimed: Claimed) => ({ sent: claimed.deliveries.map(({ id }) => id), ended: claimed.superseded.map(({ id }) => id) });

async function deliver(storage: Storage, now: number, endpoint = 'end_1'): Promise<void> {
  const { deliveries } = await claimFresh(storage, now, { endpoint });
  await storage.settle(deliveries.map((job) => settlement(job, { finishedAt: now + 1 })));
}

export function ordering(it: It): void {
  describe('order and overtaken deliveries', () => {
    it('ordered: of one transaction only the first is due, the next when it is finished; other transactions flow', async ({ storage }) => {
      const ordered = (id: string, key: string, n: number) =>
        published(
          event(`e_${id}`, {
            movement: payment(key),
            recordedAt: T + n,
            occurredAt: T + n,
            deliveries: [delivery(id, 'end_1', { orderedWait: DAY })],
          }),
        );
      await storage.record([ordered('a1', 'A', 0), ordered('a2', 'A', 1), ordered('b1', 'B', 2)]);
      await storage.record([ordered('a3', 'A', 3)]);
      const now = T + 1000;
      const first = await claimAll(storage, 'end_1', { now });
      assert.deepEqual(
        first.map(({ id }) => id),
        ['a1', 'b1'],
      );
      const ids = async (at: number) => (await claimAll(storage, 'end_1', { now: at })).map(({ id, attempt }) => `${id} ${attempt}`);
      const [a1] = first;
      assert.ok(a1);
      const { attempt: made } = a1;
      await storage.settle([
        settlement(a1, { attempt: failedAttempt(made), next: { status: 'pending', at: now + 300_000 }, ordered: true }),
      ]);
      assert.deepEqual(await ids(now + 1000), [], 'a failed try with tries left does not let the next one go');
      const [again] = await claimAll(storage, 'end_1', { now: now + 300_000, max: 1 });
      const b1 = await claimAll(storage, 'end_1', { now: now + 300_000 });
      assert.deepEqual(
        [again, ...b1].map((job) => job?.id).toSorted((a = '', b = '') => a.localeCompare(b)),
        ['a1', 'b1'],
      );
      const a1Again = [again, ...b1].find((job) => job?.id === 'a1');
      assert.ok(a1Again);
      const failed = { attempt: failedAttempt(2), next: { status: 'failed' }, ordered: true, finishedAt: now + 300_001 } as const;
      await storage.settle([settlement(a1Again, failed)]);
      assert.deepEqual(await ids(now + 300_001), ['a2 1']);
      assert.deepEqual(await ids(now + 359_999), [], 'a3 waits for a2, which is in flight');
      assert.deepEqual(await storage.check({ now: now + 300_002 }), []);
    });

    it('ordered: what waits goes when its longest wait is over, and is not hurried afterwards', async ({ storage }) => {
      const orderedWait = 10 * MINUTE;
      await given(storage, 'a1', 0, { orderedWait, status: 'pending' });
      await given(storage, 'a2', 1, { orderedWait });
      await given(storage, 'a3', 2, { orderedWait, status: 'reversed' });
      const [a1] = await claimAll(storage, 'end_1', { now: T + 2 * MINUTE });
      assert.equal(a1?.id, 'a1');
      const again = (at: number) => ({ attempt: failedAttempt(1), next: { status: 'pending', at }, ordered: true }) as const;
      await storage.settle([settlement(a1, again(T + 11.5 * MINUTE))]);
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 11 * MINUTE - 1 }), []);
      const dueAt = async (id: string) => (await storage.getDelivery({ merchant: null, id }))?.delivery.nextAttemptAt;
      assert.equal(await dueAt('a2'), T + 11 * MINUTE, 'it shows when it goes at the latest');
      const [a2, ...others] = await claimAll(storage, 'end_1', { now: T + 11 * MINUTE });
      assert.deepEqual([a2?.id, a2?.ordered, others], ['a2', true, []]);
      assert.ok(a2);
      // The third one waits its time from when the second one's turn came.
      assert.equal(await dueAt('a3'), T + 21 * MINUTE);
      // The second one fails and is tried again later; that the first one ends must not hurry it, nor let the third one go.
      await storage.settle([settlement(a2, { ...again(T + DAY), finishedAt: T + 11 * MINUTE })]);
      const [retried] = await claimAll(storage, 'end_1', { now: T + 11.5 * MINUTE });
      assert.equal(retried?.id, 'a1');
      await storage.settle([settlement(retried, { ordered: true, finishedAt: T + 11.5 * MINUTE })]);
      assert.deepEqual([await dueAt('a2'), await dueAt('a3')], [T + DAY, T + 21 * MINUTE]);
      const [a3] = await claimAll(storage, 'end_1', { now: T + 21 * MINUTE });
      assert.equal(a3?.id, 'a3');
      assert.deepEqual(await storage.check({ now: T + 21 * MINUTE }), []);
    });

    it('ordered: nobody waits any longer for the one that was overtaken, and what waits keeps its sequence', async ({ storage }) => {
      const orderedWait = 10 * MINUTE;
      await given(storage, 'a1', 0, { orderedWait, status: 'pending' });
      const [a1] = await claimAll(storage, 'end_1', { now: T });
      assert.ok(a1);
      await storage.settle([settlement(a1, { attempt: failedAttempt(1), next: { status: 'pending', at: T + DAY }, ordered: true })]);
      for (const id of ['a2', 'a3', 'a4']) await given(storage, id, 1, { orderedWait });
      const claimed = async (minute: number) => (await claimAll(storage, 'end_1', { now: T + minute * MINUTE }))[0];
      const [a2, none] = [await claimed(11), await claimed(11)];
      assert.deepEqual([a2?.id, none], ['a2', undefined], 'all have waited as long, and still one goes at a time');
      assert.ok(a2);
      await storage.settle([settlement(a2, { ordered: true, finishedAt: T + 12 * MINUTE })]);
      const a3 = await claimed(12);
      assert.equal(a3?.id, 'a3', 'the first one is still between its tries');
      await given(storage, 'a5', 12, { orderedWait });
      await storage.settle([settlement(a3, { ordered: true, finishedAt: T + 12 * MINUTE })]);
      const a4 = await claimed(12);
      assert.equal(a4?.id, 'a4');
      await storage.settle([settlement(a4, { ordered: true, finishedAt: T + 12 * MINUTE })]);
      assert.equal((await claimed(12))?.id, 'a5');
      assert.deepEqual(await storage.check({ now: T + 12 * MINUTE }), []);
    });

    it('ordered: one that is retried by hand holds up nobody, and one that waits goes at once', async ({ storage }) => {
      const orderedWait = DAY;
      await given(storage, 'a1', 0, { orderedWait, status: 'pending' });
      const [a1] = await claimAll(storage, 'end_1', { now: T });
      assert.ok(a1);
      await storage.settle([settlement(a1, { attempt: failedAttempt(1), next: { status: 'failed' }, ordered: true })]);
      await storage.retryDelivery({ merchant: null, id: 'a1', now: T + MINUTE });
      await given(storage, 'a2', 1, { orderedWait });
      await given(storage, 'a3', 1, { orderedWait });
      const now = T + 2 * MINUTE;
      const sent = async () => (await claimAll(storage, 'end_1', { now })).map(({ id }) => id).sort();
      assert.deepEqual(await sent(), ['a1', 'a2']);
      await storage.retryDelivery({ merchant: null, id: 'a3', now });
      assert.deepEqual(await sent(), ['a3']);
      assert.deepEqual(await storage.check({ now }), []);
    });

    it('ordered: one that is sent ahead by hand opens the way for no other', async ({ storage }) => {
      const orderedWait = DAY;
      await given(storage, 'a1', 0, { orderedWait, status: 'pending' });
      const [a1] = await claimAll(storage, 'end_1', { now: T });
      assert.ok(a1);
      await storage.settle([settlement(a1, { attempt: failedAttempt(1), next: { status: 'pending', at: T + 2 * DAY }, ordered: true })]);
      for (const id of ['a2', 'a3']) await given(storage, id, 1, { orderedWait });
      const claimed = async (now: number) => (await claimAll(storage, 'end_1', { now })).map(({ id }) => id);
      await storage.retryDelivery({ merchant: null, id: 'a2', now: T + 2 * MINUTE });
      const [a2] = await claimAll(storage, 'end_1', { now: T + 2 * MINUTE });
      assert.equal(a2?.id, 'a2');
      assert.ok(a2);
      await storage.settle([settlement(a2, { ordered: true, finishedAt: T + 3 * MINUTE })]);
      assert.deepEqual(await claimed(T + 4 * MINUTE), [], 'a3 waits for a1 as before');
      assert.deepEqual(await storage.check({ now: T + 4 * MINUTE }), []);
      assert.deepEqual(await claimed(T + 3 * MINUTE + DAY), ['a3'], 'until it has waited enough');
    });

    it('skipStale: what a delivered event has overtaken ends without a call, and says so', async ({ storage, reopen }) => {
      await given(storage, 'pending', 0, { status: 'pending' });
      const { deliveries } = await claimFresh(storage, T);
      await storage.settle(
        deliveries.map((job) => settlement(job, { attempt: failedAttempt(1), next: { status: 'pending', at: T + 5 * MINUTE } })),
      );
      await given(storage, 'completed', 1);
      await deliver(storage, T + MINUTE);
      const after = await reopen();
      const claimed = await claimFresh(after, T + 5 * MINUTE, { owner: OTHER });
      assert.deepEqual(ids(claimed), { sent: [], ended: ['pending'] });
      const found = await after.getDelivery({ merchant: null, id: 'pending' });
      const { status, cause, attemptCount, statusCode, nextAttemptAt, finishedAt } = found?.delivery ?? {};
      assert.deepEqual(
        [status, cause, attemptCount, statusCode, nextAttemptAt, finishedAt],
        ['failed', 'superseded', 1, 500, null, T + 5 * MINUTE],
      );
      assert.deepEqual(claimed.superseded[0], found?.delivery);
      assert.equal(found?.attempts.length, 1);
      assert.deepEqual(ids(await claimFresh(after, T + DAY)), { sent: [], ended: [] });
      assert.deepEqual(await after.check({ now: T + DAY }), []);
      const { accepted, delivered, failed, pending } = await after.facts();
      assert.deepEqual([accepted, delivered, failed, pending], [2, 1, 1, 0]);
    });

    it('skipStale: also a fresh event that comes late; only what the same endpoint got of the same payment counts', async ({ storage }) => {
      await given(storage, 'completed', 5);
      await given(storage, 'elsewhere', 5, { endpoint: 'end_2', key: 'B' });
      await given(storage, 'unsent', 5, { key: 'C' });
      const { deliveries } = await claimFresh(storage, T + 5 * MINUTE);
      const unsent = { attempt: failedAttempt(1), next: { status: 'failed' }, finishedAt: T + 5 * MINUTE } as const;
      await storage.settle(deliveries.map((job) => settlement(job, job.id === 'unsent' ? unsent : { finishedAt: T + 5 * MINUTE })));
      await deliver(storage, T + 5 * MINUTE, 'end_2');
      await given(storage, 'late', 6, { status: 'pending' });
      await given(storage, 'of-b', 6, { status: 'pending', key: 'B' });
      await given(storage, 'of-c', 6, { status: 'pending', key: 'C' });
      await given(storage, 'reversed', 7, { status: 'reversed' });
      assert.deepEqual(ids(await claimFresh(storage, T + 8 * MINUTE)), { sent: ['of-b', 'of-c', 'reversed'], ended: ['late'] });
      assert.deepEqual(await storage.check({ now: T + 8 * MINUTE }), []);
    });

    it('skipStale: another endpoint, or one that does not ask for it, gets everything', async ({ storage }) => {
      await given(storage, 'completed', 1);
      await deliver(storage, T + MINUTE);
      await given(storage, 'late', 2, { status: 'pending' });
      const [job] = await claimAll(storage, 'end_1', { now: T + 2 * MINUTE });
      assert.equal(job?.id, 'late');
    });

    it('skipStale: what was delivered once stays delivered, though it is sent again by hand and fails', async ({ storage }) => {
      await given(storage, 'completed', 1);
      await deliver(storage, T + MINUTE);
      await given(storage, 'late', 2, { status: 'pending' });
      assert.deepEqual(ids(await claimFresh(storage, T + 2 * MINUTE)).ended, ['late']);
      await storage.retryDelivery({ merchant: null, id: 'completed', now: T + 3 * MINUTE });
      const [completed] = (await claimFresh(storage, T + 3 * MINUTE)).deliveries;
      assert.ok(completed);
      const attempt = failedAttempt(completed.attempt);
      await storage.settle([settlement(completed, { attempt, next: { status: 'failed' }, finishedAt: T + 3 * MINUTE })]);
      assert.deepEqual(await storage.check({ now: T + 4 * MINUTE }), []);
      await given(storage, 'later', 3, { status: 'pending' });
      assert.deepEqual(ids(await claimFresh(storage, T + 4 * MINUTE)).ended, ['later']);
    });

    it('skipStale: what a person asks for goes all the same', async ({ storage }) => {
      await given(storage, 'completed', 1);
      await deliver(storage, T + MINUTE);
      await given(storage, 'late', 2, { status: 'pending' });
      assert.deepEqual(ids(await claimFresh(storage, T + 2 * MINUTE)).ended, ['late']);
      await storage.retryDelivery({ merchant: null, id: 'late', now: T + 3 * MINUTE });
      const [late] = (await claimFresh(storage, T + 3 * MINUTE)).deliveries;
      assert.equal(late?.id, 'late');
      await storage.settle([settlement(late, { finishedAt: T + 3 * MINUTE })]);
      const more = (id: string, forced: boolean) => ({
        ...delivery(id, 'end_1'),
        event: 'e_late',
        turn: 0 as const,
        createdAt: T + 4 * MINUTE,
        forced,
      });
      await storage.addDeliveries([more('again', true), more('bulk', false)]);
      assert.deepEqual(ids(await claimFresh(storage, T + 4 * MINUTE)), { sent: ['again'], ended: ['bulk'] });
      assert.deepEqual(await storage.check({ now: T + 4 * MINUTE }), []);
    });

    it('skipStale and ordered: what ends so lets the next one go', async ({ storage }) => {
      const orderedWait = DAY;
      await given(storage, 'reversed', 3, { status: 'reversed', orderedWait });
      await deliver(storage, T + 3 * MINUTE);
      await given(storage, 'pending', 4, { status: 'pending', orderedWait });
      await given(storage, 'second', 5, { status: 'reversed', orderedWait });
      const claimed = await claimFresh(storage, T + 6 * MINUTE);
      assert.deepEqual(ids(claimed).ended, ['pending']);
      assert.deepEqual([...ids(claimed).sent, ...ids(await claimFresh(storage, T + 6 * MINUTE)).sent], ['second']);
      assert.deepEqual(await storage.check({ now: T + 6 * MINUTE }), []);
    });
  });
}
