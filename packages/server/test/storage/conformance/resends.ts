import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { ResendFilter, Storage } from '../../../src/storage/contract.ts';
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
  resendOf,
  settlement,
  T,
  walk,
  withDeliveries,
} from '../given.ts';

const NO_FILTER: ResendFilter = resendOf('none').filter;

/** All that a resend would find, `limit` rows at a time: event and endpoint. */
async function found(storage: Storage, filter: Partial<ResendFilter>, { limit = 2, merchant = 'm1' } = {}): Promise<string[]> {
  const all: string[] = [];
  let cursor: string | null = null;
  do {
    const query = { merchant, filter: { ...NO_FILTER, ...filter }, cursor, limit, bodies: true };
    const part: Awaited<ReturnType<Storage['findResendable']>> = await storage.findResendable(query);
    assert.ok(part.rows.length <= limit);
    all.push(...part.rows.map(({ found: { event: of }, endpoint }) => `${of.id} ${endpoint}`));
    cursor = part.cursor;
  } while (cursor !== null && all.length < 1000);
  return all;
}

/** Settles what is due of an endpoint: the ids named succeed, the others fail for good. */
async function settleAll(storage: Storage, endpoint: string, right: readonly string[] = []): Promise<void> {
  const jobs = await claimAll(storage, endpoint);
  await storage.settle(
    jobs.map((job) =>
      right.includes(job.id)
        ? settlement(job, { ordered: true })
        : settlement(job, { attempt: failedAttempt(job.attempt), next: { status: 'failed' }, ordered: true }),
    ),
  );
}

const bulkOf = (id: string, of: string, endpoint = 'end_1') => ({ ...delivery(id, endpoint), event: of, createdAt: T + 9 });

