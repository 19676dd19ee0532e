import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import { openStorage } from '../../src/storage/open.ts';
import { makePartition } from '../../src/storage/postgres/partitions.ts';
import type { Storage } from '../../src/storage/contract.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { after as later, expireAll, livedIn, LATER, STEP } from './conformance/expire-steps.ts';
import { claimAll, delivery, event, inbound, payment, published, request, settlement, T } from './given.ts';

/** What a commit may have to wait for while somebody reads what is to be dropped, with all that a busy machine adds. */
const BEARABLE_MS = 1_500;

const postgres = await startPostgres();
after(() => postgres?.stop());

interface Opened {
  readonly storage: Storage;
  readonly database: TestDatabase;
  /** A connection of somebody else. */
  connect(): Promise<Client>;
}

async function open(context: TestContext): Promise<Opened> {
  const database = await postgres!.fresh();
  const storage = await openStorage(database.url);
  await storage.open();
  const clients: Client[] = [];
  context.after(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await storage.close();
    await database.drop();
  });
  return {
    storage,
    database,
    async connect() {
      const client = new Client({ connectionString: database.url });
      clients.push(client);
      await client.connect();
      return client;
    },
  };
}

const partitions = async ({ sql }: TestDatabase, of = 'contents'): Promise<string[]> =>
  (await sql(`SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = '${of}'::regclass ORDER BY 1`)).map(({ name }) =>
    String(name),
  );

/** Until a lock is waited for. */
async function somebodyWaits({ sql }: TestDatabase): Promise<void> {
  for (let left = 2_000; left > 0; left--)
    if (((await sql('SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted'))[0]?.['n'] ?? 0) !== 0) return;
  assert.fail('Nobody waits.');
}

const paid = (n: number, at: number) =>
  inbound(
    request(`r${n}`, { receivedAt: at }),
    event(`e${n}`, { recordedAt: at, movement: payment(`p${n}`), deliveries: [delivery(`d${n}`, 'end_1')] }),
  );

const deliver = async (storage: Storage, now: number): Promise<void> => {
  await storage.settle((await claimAll(storage, 'end_1', { now })).map((job) => settlement(job)));
};

