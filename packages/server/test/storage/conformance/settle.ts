import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { It } from '../conformance.ts';
import { attempt, claimAll, failedAttempt, OTHER, settlement, T, text, withDeliveries } from '../given.ts';

export function settling(it: It): void {
  describe('settle', () => {
    it('a success: finished, with its attempt as it was', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const [job] = await claimAll(storage, 'end_1');
      assert.ok(job);
      assert.deepEqual(await storage.settle([settlement(job)]), ['settled']);
      const found = await storage.getDelivery({ merchant: 'm1', id: 'd1' });
      const { status, statusCode, cause, attemptCount, nextAttemptAt, finishedAt } = found?.delivery ?? {};
      assert.deepEqual(
        { status, statusCode, cause, attemptCount, nextAttemptAt, finishedAt },
        { status: 'succeeded', statusCode: 200, cause: 'ok', attemptCount: 1, nextAttemptAt: null, finishedAt: T + 50 },
      );
      const [made] = found?.attempts ?? [];
      assert.deepEqual(
        { ...made, responseBody: text(made?.responseBody ?? null) },
        { ...attempt(1), responseBody: 'thanks', expiredAt: null },
      );
    });

    it('a failure with tries left is due at its time, and counts', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const [job] = await claimAll(storage, 'end_1');
      assert.ok(job);
      await storage.settle([settlement(job, { attempt: failedAttempt(1), next: { status: 'pending', at: T + 300_000 } })]);
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 299_999 }), []);
      const [again] = await claimAll(storage, 'end_1', { now: T + 300_000 });
      assert.deepEqual([again?.attempt, again?.failures], [2, 1]);
      assert.ok(again);
      await storage.settle([settlement(again, { attempt: failedAttempt(2), next: { status: 'failed' } })]);
      const found = await storage.getDelivery({ merchant: null, id: 'd1' });
      assert.deepEqual([found?.delivery.status, found?.delivery.statusCode, found?.delivery.attemptCount], ['failed', 500, 2]);
      assert.deepEqual(
        found?.attempts.map(({ n, outcome }) => [n, outcome]),
        [
          [1, 'failed'],
          [2, 'failed'],
        ],
      );
    });

    it('a result is fenced where owner or attempt is another, where it is settled already, or where there is no such delivery', async ({
      storage,
    }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      const [late, good] = await claimAll(storage, 'end_1', { now: T + 10 });
      assert.ok(late && good);
      const [taken] = await claimAll(storage, 'end_1', { now: T + 60_010, owner: OTHER, max: 1 });
      assert.equal(taken?.id, 'd1');
      const answers = await storage.settle([
        settlement(late),
        settlement(late, { attempt: attempt(2) }),
        settlement(late, { owner: OTHER }),
        settlement(good),
        settlement(good),
        settlement({ ...good, id: 'no-such' }),
      ]);
      assert.deepEqual(answers, ['fenced', 'fenced', 'fenced', 'settled', 'fenced', 'fenced']);
      const found = await storage.getDelivery({ merchant: null, id: 'd1' });
      assert.deepEqual([found?.delivery.status, found?.attempts.map(({ outcome }) => outcome)], ['pending', ['unknown']]);
      assert.ok(taken);
      assert.deepEqual(await storage.settle([settlement(taken, { owner: OTHER })]), ['settled']);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('a late result of a lease that was given back and claimed again is fenced', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const [job] = await claimAll(storage, 'end_1');
      assert.ok(job);
      await storage.release({ owner: 'node_1', leases: [job], now: T + 1001 });
      assert.deepEqual(await storage.settle([settlement(job)]), ['fenced']);
    });

    it('nothing to settle is no commit and no error', async ({ storage }) => {
      assert.deepEqual(await storage.settle([]), []);
      assert.deepEqual(await storage.record([]), []);
      assert.deepEqual(await storage.addDeliveries([]), []);
    });
  });
}
