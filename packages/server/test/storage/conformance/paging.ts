import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { claimAll, delivery, event, failedAttempt, inbound, payment, request, settlement, T, walk } from '../given.ts';

/** Twelve requests of two merchants with an event each; every third is rejected, every fourth fold unmapped, all but those delivered to two endpoints. */
async function fill(storage: Storage): Promise<void> {
  await storage.record(
    Array.from({ length: 12 }, (_, n) => {
      const owner = { merchant: n % 2 === 0 ? 'm1' : 'm2', source: n % 2 === 0 ? 'src_a' : 'src_b' };
      if (n % 3 === 2) return inbound(request(`r${n}`, { ...owner, receivedAt: T + n, verdict: 'rejected', reason: 'signature_missing' }));
      const deliveries = ['end_1', 'end_2'].map((endpoint) => delivery(`d${n}_${endpoint}`, endpoint));
      const movement = payment(`p${n % 6}`, { rail: n % 2 === 0 ? 'card' : 'cash', status: n % 6 === 0 ? 'pending' : 'succeeded' });
      const more = n % 4 === 0 ? { state: 'unmapped' as const } : { movement };
      return inbound(
        request(`r${n}`, { ...owner, receivedAt: T + n }),
        event(`e${n}`, { ...owner, ...more, type: n % 2 === 0 ? 'a.x' : 'b.y', recordedAt: T + n, deliveries }),
      );
    }),
  );
  const [one, two] = await claimAll(storage, 'end_1', { max: 2 });
  if (one === undefined || two === undefined) throw new Error('Nothing was due.');
  await storage.settle([settlement(one), settlement(two, { attempt: failedAttempt(1), next: { status: 'failed' } })]);
}

const newestFirst = (from: number, keep: (n: number) => boolean): number[] =>
  Array.from({ length: 12 }, (_, n) => 11 - n).filter((n) => n >= from && keep(n));
const isEvent = (n: number): boolean => n % 3 !== 2;

