import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { It } from '../conformance.ts';
import { attempt, claimAll, delivery, event, failedAttempt, inbound, payment, request, settlement, T, withDeliveries } from '../given.ts';

const MINUTE = 60_000;

export function sums(it: It): void {
  describe('stats, endpointHealth, prune, facts', () => {
    it('money by status as it entered and as it stands, moved when the status moves', async ({ storage }) => {
      const at = (minute: number) => ({ recordedAt: T + minute * MINUTE, occurredAt: T + minute * MINUTE });
      await storage.record([
        inbound(request('r1'), event('e1', { ...at(0), movement: payment('p1', { status: 'pending' }) })),
        inbound(request('r2'), event('e2', { ...at(0), movement: payment('p2') })),
      ]);
      await storage.record([inbound(request('r3', { receivedAt: T + MINUTE }), event('e3', { ...at(1), movement: payment('p1') }))]);
      const stats = await storage.stats({ merchant: 'm1', from: T, to: T + 2 * MINUTE, bucketMs: MINUTE });
      const lines = (money: typeof stats.money): string[] =>
        money
          .filter(({ count }) => count !== 0)
          .map(({ status, count, value, currency }) => `${status} ${count} ${value} ${currency}`)
          .sort();
      assert.deepEqual(lines(stats.standing), ['succeeded 2 500000 KES']);
      assert.deepEqual(lines(stats.money), ['pending 1 250000 KES', 'succeeded 2 500000 KES']);
      assert.deepEqual(
        stats.series.map(({ requests, events }) => [requests, events]),
        [
          [2, 2],
          [1, 1],
          [0, 0],
        ],
      );
      const later = await storage.stats({ merchant: 'm1', from: T + MINUTE, to: T + 2 * MINUTE, bucketMs: MINUTE });
      assert.deepEqual(lines(later.money), ['succeeded 1 250000 KES']);
      const nobody = await storage.stats({ merchant: 'm2', from: T, to: T + MINUTE, bucketMs: MINUTE });
      assert.deepEqual([nobody.money, nobody.standing, nobody.providers], [[], [], []]);
    });

    it('pending deliveries are counted for whom they are', async ({ storage }) => {
      const waiting = (merchant: string, id: string, endpoints: readonly string[]) => {
        const deliveries = endpoints.map((endpoint) => delivery(`${id}_${endpoint}`, endpoint));
        return inbound(request(`r_${id}`, { merchant }), event(id, { merchant, deliveries }));
      };
      await storage.record([waiting('m1', 'e1', ['end_1', 'end_3']), waiting('m2', 'e2', ['end_2']), waiting('m1', 'e3', ['end_1'])]);
      const pending = async (merchant: string | null): Promise<number> =>
        (await storage.stats({ merchant, from: T, to: T, bucketMs: MINUTE })).deliveries.pending;
      assert.deepEqual([await pending(null), await pending('m1'), await pending('m2'), await pending('m3')], [4, 3, 1, 0]);
    });

    it('sums beyond 64 bits stay exact', async ({ storage }) => {
      const huge = (key: string) =>
        payment(key, { amount: { value: '9223372036854775807', exponent: 18, currency: 'ETH', text: '9.223372036854775807' } });
      await storage.record([inbound(request('r1'), event('e1', { movement: huge('p1') }))]);
      await storage.record([inbound(request('r2'), event('e2', { movement: huge('p2') }), event('e3', { movement: huge('p3') }))]);
      const { standing } = await storage.stats({ merchant: null, from: T, to: T, bucketMs: MINUTE });
      assert.deepEqual(
        standing.map(({ value, count }) => [value, count]),
        [['27670116110564327421', 3]],
      );
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('requests, duplicates and rejections by provider; deliveries by their end', async ({ storage }) => {
      await storage.record([
        inbound(request('r1'), event('e1')),
        inbound(request('r2'), event('e2', { dedupeKey: 'e1' })),
        { request: request('r3', { verdict: 'rejected', reason: 'signature_missing', receivedAt: T + 5 }), events: [] },
      ]);
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3']);
      const [one, two, three] = await claimAll(storage, 'end_1');
      assert.ok(one && two && three);
      const failed = { attempt: failedAttempt(1) };
      await storage.settle([
        settlement(one),
        settlement(two, { ...failed, next: { status: 'failed' } }),
        settlement(three, { ...failed, next: { status: 'pending', at: T + 9 } }),
      ]);
      const stats = await storage.stats({ merchant: null, from: T, to: T + 10_000, bucketMs: MINUTE });
      assert.deepEqual(stats.providers, [{ provider: 'serixpay', requests: 3, rejected: 1, duplicates: 1, lastAt: T + 5 }]);
      assert.deepEqual(stats.deliveries, { pending: 1, succeeded: 1, failed: 1, failedTries: 2 });
    });

    it('health of an endpoint: ends, durations, last failure, backlog', async ({ storage }) => {
      await withDeliveries(
        storage,
        'end_1',
        Array.from({ length: 21 }, (_, n) => `d${n}`),
      );
      const jobs = await claimAll(storage, 'end_1', { max: 20 });
      await storage.settle(
        jobs.map((job, n) =>
          n < 18
            ? settlement(job, { attempt: attempt(1, { durationMs: 10 * (n + 1) }) })
            : settlement(job, { attempt: { ...failedAttempt(1), startedAt: T + n }, next: { status: 'failed' } }),
        ),
      );
      const [health, none] = await storage.endpointHealth({ endpoints: ['end_1', 'end_none'], since: T });
      assert.deepEqual([health?.succeeded, health?.failed, health?.lastFailureAt, health?.backlog], [18, 2, T + 19, 1]);
      assert.ok((health?.p50Ms ?? 0) >= 80 && (health?.p50Ms ?? 0) <= 110, `p50 is ${health?.p50Ms}`);
      assert.ok((health?.p95Ms ?? 0) >= 160, `p95 is ${health?.p95Ms}`);
      assert.equal(health?.lastFailureCause, failedAttempt(1).cause);
      assert.deepEqual(none, {
        endpoint: 'end_none',
        succeeded: 0,
        failed: 0,
        p50Ms: null,
        p95Ms: null,
        lastFailureAt: null,
        lastFailureCause: null,
        backlog: 0,
      });
    });

    it('health of an endpoint that is down: its failures are seen behind all that waits untried', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      await storage.settle(
        (await claimAll(storage, 'end_1')).map((job) =>
          settlement(job, { attempt: { ...failedAttempt(1), startedAt: T + 5 }, next: { status: 'pending', at: T + MINUTE } }),
        ),
      );
      await withDeliveries(
        storage,
        'end_1',
        Array.from({ length: 250 }, (_, n) => `late${n}`),
      );
      const [health] = await storage.endpointHealth({ endpoints: ['end_1'], since: T });
      const { succeeded, failed, lastFailureAt, lastFailureCause, backlog } = health ?? assert.fail('none');
      assert.deepEqual([succeeded, failed, lastFailureAt, lastFailureCause, backlog], [0, 2, T + 5, failedAttempt(1).cause, 252]);
    });

    it('the quarantine of one source is kept within count and bytes, oldest first and a few at a time; all else stays', async ({
      storage,
    }) => {
      const bounds = { source: 'src_a', maxCount: 100, maxBytes: 1_000_000, limit: 100 };
      const rejected = (n: number, source = 'src_a') => ({
        request: request(`q${n}`, { source, verdict: 'rejected', receivedAt: T + n, body: new Uint8Array(100) }),
        events: [],
      });
      await storage.record([
        ...Array.from({ length: 10 }, (_, n) => rejected(n)),
        rejected(99, 'src_b'),
        inbound(request('good'), event('e1')),
      ]);
      const left = async (): Promise<string[]> =>
        (await storage.listRequests({ merchant: null, limit: 50, cursor: null })).rows.map(({ id }) => id);
      assert.equal(await storage.prune(bounds), 0);
      assert.equal(await storage.prune({ ...bounds, maxCount: 8 }), 2);
      assert.deepEqual(await left(), ['good', 'q99', 'q9', 'q8', 'q7', 'q6', 'q5', 'q4', 'q3', 'q2']);
      assert.equal(await storage.prune({ ...bounds, maxBytes: 600 }), 2);
      assert.equal(await storage.prune({ ...bounds, maxCount: 1, limit: 2 }), 2);
      assert.deepEqual(await left(), ['good', 'q99', 'q9', 'q8', 'q7', 'q6']);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('facts count events and deliveries by their end', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3']);
      await storage.record([inbound(request('r1'), event('e1'))]);
      const [one, two] = await claimAll(storage, 'end_1', { max: 2 });
      assert.ok(one && two);
      await storage.settle([settlement(one), settlement(two, { attempt: failedAttempt(1), next: { status: 'failed' } })]);
      const { accepted, delivered, failed, pending, notSubscribed, bytes } = await storage.facts();
      assert.deepEqual(
        { accepted, delivered, failed, pending, notSubscribed },
        { accepted: 4, delivered: 1, failed: 1, pending: 1, notSubscribed: 1 },
      );
      assert.ok(bytes > 0);
    });
  });
}
