import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { transactionId } from '@paybell/sdk';
import { Client } from 'pg';
import type { Storage } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { postgresStore } from '../../src/storage/postgres/store.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { claimAll, delivery, event, inbound, lease, payment, published, request, settlement, T, withDeliveries } from './given.ts';
import { waiting } from './postgres-locks.ts';
import { startProxy } from './postgres-proxy.ts';
import type { Cut } from './postgres-proxy.ts';

const SETTINGS = { deadlock_timeout: '100ms' };
const postgres = process.env['PAYBELL_TEST_POSTGRES_URL'] === undefined ? await startPostgres(SETTINGS) : null;
after(() => postgres?.stop());

async function nodes(database: TestDatabase, count: number): Promise<{ stores: Storage[]; close: () => Promise<void> }> {
  const stores = await Promise.all(Array.from({ length: count }, () => openStorage(database.url)));
  await Promise.all(stores.map((store) => store.open()));
  return { stores, close: async () => void (await Promise.all(stores.map((store) => store.close()))) };
}

async function onNodes(count: number, work: (stores: Storage[], database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await postgres!.fresh();
  const { stores, close } = await nodes(database, count);
  try {
    await work(stores, database);
  } finally {
    await close();
    await database.drop();
  }
}

const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

const first = (stores: readonly Storage[]): Storage => stores[0] as Storage;
const second = (stores: readonly Storage[]): Storage => stores[1] as Storage;

function faults(): void {
  for (const cut of ['before', 'after'] as readonly Cut[]) {
    test(`a connection that breaks ${cut} the commit is on disk: written once, answered as ever`, async () => {
      const database = await postgres!.fresh();
      const proxy = await startProxy(database.url);
      const store = await openStorage(proxy.url);
      await store.open();
      const deliveries = [
        delivery('d1', 'end_1', { lease: lease(T + 60_000) }),
        delivery('d2', 'end_2', { format: 'transaction', body: null }),
      ];
      proxy.cutNextCommit(cut);
      const answers = await store.record([
        inbound(request('r1'), event('e1', { movement: payment('p1'), deliveries })),
        inbound(request('r2'), event('e2', { dedupeKey: 'e1', movement: payment('p1') })),
        { request: request('r3', { verdict: 'rejected', reason: 'signature_missing' }), events: [] },
      ]);
      proxy.cutNextCommit(cut);
      await store.record([{ request: request('r4', { verdict: 'rejected', reason: 'signature_missing' }), events: [] }]);
      proxy.cutNextCommit(cut);
      const [third] = await store.record([
        inbound(request('r5'), event('e5', { movement: payment('p5'), deliveries: [delivery('d5', 'end_1')] })),
      ]);
      assert.equal(proxy.cuts(), 3);
      assert.deepEqual([third?.requestVerdict, third?.events[0]?.outcome, third?.transactions.length], ['accepted', 'stored', 1]);
      assert.deepEqual(
        answers.map(({ requestVerdict }) => requestVerdict),
        ['accepted', 'duplicate', 'rejected'],
      );
      assert.deepEqual(
        answers.flatMap(({ events }) => events).map(({ outcome, id }) => [outcome, id]),
        [
          ['stored', 'e1'],
          ['duplicate', 'e1'],
        ],
      );
      assert.deepEqual(Object.keys(answers[0]?.events[0]?.bodies ?? {}), ['d2']);
      assert.equal(answers[0]?.transactions.length, 1);
      assert.equal((await store.getEvent({ merchant: null, id: 'e1' }))?.event.duplicates, 1);
      const { series, standing, providers } = await store.stats({ merchant: null, from: T, to: T, bucketMs: 60_000 });
      assert.deepEqual([series[0]?.requests, series[0]?.events, standing[0]?.count, providers[0]?.rejected], [5, 2, 2, 2]);
      assert.deepEqual(await store.check({ now: T }), []);
      await store.close();
      await proxy.close();
      await database.drop();
    });
  }

  test('a server that is gone: refused within two seconds, and served again by the same store once it is back', () =>
    onNodes(1, async (stores) => {
      const store = first(stores);
      const inFlight = Array.from({ length: 20 }, (_, n) =>
        store.record([inbound(request(`r${n}`), event(`e${n}`, { movement: payment(`p${n % 3}`), occurredAt: T + n }))]),
      );
      const ended = Promise.allSettled(inFlight);
      await Promise.any(inFlight);
      await postgres!.crash();
      const answers = await ended;
      const startedAt = performance.now();
      await assert.rejects(store.record([inbound(request('late'), event('late'))]), { name: 'StorageError', fatal: false });
      assert.ok(performance.now() - startedAt < 2000);
      await postgres!.start();
      const acknowledged = answers.flatMap(({ status }, n) => (status === 'fulfilled' ? [`e${n}`] : []));
      for (const id of acknowledged) assert.notEqual(await store.getEvent({ merchant: null, id }), null);
      const again = await store.record([inbound(request('again'), event('again', { movement: payment('p1') }))]);
      assert.equal(again[0]?.events[0]?.outcome, 'stored');
      assert.deepEqual(await store.check({ now: T }), []);
    }));

  test('a deadlock is ended by the database and the commit is made again', () =>
    onNodes(1, async (stores, database) => {
      const keys = ['p1', 'p2'];
      const lock = (key: string): string =>
        `SELECT pg_advisory_xact_lock(hashtextextended('${transactionId('m1', 'serixpay', 'payment', key)}', 0))`;
      const hash = async (key: string): Promise<bigint> =>
        BigInt(
          String((await database.sql(`SELECT hashtextextended('${transactionId('m1', 'serixpay', 'payment', key)}', 0) AS h`))[0]?.['h']),
        );
      const [low = '', high = ''] = (await hash('p1')) < (await hash('p2')) ? keys : keys.reverse();
      const rival = new Client({ connectionString: database.url });
      await rival.connect();
      await rival.query(`SET deadlock_timeout = '10s'; BEGIN; ${lock(high)}`);
      const recorded = first(stores).record([
        inbound(request('r1'), event('e1', { movement: payment(low) }), event('e2', { movement: payment(high) })),
      ]);
      await waiting(database, 1);
      await rival.query(lock(low));
      await rival.query('COMMIT');
      await rival.end();
      assert.deepEqual(
        (await recorded)[0]?.events.map(({ outcome }) => outcome),
        ['stored', 'stored'],
      );
      assert.deepEqual(await first(stores).check({ now: T }), []);
    }));

  test('the same facts at two nodes at once: each counts once, every transaction is the fold of all its events', () =>
    onNodes(2, async (stores) => {
      const batch = (node: number, round: number) =>
        Array.from({ length: 20 }, (_, n) => {
          const fact = round * 20 + (node === 0 ? n : 19 - n);
          const refund = payment(`f${fact % 4}`, { kind: 'refund', parent: { kind: 'payment', key: `p${fact % 3}` } });
          const movement = fact % 5 === 0 ? refund : payment(`p${fact % 3}`, { status: fact % 2 === 0 ? 'pending' : 'succeeded' });
          const deliveries = [delivery(`d${node}_${fact}`, 'end_1')];
          return inbound(
            request(`r${node}_${fact}`),
            event(`e${node}_${fact}`, { dedupeKey: `k${fact}`, occurredAt: T + fact, movement, deliveries }),
          );
        });
      const calls = Array.from({ length: 6 }, (_, round) => stores.map((store, node) => store.record(batch(node, round)))).flat();
      const outcomes = (await Promise.all(calls)).flat().map(({ events }) => events[0]?.outcome);
      assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 120);
      assert.equal(outcomes.filter((outcome) => outcome === 'duplicate').length, 120);
      assert.deepEqual(await first(stores).check({ now: T }), []);
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => claimAll(stores[n % 2] as Storage, 'end_1', { owner: `node_${n}`, max: 15 })),
      );
      const ids = claims.flat().map(({ id }) => id);
      assert.deepEqual([ids.length, new Set(ids).size], [120, 120]);
    }));

  test('an ordered delivery that is queued just while the one before it ends at another node is let go', () =>
    onNodes(2, async (stores, database) => {
      const ordered = (n: number) =>
        published(
          event(`e${n}`, {
            movement: payment('p1'),
            occurredAt: T + n,
            deliveries: [delivery(`d${n}`, 'end_1', { orderedWait: 3_600_000 })],
          }),
        );
      await first(stores).record([inbound(request('r0'), event('e0')), ordered(1)]);
      const [job] = await claimAll(second(stores), 'end_1');
      const rival = new Client({ connectionString: database.url });
      await rival.connect();
      // Stops the commit of the second after it has looked whether one stands before it.
      await rival.query(`BEGIN; SELECT 1 FROM requests WHERE id = 'r0' FOR UPDATE`);
      const recorded = first(stores).record([ordered(2), inbound(request('r1'), event('again', { dedupeKey: 'e0' }))]);
      await waiting(database, 1);
      const settled = second(stores).settle([settlement(job!, { ordered: true })]);
      await Promise.race([settled, waiting(database, 2)]);
      await rival.query('COMMIT');
      await rival.end();
      assert.deepEqual([(await recorded)[0]?.events[0]?.outcome, await settled], ['stored', ['settled']]);
      assert.deepEqual(
        (await claimAll(second(stores), 'end_1')).map(({ id }) => id),
        ['d2'],
      );
      assert.deepEqual(await first(stores).check({ now: T }), []);
    }));

  test('going from the oldest to the newest passes by no row that another node commits late', () =>
    onNodes(2, async (stores, database) => {
      const rejected = (id: string) => ({ request: request(id, { verdict: 'rejected', reason: 'signature_missing' }), events: [] });
      await first(stores).record([inbound(request('r0'), event('e0'))]);
      const rival = new Client({ connectionString: database.url });
      await rival.connect();
      // Stops a commit after its rows have their numbers.
      await rival.query(`BEGIN; SELECT 1 FROM requests WHERE id = 'r0' FOR UPDATE`);
      const late = first(stores).record([rejected('early'), inbound(request('r1'), event('again', { dedupeKey: 'e0' }))]);
      await waiting(database, 1);
      await second(stores).record([rejected('later')]);
      const query = { merchant: null, limit: 10, cursor: null, source: 'src_a', verdict: 'rejected' as const };
      const newest = await second(stores).listRequests(query);
      assert.deepEqual(ids(newest.rows), ['later'], 'the order of numbers is not the order of commits');
      const listed = second(stores).listRequests({ ...query, oldestFirst: true });
      const answered = listed.then(() => true);
      for (let left = 10; left > 0; left--) await database.sql('SELECT 1');
      assert.equal(await Promise.race([answered, database.sql('SELECT 1').then(() => false)]), false);
      await rival.query('COMMIT');
      await Promise.all([rival.end(), late]);
      assert.deepEqual(ids((await listed).rows), ['early', 'later']);
    }));

  test('a node whose clock is five minutes ahead claims nothing that another holds', async () => {
    const database = await postgres!.fresh();
    const ahead = 300_000;
    const right = postgresStore({ url: database.url, readOnly: false });
    const wrong = postgresStore({ url: database.url, readOnly: false, now: () => Date.now() + ahead });
    await Promise.all([right.open(), wrong.open()]);
    const now = Date.now();
    await right.record([
      published(
        event('e1', { recordedAt: now, deliveries: [delivery('d1', 'end_1', { lease: lease(now + 60_000) }), delivery('d2', 'end_1')] }),
      ),
    ]);
    // Clocks are compared to within the time that an answer takes, which is long on a busy machine.
    const claimed = await claimAll(wrong, 'end_1', { now: now + ahead + 2000, owner: 'node_2' });
    assert.deepEqual(
      claimed.map(({ id }) => id),
      ['d2'],
    );
    const [row] = await wrong.backlog();
    assert.ok(Math.abs((row?.dueAt ?? 0) - (now + ahead + 60_000)) < 5000, 'in its own clock');
    await Promise.all([right.close(), wrong.close()]);
    await database.drop();
  });

  test('the leases of a dead node are taken over at once, those of a live one are not', () =>
    onNodes(2, async (stores, database) => {
      await first(stores).takeOver({ owner: 'node_a', now: T, horizon: 120_000 });
      await withDeliveries(first(stores), 'end_1', ['d1'], { lease: lease(T + 60_000, 'node_a') });
      assert.equal(await second(stores).takeOver({ owner: 'node_b', now: T, horizon: 120_000 }), 0);
      await first(stores).close();
      assert.equal(await second(stores).takeOver({ owner: 'node_b', now: T, horizon: 120_000 }), 1);
      const [job] = await claimAll(second(stores), 'end_1', { owner: 'node_b' });
      assert.equal(job?.attempt, 2);
      const late = await openStorage(database.url);
      await late.open();
      assert.deepEqual(await late.settle([settlement({ ...job!, attempt: 1 }, { owner: 'node_a' })]), ['fenced']);
      await late.close();
    }));

  test('questions of the console that hang do not keep a webhook waiting', () =>
    onNodes(1, async (stores, database) => {
      const store = first(stores);
      await withDeliveries(store, 'end_1', ['d1']);
      const rival = new Client({ connectionString: database.url });
      await rival.connect();
      await rival.query('BEGIN; LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE');
      const hanging = Array.from({ length: 12 }, () => store.getDelivery({ merchant: null, id: 'd1' }).catch(() => null));
      const answers = await store.record([inbound(request('r1'), event('e1', { movement: payment('p1') }))]);
      assert.equal(answers[0]?.events[0]?.outcome, 'stored');
      await rival.query('COMMIT');
      await rival.end();
      assert.ok((await Promise.all(hanging)).some((found) => found?.delivery.id === 'd1'));
    }));

  test('hostile texts are kept: NUL, lone surrogates, keys longer than an index takes', () =>
    onNodes(1, async (stores) => {
      const store = first(stores);
      const reference = `a\0b\ud800${'x'.repeat(9000)}`;
      const made = event('e1', { dedupeKey: 'k'.repeat(20_000), type: 'pay\0ment', note: 'n\0', movement: payment('p1', { reference }) });
      const answers = await store.record([
        inbound(request('r1'), made),
        inbound(request('r2'), event('e2', { dedupeKey: 'k'.repeat(20_000), movement: payment('p1') })),
      ]);
      assert.deepEqual(
        answers.map(({ events }) => events[0]?.outcome),
        ['stored', 'duplicate'],
      );
      const found = await store.listTransactions({ merchant: null, limit: 5, cursor: null, q: 'a\0b' });
      assert.equal(found.rows[0]?.reference, reference);
      assert.deepEqual(await store.check({ now: T }), []);
    }));
}

describe('faults of PostgreSQL', { skip: postgres === null ? 'no server of our own to break' : false }, faults);