export function paging(it: It): void {
  describe('lists', () => {
    it('requests: newest first or oldest first, by source, verdict and merchant', async ({ storage }) => {
      await fill(storage);
      const ids = async (filter: object, more = {}): Promise<string[]> =>
        (await walk((query) => storage.listRequests({ ...query, ...filter }), more)).map(({ id }) => id);
      const named = (list: number[]): string[] => list.map((n) => `r${n}`);
      assert.deepEqual(await ids({}), named(newestFirst(0, () => true)));
      assert.deepEqual(await ids({ oldestFirst: true }), named(newestFirst(0, () => true).reverse()));
      assert.deepEqual(await ids({ verdict: 'rejected' }), named(newestFirst(0, (n) => !isEvent(n))));
      assert.deepEqual(await ids({ verdict: 'rejected', source: 'src_a', oldestFirst: true }), ['r2', 'r8']);
      assert.deepEqual(await ids({}, { merchant: 'm2' }), named(newestFirst(0, (n) => n % 2 === 1)));
      assert.deepEqual(await ids({ source: 'src_a' }, { merchant: 'm2' }), []);
    });

    it('events: by type, source, transaction, state, time, endpoint and status', async ({ storage }) => {
      await fill(storage);
      const ids = async (filter: object, more = {}): Promise<string[]> =>
        (await walk((query) => storage.listEvents({ ...query, ...filter }), more)).map(({ event: { id } }) => id);
      const named = (keep: (n: number) => boolean): string[] => newestFirst(0, (n) => isEvent(n) && keep(n)).map((n) => `e${n}`);
      assert.deepEqual(
        await ids({}),
        named(() => true),
      );
      assert.deepEqual(await ids({ oldestFirst: true }), named(() => true).reverse());
      assert.deepEqual(
        await ids({ type: 'a.x' }),
        named((n) => n % 2 === 0),
      );
      assert.deepEqual(
        await ids({ source: 'src_b' }),
        named((n) => n % 2 === 1),
      );
      assert.deepEqual(
        await ids({ state: 'unmapped' }),
        named((n) => n % 4 === 0),
      );
      assert.deepEqual(
        await ids({ since: T + 3, until: T + 7 }),
        named((n) => n >= 3 && n <= 7),
      );
      assert.deepEqual(
        await ids({ endpoint: 'end_2' }),
        named(() => true),
      );
      assert.deepEqual(await ids({ endpoint: 'end_none' }), []);
      assert.deepEqual(await ids({ status: 'succeeded' }), ['e0']);
      assert.deepEqual(await ids({ endpoint: 'end_1', status: 'failed' }), ['e1']);
      assert.deepEqual(await ids({ endpoint: 'end_2', status: 'failed' }), []);
      assert.deepEqual(
        await ids({}, { merchant: 'm1' }),
        named((n) => n % 2 === 0),
      );
      const [row] = (await storage.listTransactions({ merchant: 'm2', q: 'ORDER-p1', limit: 1, cursor: null })).rows;
      assert.deepEqual(await ids({ transaction: row?.id }), ['e7', 'e1']);
      assert.deepEqual(await ids({ transaction: 'txn_none' }), []);
    });

    it('deliveries: by status, endpoint, event and transaction', async ({ storage }) => {
      await fill(storage);
      const ids = async (filter: object, more = {}): Promise<string[]> =>
        (await walk((query) => storage.listDeliveries({ ...query, ...filter }), more)).map(({ id }) => id);
      assert.equal((await ids({})).length, 16);
      assert.deepEqual(
        await ids({ endpoint: 'end_1' }),
        newestFirst(0, isEvent).map((n) => `d${n}_end_1`),
      );
      assert.deepEqual(await ids({ event: 'e4' }), ['d4_end_2', 'd4_end_1']);
      assert.deepEqual(await ids({ status: 'succeeded' }), ['d0_end_1']);
      assert.deepEqual(await ids({ status: 'failed' }), ['d1_end_1']);
      assert.equal((await ids({ status: 'pending' })).length, 14);
      assert.deepEqual(await ids({ status: 'failed' }, { merchant: 'm1' }), []);
      const [row] = (await storage.listTransactions({ merchant: 'm2', q: 'p1', limit: 1, cursor: null })).rows;
      assert.deepEqual(await ids({ transaction: row?.id, endpoint: 'end_1' }), ['d7_end_1', 'd1_end_1']);
    });

    it('transactions: by status, kind, provider, rail, currency, time and merchant', async ({ storage }) => {
      await fill(storage);
      const keys = async (filter: object, more = {}): Promise<string[]> =>
        (await walk((query) => storage.listTransactions({ ...query, ...filter }), { limit: 1, ...more })).map(
          ({ providerReference, merchant }) => `${merchant}:${providerReference}`,
        );
      const all = ['m1:p4', 'm2:p3', 'm2:p1', 'm1:p0'];
      assert.deepEqual((await keys({})).sort(), [...all].sort());
      const every = (await keys({})).filter((key) => key.startsWith('m1'));
      assert.deepEqual(await keys({}, { merchant: 'm1' }), every);
      assert.deepEqual(await keys({ status: 'pending' }), ['m1:p0']);
      assert.deepEqual((await keys({ rail: 'cash' })).sort(), ['m2:p1', 'm2:p3']);
      assert.equal((await keys({ kind: 'payment', provider: 'serixpay', currency: 'KES' })).length, 4);
      assert.deepEqual(await keys({ currency: 'TZS' }), []);
      assert.deepEqual(await keys({ kind: 'refund' }), []);
      assert.deepEqual((await keys({ from: T + 6, to: T + 7 })).sort(), ['m1:p0', 'm2:p1']);
    });

    it('no row comes twice and none is missing while rows are added', async ({ storage }) => {
      await fill(storage);
      let added = 0;
      const between = async (): Promise<void> => {
        added += 1;
        const made = event(`new${added}`, { movement: payment(`new${added}`), deliveries: [delivery(`new_d${added}`, 'end_1')] });
        if (added < 40) await storage.record([inbound(request(`new${added}`, { verdict: 'accepted' }), made)]);
      };
      const before = (ids: readonly string[]): string[] => ids.filter((id) => !id.startsWith('new'));
      const requests = before((await walk((query) => storage.listRequests(query), { limit: 1, between })).map(({ id }) => id));
      assert.deepEqual(
        requests,
        newestFirst(0, () => true).map((n) => `r${n}`),
      );
      const oldest = (await walk((query) => storage.listRequests({ ...query, oldestFirst: true }), { limit: 5, between })).map(
        ({ id }) => id,
      );
      assert.equal(new Set(oldest).size, oldest.length);
      assert.equal(before(oldest).length, 12);
      added = 100;
      const events = before((await walk((query) => storage.listEvents(query), { limit: 2 })).map(({ event: { id } }) => id));
      assert.deepEqual(
        events,
        newestFirst(0, isEvent).map((n) => `e${n}`),
      );
    });

    it('a page that ends with the last row is the last page', async ({ storage }) => {
      await fill(storage);
      assert.equal((await storage.listRequests({ merchant: null, limit: 12, cursor: null })).nextCursor, null);
      assert.notEqual((await storage.listRequests({ merchant: null, limit: 11, cursor: null })).nextCursor, null);
    });
  });
}
