import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { transactionId } from '@paybell/sdk';
import type { Transaction } from '@paybell/sdk';
import { Client } from 'pg';
import type { Arrival, Storage, StorageFailure } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { waiting } from './postgres-locks.ts';
import { startProxy } from './postgres-proxy.ts';
import { claimAll, delivery, event, inbound, payment, request, T } from './given.ts';

const postgres = await startPostgres();
after(() => postgres?.stop());

/** Two processes on one database: what one has written, the other takes for new. */
async function onTwo(work: (mine: Storage, other: Storage, database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await postgres!.fresh();
  const [mine, other] = [await openStorage(database.url), await openStorage(database.url)];
  try {
    await mine.open();
    await other.open();
    await work(mine, other, database);
    assert.deepEqual(await mine.check({ now: T }), []);
  } finally {
    await Promise.all([mine.close(), other.close()]);
    await database.drop();
  }
}

const paid = (name: string, key = name): Arrival => inbound(request(`r_${name}`), event(`e_${name}`, { movement: payment(key) }));
const refunded = (name: string, of: string): Arrival =>
  inbound(
    request(`r_${name}`),
    event(`e_${name}`, {
      type: 'refund.completed',
      movement: { ...payment(name), kind: 'refund', parent: { kind: 'payment', key: of } },
    }),
  );
/** The same fact as `paid`, told once more. */
const repeated = (name: string): Arrival =>
  inbound(request(`r_again_${name}`), event(`e_again_${name}`, { movement: payment(name), dedupeKey: `e_${name}` }));
const rowOf = async (store: Storage, key: string) =>
  (await store.getTransaction({ merchant: null, id: transactionId('m1', 'serixpay', 'payment', key) }))?.transaction;

describe('a batch that looks all new', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  test('holds facts of another process: each stands once, the others are counted as repeats', () =>
    onTwo(async (mine, other) => {
      const [before] = await other.record([paid('1')]);
      const [again, fresh] = await mine.record([repeated('1'), paid('2')]);
      assert.deepEqual([again?.requestVerdict, again?.events[0]?.outcome, again?.events[0]?.id], ['duplicate', 'duplicate', 'e_1']);
      assert.deepEqual([fresh?.requestVerdict, fresh?.events[0]?.outcome], ['accepted', 'stored']);
      assert.equal(before?.transactions.length, 1);
      assert.equal((await mine.getEvent({ merchant: null, id: 'e_1' }))?.event.duplicates, 1);
    }));

  test('holds a transaction of another process: it goes on from where that one left it', () =>
    onTwo(async (mine, other) => {
      const created = event('e_created', { type: 'payment.created', movement: payment('p1', { status: 'created' }), occurredAt: T - 1000 });
      await other.record([inbound(request('r_created'), created)]);
      const [answer] = await mine.record([paid('paid', 'p1')]);
      assert.equal((JSON.parse(answer?.transactions[0] ?? '{}') as Transaction).status, 'succeeded');
      const id = transactionId('m1', 'serixpay', 'payment', 'p1');
      assert.equal((await other.getTransaction({ merchant: null, id }))?.events.length, 2);
    }));

  test('holds a payment whose refund came first, at another process: the payment shows it', () =>
    onTwo(async (mine, other) => {
      await other.record([refunded('back', 'p1')]);
      await mine.record([paid('late', 'p1')]);
      assert.equal((await rowOf(mine, 'p1'))?.amountRefunded?.value, '250000');
    }));

  test('holds a payment whose refund another process is just writing: it waits for that, and shows it', () =>
    onTwo(async (mine, other, database) => {
      const rival = new Client({ connectionString: database.url });
      await rival.connect();
      await rival.query('BEGIN; LOCK TABLE requests IN SHARE MODE');
      // Has looked for the payment, and cannot write yet.
      const refund = other.record([refunded('back', 'p1')]);
      await waiting(database, 1);
      const paidLate = mine.record([paid('late', 'p1')]);
      await waiting(database, 2);
      await rival.query('COMMIT');
      await rival.end();
      await Promise.all([refund, paidLate]);
      assert.equal((await rowOf(mine, 'p1'))?.amountRefunded?.value, '250000');
    }));

  test('is parted where only some of it is new: answers stand in their order, the deliveries of a transaction in theirs', () =>
    onTwo(async (mine, _other) => {
      await mine.record([paid('seen')]);
      const ordered = (name: string, key: string, at: number): Arrival =>
        inbound(
          request(`r_${name}`),
          event(`e_${name}`, {
            movement: payment(key, { status: at === 0 ? 'created' : 'succeeded' }),
            occurredAt: T + at,
            deliveries: [delivery(`d_${name}`, 'end_1', { orderedWait: 60_000 })],
          }),
        );
      const many = Array.from({ length: 40 }, (_, n) => paid(`n${n}`));
      // `x` is new, but its second event brings it together with what was seen before.
      const mixed = inbound(
        request('r_both'),
        event('e_both1', {
          movement: payment('x', { status: 'pending' }),
          occurredAt: T + 1,
          deliveries: [delivery('d_both', 'end_1', { orderedWait: 60_000 })],
        }),
        event('e_both2', { movement: payment('seen'), occurredAt: T + 1 }),
      );
      const arrivals = [ordered('x0', 'x', 0), ...many.slice(0, 20), mixed, repeated('seen'), ...many.slice(20), ordered('x2', 'x', 2)];
      const answers = await mine.record(arrivals);
      assert.deepEqual(
        answers.map(({ events }) => events.map(({ id, outcome }) => `${id} ${outcome}`)),
        arrivals.map(({ events }) => events.map(({ id }) => (id === 'e_again_seen' ? 'e_seen duplicate' : `${id} stored`))),
      );
      assert.deepEqual(
        (await claimAll(mine, 'end_1')).map(({ id }) => id),
        ['d_x0'],
      );
      const { rows } = await mine.listDeliveries({ merchant: null, limit: 10, cursor: null });
      assert.deepEqual(
        rows.map(({ id }) => id),
        ['d_x2', 'd_both', 'd_x0'],
      );
    }));

  test('of which one part is written and the other finds no connection: the failure says that some of it may stand', async () => {
    const database = await postgres!.fresh();
    const proxy = await startProxy(database.url);
    const store = await openStorage(proxy.url);
    try {
      await store.open();
      await store.record([paid('seen')]);
      proxy.shut();
      const mixed = [...Array.from({ length: 40 }, (_, n) => paid(`n${n}`)), repeated('seen')];
      await assert.rejects(store.record(mixed), (error: StorageFailure) => error.name === 'StorageError' && error.down && error.unsure);
      assert.equal((await database.sql('SELECT id FROM events')).length, 41);
    } finally {
      await store.close();
      await proxy.close();
      await database.drop();
    }
  });

  test('that never is one is not guessed to be one each time', () =>
    onTwo(async (_mine, other, database) => {
      const rolledBack = async (): Promise<number> =>
        Number((await database.sql('SELECT xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()'))[0]?.['n']);
      const before = await rolledBack();
      const third = await openStorage(database.url);
      await third.open();
      for (let n = 0; n < 300; n++) {
        await other.record([paid(`t${n}`)]);
        const [again] = await third.record([repeated(`t${n}`)]);
        assert.equal(again?.events[0]?.outcome, 'duplicate');
      }
      // Its connections tell what they did when they end.
      await third.close();
      let guesses = 0;
      for (let left = 300; left > 0 && guesses === 0; left--) guesses = (await rolledBack()) - before;
      assert.ok(guesses > 0 && guesses <= 12, `${guesses} batches were rolled back`);
    }));
});
