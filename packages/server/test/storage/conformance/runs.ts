import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { transactionId } from '@paybell/sdk';
import type { Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { event, inbound, payment, request, T } from '../given.ts';

/** More than one run of the embedded store's key index (8192) and two of its search index (4096). */
const EVENTS = 8_500;
const BATCH = 500;
/** Some of before the run, its border, and after it. */
const PROBES = [0, 1, 4095, 4096, 8190, 8191, 8192, 8193, EVENTS - 1];

const arrival = (n: number, round = 0) =>
  inbound(request(`r${n}_${round}`), event(`e${n}_${round}`, { dedupeKey: `key${n}`, movement: payment(key(n)) }));
const key = (n: number): string => `p${String(n).padStart(5, '0')}`;

async function probe(storage: Storage, round: number): Promise<void> {
  const answers = await storage.record(PROBES.map((n) => arrival(n, round)));
  assert.deepEqual(
    answers.map(({ events }) => events[0]?.outcome),
    PROBES.map(() => 'duplicate'),
  );
  assert.deepEqual(
    answers.map(({ events }) => events[0]?.id),
    PROBES.map((n) => `e${n}_0`),
  );
  for (const n of PROBES) {
    const id = transactionId('m1', 'serixpay', 'payment', key(n));
    assert.equal((await storage.getTransaction({ merchant: 'm1', id }))?.transaction.providerReference, key(n));
    assert.deepEqual(await found(storage, `ORDER-${key(n)}`), id);
  }
}

async function found(storage: Storage, q: string): Promise<string | undefined> {
  const { rows } = await storage.listTransactions({ merchant: 'm1', q, limit: 200, cursor: null });
  return rows.find(({ reference }) => reference === q)?.id;
}

export function runs(it: It): void {
  describe('keys and search at any size', () => {
    it('a fact is known and a transaction is found whether its key is new, indexed, or read after a restart', async ({
      storage,
      reopen,
    }) => {
      for (let from = 0; from < EVENTS; from += BATCH) {
        if (from === 4 * BATCH) await probe1(storage);
        const batch = Array.from({ length: BATCH }, (_, n) => arrival(from + n));
        // The commit that writes a run fails as a whole, and is made again.
        const poison = inbound(request('r1_0'), event('poison'));
        if (from + 2 * BATCH > 8192 && from < 8192) await assert.rejects(storage.record([...batch, poison]));
        const answers = await storage.record(batch);
        assert.ok(answers.every(({ events }) => events[0]?.outcome === 'stored'));
      }
      await probe(storage, 1);
      const again = await reopen();
      await probe(again, 2);
      // An indexed transaction that changes: found by what it gained, folded on from where it was.
      const [changed] = await again.record([
        inbound(
          request('late'),
          event('late', { occurredAt: T + 1, movement: payment(key(7), { refs: ['RECEIPT-7'], status: 'reversed' }) }),
        ),
      ]);
      assert.equal(changed?.transactions.length, 1);
      const { rows } = await again.listTransactions({ merchant: null, q: 'RECEIPT', limit: 5, cursor: null });
      assert.deepEqual(
        rows.map(({ status, version }) => [status, version]),
        [['reversed', 2]],
      );
      assert.deepEqual(await again.check({ now: T }), []);
    });

    it('q finds any reference, whole or by its beginning, and never another tenant', async ({ storage }) => {
      const customer = { phone: '+254722000417', email: 'a%b_c@example.com' };
      await storage.record([
        inbound(request('r1'), event('e1', { movement: payment('p1', { customer, refs: ['QJK"1\\2'] }) })),
        inbound(request('r2'), event('e2', { merchant: 'm2', movement: payment('p1x') })),
      ]);
      const keys = async (q: string, merchant: string | null = null) =>
        (await storage.listTransactions({ merchant, q, limit: 9, cursor: null })).rows
          .map(({ providerReference }) => providerReference)
          .toSorted((a, b) => (a ?? '').localeCompare(b ?? ''));
      assert.deepEqual(await keys('p1'), ['p1', 'p1x']);
      assert.deepEqual(await keys('p1', 'm1'), ['p1']);
      assert.deepEqual(await keys('ORDER-p1x'), ['p1x']);
      assert.deepEqual(await keys('+254722'), ['p1']);
      assert.deepEqual(await keys('a%b_c@'), ['p1']);
      assert.deepEqual(await keys('QJK"1\\2'), ['p1']);
      assert.deepEqual(await keys('%'), []);
      assert.deepEqual(await keys('rder'), [], 'not from the middle');
    });
  });
}

/** While everything is still in memory. */
async function probe1(storage: Storage): Promise<void> {
  const [answer] = await storage.record([arrival(3, 9)]);
  assert.equal(answer?.events[0]?.outcome, 'duplicate');
  assert.equal(await found(storage, `ORDER-${key(3)}`), transactionId('m1', 'serixpay', 'payment', key(3)));
}
