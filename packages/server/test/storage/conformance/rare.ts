import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Page, PageQuery, Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { event, payment, published, T } from '../given.ts';

const ALL = 10_500;
const RARE = 3_500;
const LIMIT = 40;

/** Payments whose references begin alike; every 3,500th is of another currency and its event of another type. */
async function fill(storage: Storage): Promise<void> {
  const amount = { value: '100', exponent: 2, currency: 'XAF', text: '1.00' };
  for (let from = 0; from < ALL; from += RARE) {
    await storage.record(
      Array.from({ length: RARE }, (_, index) => {
        const n = from + index;
        const movement = payment(`p${n}`, n % RARE === 1 ? { amount } : {});
        return published(event(`e${n}`, { movement, recordedAt: T + n, type: n % RARE === 1 ? 'payment.rare' : 'payment.completed' }));
      }),
    );
  }
}

/** All rows of a list, and how many pages they came on. */
async function pagesOf<Row>(list: (query: PageQuery) => Promise<Page<Row>>): Promise<{ rows: Row[]; pages: number }> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const page: Page<Row> = await list({ merchant: 'm1', limit: LIMIT, cursor });
    rows.push(...page.rows);
    pages += 1;
    cursor = page.nextCursor;
  } while (cursor !== null && pages < 1_000);
  return { rows, pages };
}

export function rare(it: It): void {
  describe('what few rows match', () => {
    it('is found to the last row, in order, in steps that each look through some thousands of rows', async ({ storage }) => {
      await fill(storage);
      const events = await pagesOf((query) => storage.listEvents({ ...query, type: 'payment.rare' }));
      assert.deepEqual(
        events.rows.map((row) => row.event.id),
        ['e7001', 'e3501', 'e1'],
      );
      const oldest = await pagesOf((query) => storage.listEvents({ ...query, type: 'payment.rare', oldestFirst: true }));
      assert.deepEqual(
        oldest.rows.map((row) => row.event.id),
        ['e1', 'e3501', 'e7001'],
      );
      const transactions = await pagesOf((query) => storage.listTransactions({ ...query, currency: 'XAF' }));
      assert.deepEqual(
        transactions.rows.map((row) => row.providerReference),
        ['p7001', 'p3501', 'p1'],
      );
      const none = await pagesOf((query) => storage.listTransactions({ ...query, status: 'succeeded', rail: 'crypto' }));
      assert.deepEqual(none.rows, []);
      for (const { pages } of [events, oldest, transactions, none]) assert.ok(pages > 1 && pages < 15, `${pages} pages`);
    });

    it('a search that nearly everything matches shows the newest first; one that few match shows just those', async ({ storage }) => {
      await fill(storage);
      const newest = await storage.listTransactions({ merchant: 'm1', limit: LIMIT, cursor: null, q: 'ORDER-' });
      assert.deepEqual(
        newest.rows.map((row) => row.providerReference),
        Array.from({ length: LIMIT }, (_, index) => `p${ALL - 1 - index}`),
      );
      const all = await pagesOf((query) => storage.listTransactions({ ...query, limit: 1_000, q: 'ORDER-p' }));
      assert.equal(new Set(all.rows.map(({ id }) => id)).size, ALL);
      // A word that stands in every row, but begins no reference.
      const inside = await pagesOf((query) => storage.listTransactions({ ...query, q: 'RDER-p' }));
      assert.deepEqual(inside.rows, []);
      const few = await pagesOf((query) => storage.listTransactions({ ...query, q: 'ORDER-p999' }));
      assert.deepEqual([few.rows.length, few.pages], [11, 1]);
    });
  });
}
