import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Turn } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import {
  claimAll,
  delivery,
  event,
  failedAttempt,
  inBulk,
  lease,
  ME,
  OTHER,
  payment,
  published,
  settlement,
  T,
  text,
  withDeliveries,
} from '../given.ts';

export function delivering(it: It): void {
  describe('claim, release, takeOver, backlog, addDeliveries, retryDelivery, abandon', () => {
    it('claims what is due in its order, as many as asked for, and says what is due next', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3', 'd4']);
      await withDeliveries(storage, 'end_2', ['x1']);
      const early = await storage.claim({ owner: ME, now: T - 1, until: T + 60_000, wants: [{ endpoint: 'end_1', turn: 0, max: 9 }] });
      assert.deepEqual([early.deliveries.length, early.next], [0, [{ endpoint: 'end_1', turn: 0, dueAt: T }]]);
      const wants = [
        { endpoint: 'end_1', turn: 0, max: 2 },
        { endpoint: 'end_2', turn: 0, max: 9 },
        { endpoint: 'end_none', turn: 2, max: 9 },
      ] as const;
      const claimed = await storage.claim({ owner: ME, now: T + 1, until: T + 60_000, wants });
      assert.deepEqual(
        claimed.deliveries.map(({ id }) => id),
        ['d1', 'd2', 'x1'],
      );
      assert.deepEqual(claimed.next, [
        { endpoint: 'end_1', turn: 0, dueAt: T + 2 },
        { endpoint: 'end_2', turn: 0, dueAt: T + 60_000 },
        { endpoint: 'end_none', turn: 2, dueAt: null },
      ]);
      const [first] = claimed.deliveries;
      assert.deepEqual(
        [first?.attempt, first?.failures, first?.leaseUntil, first?.event, first?.eventType, first?.createdAt, text(first?.body ?? null)],
        [1, 0, T + 60_000, 'evt_d1', 'payment.completed', T, 'body of d1'],
      );
    });

    it('what is leased is claimed by nobody until its lease ends; then its attempt is unknown and burns no try', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const [first] = await claimAll(storage, 'end_1', { now: T });
      assert.equal(first?.attempt, 1);
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 59_999, owner: OTHER }), []);
      const [second] = await claimAll(storage, 'end_1', { now: T + 60_000, owner: OTHER });
      assert.deepEqual([second?.attempt, second?.failures], [2, 0]);
      const found = await storage.getDelivery({ merchant: null, id: 'd1' });
      assert.deepEqual(
        found?.attempts.map(({ n, outcome, cause, startedAt, durationMs }) => [n, outcome, cause, startedAt, durationMs]),
        [[1, 'unknown', 'interrupted', T, null]],
      );
    });

    it('the bytes of a try are those of the try before', async ({ storage, reopen }) => {
      await storage.record([
        published(event('e1', { movement: payment('p1'), deliveries: [delivery('d1', 'end_1', { format: 'transaction', body: null })] })),
      ]);
      const [first] = await claimAll(storage, 'end_1', { now: T });
      await storage.record([published(event('e2', { movement: payment('p1', { status: 'reversed' }), occurredAt: T + 9 }))]);
      const [second] = await claimAll(await reopen(), 'end_1', { now: T + 60_000 });
      assert.equal(text(second?.body ?? null), text(first?.body ?? null));
      assert.match(text(second?.body ?? null) ?? '', /"status":"succeeded"/);
    });

    it('a released delivery is due at once and its attempt number is free again', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      const [job] = await claimAll(storage, 'end_1', { now: T + 5 });
      assert.ok(job);
      await storage.release({ owner: OTHER, leases: [job], now: T + 10 });
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 10 }), [], 'only its owner can give it back');
      await storage.release({ owner: ME, leases: [job, { ...job, id: 'no-such' }], now: T + 10 });
      assert.deepEqual(
        (await claimAll(storage, 'end_1', { now: T + 10 })).map(({ id, attempt }) => [id, attempt]),
        [['d1', 1]],
      );
      assert.deepEqual((await storage.getDelivery({ merchant: null, id: 'd1' }))?.attempts, []);
    });

    it('a lease is given back once: not a later one of the same owner, whether its attempt number is another or the same again', async ({
      storage,
    }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const claim = async (now: number) => (await claimAll(storage, 'end_1', { now }))[0];
      const first = await claim(T + 5);
      const second = await claim(T + 60_005);
      assert.ok(first && second);
      await storage.release({ owner: ME, leases: [first], now: T + 60_010 });
      assert.equal(await claim(T + 60_010), undefined, 'the lease before it had ended');
      await storage.release({ owner: ME, leases: [second], now: T + 60_020 });
      const third = await claim(T + 60_020);
      assert.deepEqual([second.attempt, third?.attempt], [2, 2]);
      await storage.release({ owner: ME, leases: [second], now: T + 60_030 });
      assert.equal(await claim(T + 60_030), undefined, 'that one was given back before');
      assert.ok(third);
      assert.deepEqual(await storage.settle([settlement(third)]), ['settled']);
      assert.deepEqual(await storage.check({ now: T + 60_050 }), []);
    });

    it('unclaim gives back all that one claim leased, and nothing else', async ({ storage }) => {
      await storage.record([
        published(event('e1', { recordedAt: T, deliveries: [delivery('d1', 'end_1'), delivery('x1', 'end_2')] })),
        // Leased in a commit at the very moment of the claim.
        published(event('e2', { recordedAt: T + 5, deliveries: [delivery('d2', 'end_1', { lease: lease(T + 60_000) })] })),
      ]);
      await withDeliveries(storage, 'end_3', ['x2']);
      const claim = (now: number, endpoint: string, owner = ME) =>
        ({ owner, now, until: now + 60_000, wants: [{ endpoint, turn: 0, max: 9 }] }) as const;
      const lost = { ...claim(T + 5, 'end_1'), wants: ['end_1', 'end_2'].map((endpoint) => ({ endpoint, turn: 0, max: 9 }) as const) };
      assert.equal((await storage.claim(lost)).deliveries.length, 2);
      assert.equal((await storage.claim(claim(T + 6, 'end_3'))).deliveries.length, 1);
      for (const other of [claim(T + 6, 'end_1'), claim(T + 5, 'end_1', OTHER)]) await storage.unclaim({ claim: other, now: T + 10 });
      assert.deepEqual((await storage.claim(claim(T + 10, 'end_1'))).deliveries, []);
      await storage.unclaim({ claim: lost, now: T + 10 });
      const again = { ...lost, now: T + 11, until: T + 60_011 };
      assert.deepEqual(
        (await storage.claim(again)).deliveries.map(({ id, attempt }) => [id, attempt]),
        [
          ['d1', 1],
          ['x1', 1],
        ],
      );
      await storage.unclaim({ claim: lost, now: T + 12 });
      assert.deepEqual((await storage.claim({ ...again, now: T + 13 })).deliveries, [], 'they are of another claim now');
      assert.deepEqual((await storage.getDelivery({ merchant: null, id: 'd1' }))?.attempts, []);
    });

    it('takeOver makes due what another process held, as an attempt unknown; its own stays', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1'], { lease: lease(T + 60_000, OTHER) });
      await withDeliveries(storage, 'end_2', ['d2'], { lease: lease(T + 60_000, ME) });
      await withDeliveries(storage, 'end_3', ['d3']);
      assert.equal(await storage.takeOver({ owner: ME, now: T + 100, horizon: 120_000 }), 1);
      assert.deepEqual(
        (await claimAll(storage, 'end_1', { now: T + 100 })).map(({ attempt, failures }) => [attempt, failures]),
        [[2, 0]],
      );
      assert.deepEqual(
        (await storage.getDelivery({ merchant: null, id: 'd1' }))?.attempts.map(({ n, outcome }) => [n, outcome]),
        [[1, 'unknown']],
      );
      assert.deepEqual(await claimAll(storage, 'end_2', { now: T + 100 }), []);
      assert.deepEqual(
        (await claimAll(storage, 'end_3', { now: T + 100 })).map(({ attempt }) => attempt),
        [1],
      );
    });

    it('what comes back without a try keeps its place: it is due since it was made, not behind all that waits', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3', 'd4']);
      const wants = [{ endpoint: 'end_1', turn: 0 as const, max: 1 }];
      const claim = (now: number, owner: string) => ({ owner, now, until: now + 60_000, wants });
      const one = async (now: number, owner: string) => (await storage.claim(claim(now, owner))).deliveries[0] ?? assert.fail('none');
      assert.equal((await one(T + 50, OTHER)).id, 'd1');
      await storage.takeOver({ owner: ME, now: T + 100, horizon: 120_000 });
      const again = await one(T + 110, ME);
      assert.equal(again.id, 'd1', 'its process was killed');
      await storage.release({ owner: ME, leases: [again], now: T + 120 });
      assert.equal((await one(T + 130, ME)).id, 'd1', 'it was given back');
      await storage.unclaim({ claim: claim(T + 130, ME), now: T + 140 });
      assert.equal((await one(T + 150, ME)).id, 'd1', 'the answer to its claim was lost');
      assert.equal((await one(T + 150, ME)).id, 'd2');
    });

    it('what was taken over for an endpoint that is switched off is no lease past its end', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1'], { lease: lease(T + 60_000, OTHER) });
      await storage.takeOver({ owner: ME, now: T + 100, horizon: 120_000 });
      assert.deepEqual(await storage.check({ now: T + 3_600_000 }), []);
    });

    it('backlog tells the earliest due time of every endpoint with work', async ({ storage }) => {
      assert.deepEqual(await storage.backlog(), []);
      await withDeliveries(storage, 'end_b', ['d1', 'd2']);
      await withDeliveries(storage, 'end_a', ['d3'], { lease: lease(T + 60_000) });
      await withDeliveries(storage, 'end_c', ['d4']);
      for (const job of await claimAll(storage, 'end_c')) await storage.settle([settlement(job)]);
      const rows = (await storage.backlog()).map((row) => ({ ...row })).sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
      assert.deepEqual(rows, [
        { endpoint: 'end_a', turn: 0, dueAt: T + 60_000 },
        { endpoint: 'end_b', turn: 0, dueAt: T },
      ]);
    });

    it('added deliveries: the leased ones come back, a transaction is sent as it stands now', async ({ storage }) => {
      await storage.record([
        published(event('e1', { movement: payment('p1', { status: 'pending' }) })),
        published(event('e2', { movement: payment('p1'), occurredAt: T + 1 })),
      ]);
      const added = await storage.addDeliveries([
        { ...delivery('d1', 'end_1', { lease: lease(T + 60_000) }), event: 'e1', createdAt: T + 5 },
        {
          ...delivery('d2', 'end_1', { format: 'transaction', body: null, lease: lease(T + 60_000) }),
          event: 'e1',
          createdAt: T + 5,
        },
        { ...delivery('d3', 'end_1'), event: 'e1', createdAt: T + 5 },
        { ...delivery('d4', 'end_1', { lease: lease(T + 60_000) }), event: 'no-such', createdAt: T + 5 },
      ]);
      assert.deepEqual(
        added.map(({ id, attempt, event: of, createdAt }) => [id, attempt, of, createdAt]),
        [
          ['d1', 1, 'e1', T + 5],
          ['d2', 1, 'e1', T + 5],
        ],
      );
      assert.match(text(added[1]?.body ?? null) ?? '', /"status":"succeeded"/);
      assert.deepEqual(
        (await claimAll(storage, 'end_1', { now: T + 5 })).map(({ id }) => id),
        ['d3'],
      );
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('a finished delivery is due once more; one in flight is left alone', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      const [job] = await claimAll(storage, 'end_1');
      assert.ok(job);
      assert.equal((await storage.retryDelivery({ merchant: 'm1', id: 'd1', now: T + 10 }))?.status, 'pending');
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 2000 }), []);
      await storage.settle([settlement(job, { attempt: failedAttempt(1), next: { status: 'failed' } })]);
      const row = await storage.retryDelivery({ merchant: 'm1', id: 'd1', now: T + 3000 });
      assert.deepEqual([row?.status, row?.nextAttemptAt, row?.finishedAt], ['pending', T + 3000, null]);
      assert.deepEqual(
        (await claimAll(storage, 'end_1', { now: T + 3000 })).map(({ attempt, failures }) => [attempt, failures]),
        [[2, 1]],
      );
      assert.equal(await storage.retryDelivery({ merchant: null, id: 'no-such', now: T }), null);
    });

    it('a claim brings one turn: first tries, retries and bulk are due apart, and a failed try makes a retry', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      await inBulk(storage, ['b1', 'b2'], { event: 'evt_d1', endpoint: 'end_1', at: T + 5 });
      const claim = async (turn: Turn, now = T + 10) => {
        const { deliveries, next } = await storage.claim({
          owner: ME,
          now,
          until: now + 60_000,
          wants: [{ endpoint: 'end_1', turn, max: 1 }],
        });
        return { job: deliveries[0], count: deliveries.length, dueAt: next[0]?.dueAt };
      };
      const [first, retry, again] = [await claim(0), await claim(1), await claim(2)];
      assert.deepEqual([first.job?.id, first.job?.turn, first.count, first.dueAt], ['d1', 0, 1, T + 1]);
      assert.deepEqual([retry.count, retry.dueAt], [0, null]);
      assert.deepEqual([again.job?.id, again.job?.turn, again.dueAt], ['b1', 2, T + 5]);
      assert.ok(first.job && again.job);
      const failed = { attempt: failedAttempt(1), next: { status: 'pending', at: T + 500 } } as const;
      assert.deepEqual(await storage.settle([settlement(first.job, failed), settlement(again.job, failed)]), ['settled', 'settled']);
      const rows = (await storage.backlog()).map((row) => ({ ...row })).sort((a, b) => a.turn - b.turn);
      assert.deepEqual(rows, [
        { endpoint: 'end_1', turn: 0, dueAt: T + 1 },
        { endpoint: 'end_1', turn: 1, dueAt: T + 500 },
        { endpoint: 'end_1', turn: 2, dueAt: T + 5 },
      ]);
      const late = await claim(1, T + 500);
      assert.deepEqual([late.job?.id, late.job?.turn, late.job?.failures], ['d1', 1, 1]);
      assert.deepEqual(await storage.takeOver({ owner: OTHER, now: T + 600, horizon: 120_000 }), 1);
      assert.deepEqual((await claim(1, T + 600)).job?.attempt, 3, 'what another process held keeps its turn');
      await storage.retryDelivery({ merchant: null, id: 'b2', now: T + 700 });
      const asked = [await claim(0, T + 700), await claim(0, T + 700)].map(({ job }) => `${job?.id} ${job?.turn}`);
      assert.deepEqual(asked, ['d2 0', 'b2 0'], 'what a person asks for is a first try');
    });

    it('abandon ends what waits for a deleted endpoint, step by step; what is leased ends by itself', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3']);
      await withDeliveries(storage, 'end_2', ['x1']);
      const [job] = await claimAll(storage, 'end_1', { now: T });
      assert.equal(job?.id, 'd1');
      assert.equal(await storage.abandon({ endpoint: 'end_1', now: T + 9, limit: 1 }), 1);
      assert.equal(await storage.abandon({ endpoint: 'end_1', now: T + 9, limit: 9 }), 1);
      const { rows } = await storage.listDeliveries({ merchant: null, limit: 9, cursor: null });
      assert.deepEqual(
        rows.map(({ id, status, cause, finishedAt }) => [id, status, cause, finishedAt]),
        [
          ['x1', 'pending', null, null],
          ['d3', 'failed', 'endpoint_deleted', T + 9],
          ['d2', 'failed', 'endpoint_deleted', T + 9],
          ['d1', 'pending', null, null],
        ],
      );
      assert.deepEqual(await storage.check({ now: T }), []);
    });
  });
}