describe('PostgreSQL drops what has expired', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  it('a long reader stands in its way, and commits wait for a moment at most; when it has ended, all goes', async (t) => {
    const { storage, database, connect } = await open(t);
    await livedIn(storage);
    await storage.record(Array.from({ length: 50 }, (_, n) => paid(n, T + n)));
    await deliver(storage, T + 1000);
    const old = (await partitions(database)).find((name) => name !== 'contents_other');
    assert.ok(old);
    const reader = await connect();
    await reader.query('BEGIN; SELECT count(*) FROM contents; SELECT count(*) FROM attempt_contents');
    let expiring = true;
    let longest = 0;
    let commits = 0;
    const load = (async () => {
      for (let n = 1000; expiring; n++) {
        const start = performance.now();
        await storage.record([paid(n, LATER + n)]);
        await deliver(storage, LATER + 60_000 + n);
        longest = Math.max(longest, performance.now() - start);
        commits += 1;
      }
    })();
    for (let n = 0; n < 6 || (commits < 8 && n < 60); n++) await expireAll(storage, 'events');
    expiring = false;
    await load;
    assert.ok((await partitions(database)).includes(old), 'it was dropped under its reader');
    assert.ok(commits >= 8, `${commits} commits`);
    assert.ok(longest < BEARABLE_MS, `a commit waited for ${longest} ms`);
    t.diagnostic(`${commits} commits, the longest took ${Math.round(longest)} ms`);
    await reader.query('COMMIT');
    await expireAll(storage, 'events');
    await expireAll(storage, 'attempts');
    assert.ok(!(await partitions(database)).includes(old));
    assert.deepEqual(await storage.check({ now: LATER }), []);
    const found = await storage.getEvent({ merchant: null, id: 'e1' });
    assert.deepEqual([found?.body, found?.event.expiredAt], [null, LATER]);
  });

  it('doctor tells expired from lost, also while it goes', async (t) => {
    const { storage, database } = await open(t);
    await livedIn(storage);
    await storage.record(Array.from({ length: 40 }, (_, n) => paid(n, T + n)));
    const [job] = await claimAll(storage, 'end_1', { max: 1 });
    assert.ok(job);
    await storage.settle([settlement(job)]);
    let going = true;
    const checking = (async () => {
      for (let n = 0; going || n < 2; n++) assert.deepEqual(await storage.check({ now: LATER }), []);
    })();
    for (let days = 0; days <= 60; days += 15)
      for (const what of ['events', 'attempts'] as const) await expireAll(storage, what, { ...later(days), rows: 7 });
    going = false;
    await checking;
    await expireAll(storage, 'events', later(60));
    await storage.record([paid(90, LATER), published(event('e91', { recordedAt: LATER }))]);
    const jobs = await claimAll(storage, 'end_1', { now: LATER + 1000 });
    assert.equal(jobs.length, 40);
    await storage.settle(jobs.slice(-1).map((one) => settlement(one, { attempt: { ...settlement(one).attempt, startedAt: LATER } })));
    assert.deepEqual(await storage.check({ now: LATER }), []);
    const findings = async (): Promise<string[]> => (await storage.check({ now: LATER })).map(({ invariant, id }) => `${invariant} ${id}`);
    await database.sql(`DELETE FROM contents WHERE id IN ('r90', 'e91'); DELETE FROM attempt_contents WHERE at = ${LATER}`);
    assert.deepEqual((await findings()).sort(), ['bytes_are_kept d90', 'bytes_are_kept e91', 'bytes_are_kept r90']);
    await database.sql(`DELETE FROM contents WHERE id = 'd7'`);
    assert.ok((await findings()).includes('pending_has_body d7'));
    await database.sql('DELETE FROM expired');
    assert.ok((await findings()).includes('bytes_are_kept r7'));
  });

  it('doctor looks at one moment: nothing goes that it has yet to read', async (t) => {
    const { storage, database, connect } = await open(t);
    await livedIn(storage);
    await storage.record([paid(1, T)]);
    await deliver(storage, T + 1000);
    const rival = await connect();
    await rival.query('BEGIN; LOCK TABLE events');
    const checked = storage.check({ now: LATER });
    await somebodyWaits(database);
    for (let n = 0; n < 3; n++) await expireAll(storage, 'events');
    await rival.query('COMMIT');
    assert.deepEqual(await checked, []);
    await expireAll(storage, 'events');
    assert.equal((await storage.getEvent({ merchant: null, id: 'e1' }))?.body, null);
    assert.deepEqual(await storage.check({ now: LATER }), []);
  });

  it('nothing is given up under the hands of who sends it again', async (t) => {
    const { storage, database, connect } = await open(t);
    await livedIn(storage);
    await storage.record([paid(1, T)]);
    await deliver(storage, T + 1000);
    const rival = await connect();
    await rival.query(`BEGIN; INSERT INTO open_deliveries (seq, attempt_count, failures, turn, id, merchant, endpoint, status)
      VALUES (1, 1, 0, 0, 'd1', 'm1', 'end_1', 'failed')`);
    const retried = storage.retryDelivery({ merchant: null, id: 'd1', now: LATER });
    await somebodyWaits(database);
    for (let n = 0; n < 3; n++) assert.equal((await expireAll(storage, 'events')).expired, 0);
    await rival.query('ROLLBACK');
    assert.equal((await retried)?.status, 'pending');
    assert.ok((await expireAll(storage, 'events')).keptBack > 0);
    assert.deepEqual(await storage.check({ now: LATER }), []);
    assert.deepEqual(
      (await claimAll(storage, 'end_1', { now: LATER })).map(({ body }) => Buffer.from(body).toString()),
      ['body of d1'],
    );
  });

  it('a partition that is made under the hands of a commit does not make it fail', async (t) => {
    const { storage, database, connect } = await open(t);
    await storage.record([paid(1, T)]);
    const maker = await connect();
    await maker.query('BEGIN');
    await makePartition(maker, 'contents', { name: 'contents_0_8000000000000', lower: 0, upper: 8_000_000_000_000 });
    const recorded = storage.record([paid(2, T)]);
    await somebodyWaits(database);
    await maker.query('COMMIT');
    assert.equal((await recorded)[0]?.events[0]?.outcome, 'stored');
    assert.deepEqual(await database.sql('SELECT count(*)::int AS n FROM contents_0_8000000000000'), [{ n: 4 }]);
    assert.deepEqual(await storage.check({ now: T }), []);
  });

  it('room is made ahead, also for ever; a shorter age lets go what a wide partition holds, row by row', async (t) => {
    const { storage, database } = await open(t);
    for (const what of ['events', 'attempts'] as const) await expireAll(storage, what, { before: 0, now: T });
    const wide = await partitions(database);
    assert.equal(wide.length, 2);
    await storage.record(Array.from({ length: 30 }, (_, n) => paid(n, T + n)));
    await deliver(storage, T + 1000);
    const in40Days = { now: T + 40 * 86_400_000, rows: 2 };
    await storage.record([paid(99, in40Days.now)]);
    assert.equal((await expireAll(storage, 'events', { ...in40Days, before: 0 })).expired, 0);
    assert.equal((await expireAll(storage, 'events', { ...in40Days, before: T + 20 * 86_400_000 })).expired, 60);
    assert.deepEqual(await partitions(database), wide);
    assert.deepEqual(await database.sql('SELECT count(*)::int AS n FROM contents'), [{ n: 2 }]);
    assert.deepEqual(await storage.check({ now: in40Days.now }), []);
  });

  it('much that came before there was room stays where it is, and goes row by row', async (t) => {
    const { storage, database } = await open(t);
    const body = new Uint8Array(1024 * 1024).fill(120);
    await storage.record(Array.from({ length: 36 }, (_, n) => inbound(request(`r${n}`, { body }), event(`e${n}`))));
    await expireAll(storage, 'events', { before: 0, now: T });
    await storage.record([paid(90, T + 120_000)]);
    await expireAll(storage, 'events', { before: 0, now: T + 120_000 });
    const [made] = (await partitions(database)).filter((name) => name !== 'contents_other');
    assert.equal((await partitions(database)).length, 2);
    const rows = async (table: string) => (await database.sql(`SELECT count(*)::int AS n FROM ${table}`))[0]?.['n'];
    assert.deepEqual([await rows('contents_other'), await rows(made ?? '')], [36, 2]);
    await deliver(storage, T + 130_000);
    assert.equal((await expireAll(storage, 'events')).expired, 38);
    assert.deepEqual(await storage.check({ now: LATER }), []);
  });

  it('of several nodes one has each step', async (t) => {
    const { storage, database } = await open(t);
    await livedIn(storage);
    await storage.record(Array.from({ length: 20 }, (_, n) => paid(n, T + n)));
    await deliver(storage, T + 1000);
    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const other = await openStorage(database.url);
        await other.open();
        return other;
      }),
    );
    const sums: number[] = [];
    for (let n = 0; n < 20; n++)
      for (const { expired } of await Promise.all([storage, ...others].map((one) => one.expire({ ...STEP, what: 'events' }))))
        sums.push(expired);
    assert.equal(
      sums.reduce((sum, expired) => sum + expired, 0),
      40,
    );
    await Promise.all(others.map((other) => other.close()));
    assert.deepEqual(await storage.check({ now: LATER }), []);
  });
});