export function resending(it: It): void {
  describe('resends', () => {
    it('finds events by time, source and transaction, oldest first, each once', async ({ storage }) => {
      await storage.record([
        published(event('e1', { recordedAt: T, movement: payment('p1') })),
        published(event('e2', { recordedAt: T + 1000 })),
        { request: null, events: [event('e3', { recordedAt: T + 2000, source: 'src_x' })] },
        published(event('other', { merchant: 'm2', recordedAt: T + 2000 })),
        published(event('e4', { recordedAt: T + 3000 })),
      ]);
      assert.deepEqual(await found(storage, {}), ['e1 null', 'e2 null', 'e3 null', 'e4 null']);
      assert.deepEqual(await found(storage, { since: T + 1000, until: T + 2000 }), ['e2 null', 'e3 null']);
      assert.deepEqual(await found(storage, { source: 'src_x' }), ['e3 null']);
      const { transaction } = (await storage.getEvent({ merchant: null, id: 'e1' }))?.event ?? {};
      assert.deepEqual(await found(storage, { transaction: transaction ?? null }), ['e1 null']);
      assert.deepEqual(await found(storage, { since: T + 100_000 }), []);
      assert.deepEqual(await found(storage, {}, { merchant: 'nobody' }), []);
      const light = await storage.findResendable({ merchant: 'm1', filter: NO_FILTER, cursor: null, limit: 1, bodies: false });
      assert.deepEqual([light.rows[0]?.found.event.id, light.rows[0]?.found.event.data], ['e1', null]);
    });

    it('finds how an event stands with an endpoint: one of many deliveries is enough for a success', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3', 'd4']);
      await withDeliveries(storage, 'end_2', ['x1']);
      await settleAll(storage, 'end_1', ['d4']);
      await settleAll(storage, 'end_2');
      const failed = { status: 'failed' as const };
      assert.deepEqual(await found(storage, failed), ['evt_d1 end_1', 'evt_d2 end_1', 'evt_d3 end_1', 'evt_x1 end_2']);
      assert.deepEqual(await found(storage, { ...failed, endpoint: 'end_1' }), ['evt_d1 end_1', 'evt_d2 end_1', 'evt_d3 end_1']);
      assert.deepEqual(await found(storage, { ...failed, since: T + 1 }), ['evt_d2 end_1', 'evt_d3 end_1']);
      assert.deepEqual(await found(storage, { status: 'succeeded', endpoint: 'end_1' }), ['evt_d4 end_1']);
      await storage.addDeliveries([bulkOf('again1', 'evt_d1'), bulkOf('again2', 'evt_d2')]);
      assert.deepEqual(await found(storage, { ...failed, endpoint: 'end_1' }), ['evt_d3 end_1'], 'what is on its way is not failed');
      assert.deepEqual(await found(storage, { status: 'pending' }), ['evt_d1 end_1', 'evt_d2 end_1']);
      await settleAll(storage, 'end_1', ['again1']);
      assert.deepEqual(
        await found(storage, { ...failed, endpoint: 'end_1' }),
        ['evt_d3 end_1', 'evt_d2 end_1'],
        'what failed twice comes once',
      );
      assert.deepEqual(await found(storage, { status: 'succeeded' }), ['evt_d4 end_1', 'evt_d1 end_1']);
    });

    it('finds what an endpoint has no delivery of, whoever else got it', async ({ storage }) => {
      await storage.record([published(event('before', { recordedAt: T - 5_000 }))]);
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      await withDeliveries(storage, 'end_2', ['x1', 'x2']);
      const missing = { status: 'missing', since: T } as const;
      assert.deepEqual(await found(storage, { ...missing, endpoint: 'end_1' }), ['evt_x1 null', 'evt_x2 null']);
      assert.deepEqual(await found(storage, { ...missing, endpoint: 'end_2', until: T }), ['evt_d1 null']);
      await storage.addDeliveries([bulkOf('again1', 'evt_x1')]);
      assert.deepEqual(await found(storage, { ...missing, endpoint: 'end_1' }), ['evt_x2 null']);
    });

    it('what is made on the way is not found again', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2', 'd3']);
      await settleAll(storage, 'end_1');
      const filter = { ...NO_FILTER, status: 'failed' as const };
      const first = await storage.findResendable({ merchant: 'm1', filter, cursor: null, limit: 1, bodies: false });
      await storage.addDeliveries([bulkOf('again1', 'evt_d1')]);
      await settleAll(storage, 'end_1');
      const rest = await storage.findResendable({ merchant: 'm1', filter, cursor: first.cursor, limit: 10, bodies: false });
      assert.deepEqual(
        [first, rest].map(({ rows }) => rows.map(({ found: { event: of } }) => of.id)),
        [['evt_d1'], ['evt_d2', 'evt_d3']],
      );
      assert.equal(rest.cursor, null);
    });

    it('a step adds its deliveries and moves the cursor, or does neither', async ({ storage, reopen }) => {
      await withDeliveries(storage, 'end_1', ['d1', 'd2']);
      await settleAll(storage, 'end_1');
      await storage.saveResend(resendOf('rsd_1'));
      const step = { id: 'rsd_1', lease: lease(T + 90_000), from: null, cursor: '7', deliveries: [bulkOf('b1', 'evt_d1')], now: T + 9 };
      assert.equal(await storage.stepResend({ ...step, lease: lease(T + 90_000, OTHER) }), false, 'of another');
      assert.equal(await storage.stepResend({ ...step, from: '3' }), false, 'from elsewhere');
      assert.equal(await storage.stepResend({ ...step, id: 'rsd_none' }), false);
      assert.equal((await storage.getDelivery({ merchant: null, id: 'b1' })) === null, true);
      assert.equal(await storage.stepResend(step), true);
      assert.equal(await storage.stepResend(step), false, 'a second time');
      const again = await reopen();
      const row = await again.getResend({ merchant: 'm1', id: 'rsd_1' });
      assert.deepEqual([row?.state, row?.cursor, row?.made, row?.pending, row?.failed, row?.perSecond], ['running', '7', 1, 1, 0, 100]);
      assert.equal(await again.getResend({ merchant: 'm2', id: 'rsd_1' }), null);
      await settleAll(again, 'end_1');
      const last = { ...step, from: '7', cursor: null, deliveries: [bulkOf('b2', 'evt_d2')], now: T + 10 };
      assert.equal(await again.stepResend(last), true);
      await settleAll(again, 'end_1', ['b2']);
      const done = await again.getResend({ merchant: null, id: 'rsd_1' });
      assert.deepEqual([done?.state, done?.made, done?.pending, done?.failed, done?.finishedAt], ['done', 2, 0, 1, T + 10]);
      assert.equal(await again.stepResend({ ...last, from: null }), false, 'it has ended');
      assert.deepEqual(await again.takeResends({ owner: ME, now: T + 10, until: T + 20 }), []);
      assert.deepEqual(await again.check({ now: T + 3_600_000 }), []);
    });

    it('a process goes on with its own and with what was let go; lists are newest first', async ({ storage }) => {
      for (const id of ['rsd_1', 'rsd_2', 'rsd_3', 'rsd_4']) await storage.saveResend(resendOf(id, { lease: lease(T + 60_000) }));
      await storage.saveResend(resendOf('rsd_x', { merchant: 'm2' }));
      const mine = await storage.takeResends({ owner: ME, now: T, until: T + 60_000 });
      assert.deepEqual(mine.map(({ id }) => id).sort(), ['rsd_1', 'rsd_2', 'rsd_3', 'rsd_4', 'rsd_x']);
      const taken = await storage.takeResends({ owner: OTHER, now: T + 60_001, until: T + 120_000 });
      assert.equal(taken.length, 5);
      const step = { id: 'rsd_1', from: null, cursor: '1', deliveries: [], now: T };
      assert.equal(await storage.stepResend({ ...step, lease: lease(T + 120_000) }), false);
      assert.equal(await storage.stepResend({ ...step, lease: lease(T + 120_000, OTHER) }), true);
      const rows = await walk((query) => storage.listResends(query), { merchant: 'm1' });
      assert.deepEqual(
        rows.map(({ id }) => id),
        ['rsd_4', 'rsd_3', 'rsd_2', 'rsd_1'],
      );
    });

    it('canceled: no step more, what waits is withdrawn, what is leased ends by itself', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      await settleAll(storage, 'end_1');
      await inBulk(storage, ['b1', 'b2', 'b3', 'b4'], { event: 'evt_d1', endpoint: 'end_1', at: T + 9 });
      const id = 'rsd_b1_b2_b3_b4';
      const [leased] = await claimAll(storage, 'end_1', { max: 1 });
      assert.equal(await storage.endResend({ merchant: 'm2', id, state: 'canceled', note: null, lease: lease(T + 60_000), now: T }), null);
      const end = { merchant: 'm1', id, state: 'canceled', note: null, lease: lease(T + 60_000), now: T + 20 } as const;
      assert.deepEqual((await storage.endResend(end))?.state, 'canceled');
      assert.equal((await storage.endResend({ ...end, state: 'failed', note: 'late' }))?.state, 'canceled', 'the first end counts');
      assert.equal(await storage.stepResend({ id, lease: lease(T + 60_000), from: '1', cursor: '2', deliveries: [], now: T }), false);
      const withdraw = { id, owner: ME, now: T + 30, until: T + 60_000, limit: 2 };
      assert.deepEqual([await storage.withdrawResend(withdraw), await storage.withdrawResend(withdraw)], [false, false]);
      assert.deepEqual(await claimAll(storage, 'end_1', { now: T + 5000 }), []);
      assert.equal((await storage.takeResends({ owner: ME, now: T, until: T + 60_000 })).length, 1, 'it is not over yet');
      assert.ok(leased);
      await storage.settle([settlement(leased)]);
      assert.equal(await storage.withdrawResend(withdraw), true);
      const row = await storage.getResend({ merchant: null, id });
      assert.deepEqual([row?.state, row?.made, row?.failed, row?.pending, row?.finishedAt], ['canceled', 4, 3, 0, T + 20]);
      const { delivery: withdrawn } = (await storage.getDelivery({ merchant: null, id: 'b3' })) ?? {};
      assert.deepEqual([withdrawn?.status, withdrawn?.cause, withdrawn?.attemptCount], ['failed', 'canceled', 0]);
      assert.deepEqual(await storage.takeResends({ owner: ME, now: T, until: T + 60_000 }), []);
      assert.deepEqual(await storage.check({ now: T + 3_600_000 }), []);
    });

    it('one whose deliveries are all made is canceled as long as some of them wait', async ({ storage }) => {
      await withDeliveries(storage, 'end_1', ['d1']);
      await settleAll(storage, 'end_1');
      for (const id of ['rsd_1', 'rsd_2']) {
        await storage.saveResend(resendOf(id));
        const step = { id, lease: lease(T + 60_000), from: null, cursor: null, deliveries: [bulkOf(`b_${id}`, 'evt_d1')], now: T + 9 };
        assert.equal(await storage.stepResend(step), true);
      }
      const [sent, waiting] = await claimAll(storage, 'end_1');
      assert.ok(sent?.id === 'b_rsd_1' && waiting);
      await storage.settle([settlement(sent)]);
      await storage.release({ owner: ME, leases: [waiting], now: T + 2000 });
      const end = (id: string) =>
        storage.endResend({ merchant: 'm1', id, state: 'canceled', note: null, lease: lease(T + 60_000), now: T + 3000 });
      assert.deepEqual([(await end('rsd_1'))?.state, (await end('rsd_2'))?.state], ['done', 'canceled']);
      assert.deepEqual(
        (await storage.takeResends({ owner: ME, now: T, until: T + 60_000 })).map(({ id }) => id),
        ['rsd_2'],
      );
      assert.equal(await storage.withdrawResend({ id: 'rsd_2', owner: ME, now: T + 3000, until: T + 60_000, limit: 9 }), true);
      assert.equal((await storage.getDelivery({ merchant: null, id: 'b_rsd_2' }))?.delivery.cause, 'canceled');
    });

    it('ordered: what is withdrawn lets the next one go', async ({ storage }) => {
      const inOrder = { orderedWait: 60_000 };
      const ordered = (id: string, n: number) =>
        published(
          event(`e_${id}`, { movement: payment('A'), recordedAt: T + n, occurredAt: T + n, deliveries: [delivery(id, 'end_1', inOrder)] }),
        );
      await storage.record([ordered('a1', 0)]);
      await settleAll(storage, 'end_1');
      await storage.saveResend(resendOf('rsd_1'));
      const bulk = { ...bulkOf('b1', 'e_a1'), ...inOrder };
      const step = { id: 'rsd_1', lease: lease(T + 60_000), from: null, cursor: '1', deliveries: [bulk], now: T + 9 };
      assert.equal(await storage.stepResend(step), true);
      await storage.record([ordered('a2', 10), ordered('a3', 11)]);
      await storage.endResend({ merchant: null, id: 'rsd_1', state: 'canceled', note: null, lease: lease(T + 60_000), now: T + 40 });
      assert.equal(await storage.withdrawResend({ id: 'rsd_1', owner: ME, now: T + 41, until: T + 60_000, limit: 10 }), true);
      for (const id of ['a2', 'a3']) {
        const jobs = await claimAll(storage, 'end_1', { now: T + 50 });
        assert.deepEqual(
          jobs.map((job) => job.id),
          [id],
        );
        await storage.settle(jobs.map((job) => settlement(job, { ordered: true, finishedAt: T + 50 })));
      }
      assert.deepEqual(await storage.check({ now: T + 70 }), []);
    });
  });
}
