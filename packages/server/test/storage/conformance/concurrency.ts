import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { It } from '../conformance.ts';
import { claimAll, delivery, event, inbound, payment, published, request, settlement, T, walk, withDeliveries } from '../given.ts';

export function concurrency(it: It): void {
  describe('at once', () => {
    it('many commits at once: every fact once, every transaction the fold of all its events', async ({ storage }) => {
      const calls = Array.from({ length: 200 }, (_, n) =>
        storage.record([
          inbound(
            request(`r${n}`),
            event(`e${n}`, {
              dedupeKey: `k${n % 120}`,
              movement: payment(`p${n % 7}`, { status: n % 2 === 0 ? 'pending' : 'succeeded' }),
              occurredAt: T + (n % 120),
              digest: 'same',
            }),
          ),
        ]),
      );
      const outcomes = (await Promise.all(calls)).map(([answer]) => answer?.events[0]?.outcome);
      assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 120);
      assert.equal(outcomes.filter((outcome) => outcome === 'duplicate').length, 80);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('a quarantined request that two judge again at once counts once: its events, its verdict, and nobody takes it for a repeat', async ({
      storage,
    }) => {
      const rejected = { verdict: 'rejected', reason: 'signature_mismatch' } as const;
      await storage.record(['r1', 'r2'].map((id) => ({ request: request(id, rejected), events: [] })));
      const judgedBy = (node: number) =>
        storage.record([
          inbound(
            request('r1', { known: true }),
            event(`e_${node}`, { dedupeKey: 'fact', movement: payment('p1'), deliveries: [delivery(`d_${node}`, 'end_1')] }),
          ),
          inbound(request('r2', { known: true }), event(`x_${node}`, { dedupeKey: 'other', digest: `of ${node}` })),
        ]);
      const answers = [...(await Promise.all([judgedBy(1), judgedBy(2)])), await judgedBy(3)];
      const outcomes = answers.map(([first]) => first?.events[0]?.outcome ?? '').toSorted((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(outcomes, ['duplicate', 'duplicate', 'stored']);
      assert.deepEqual(
        answers.flat().map(({ requestVerdict }) => requestVerdict),
        Array.from({ length: 6 }, () => 'accepted'),
      );
      const ids = new Set(answers.map(([first]) => first?.events[0]?.id));
      assert.equal(ids.size, 1, 'each is told of the event that stands');
      for (const id of ['r1', 'r2']) {
        const row = await storage.getRequest({ merchant: null, id });
        assert.deepEqual([row?.verdict, row?.reason, row?.duplicates], ['accepted', null, 0]);
      }
      const found = await storage.getEvent({ merchant: null, id: [...ids][0] ?? '' });
      assert.equal(found?.event.duplicates, 0);
      const { series } = await storage.stats({ merchant: null, from: T, to: T, bucketMs: 60_000 });
      const { requests, rejected: refused, duplicates, events } = series[0] ?? {};
      assert.deepEqual([requests, refused, duplicates, events], [2, 0, 0, 2]);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('two processes that claim at once never get the same delivery', async ({ storage }) => {
      await withDeliveries(
        storage,
        'end_1',
        Array.from({ length: 60 }, (_, n) => `d${n}`),
      );
      const claims = await Promise.all(Array.from({ length: 12 }, (_, n) => claimAll(storage, 'end_1', { owner: `node_${n}`, max: 10 })));
      const ids = claims.flat().map(({ id }) => id);
      assert.equal(ids.length, 60);
      assert.equal(new Set(ids).size, 60);
    });

    it('recording, claiming, settling and reading at once keep the books in balance', async ({ storage }) => {
      const record = async (n: number): Promise<void> =>
        void (await storage.record([published(event(`e${n}`, { movement: payment(`p${n}`), deliveries: [delivery(`d${n}`, 'end_1')] }))]));
      const send = async (): Promise<void> => {
        const jobs = await claimAll(storage, 'end_1', { max: 5 });
        await storage.settle(jobs.map((job) => settlement(job)));
      };
      await Promise.all(
        Array.from({ length: 40 }, (_, n) => [record(n), send(), walk((query) => storage.listDeliveries(query), { limit: 7 })]).flat(),
      );
      for (let round = 0; round < 12; round++) await send();
      const { accepted, delivered, pending } = await storage.facts();
      assert.deepEqual([accepted, delivered, pending], [40, 40, 0]);
      assert.deepEqual(await storage.check({ now: T + 3_600_000 }), []);
    });
  });
}
