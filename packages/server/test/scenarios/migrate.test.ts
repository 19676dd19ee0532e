import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { forge } from '@paybell/sdk';
import { moveInstallation } from '../../src/storage/move/move.ts';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/contract.ts';
import { paybell } from '../cli/paybell.ts';
import { walk } from '../storage/given.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';
import type { Sink } from '../support/sink.ts';

const SECRET = 'migrate-scenario-secret';
const postgres = await startPostgres();
after(() => postgres?.stop());

const dir = tempDir();
let sink: Sink;
let down: Sink;
let sourceId = '';
let ingest = '';
/** Deliveries that wait for their retry when the server is killed. */
let waiting = 0;

const webhook = (id: string, { type = 'payment.completed', secret = SECRET } = {}) =>
  forge({ provider: 'serixpay', type, id, now: Date.now(), secret, set: { orderId: `ORDER-${id}` } });

async function send(server: SpawnedServer, { headers, body }: ReturnType<typeof webhook>): Promise<number> {
  return (await fetch(`${server.url}${ingest}`, { method: 'POST', headers, body: Buffer.from(body) })).status;
}

/** Webhooks good, repeated and forged; endpoints that take them, refuse them and want them in order; published events. */
async function use(server: SpawnedServer): Promise<void> {
  const { body: source } = await server.call('POST', '/v1/sources', { provider: 'serixpay', secret: SECRET });
  ({ id: sourceId, ingestPath: ingest } = source);
  const retry = { delays: ['0s', '1h', '1h'] };
  const endpoints = [
    { url: sink.url, provider: 'serixpay', content: 'event' },
    { url: sink.url, provider: 'serixpay', content: 'transaction' },
    { url: `${sink.url}/raw`, provider: 'serixpay', content: 'request' },
    { url: down.url, provider: 'serixpay', events: ['payment.failed'], retry },
    { url: `${down.url}/ordered`, provider: 'serixpay', events: ['payment.failed'], ordered: true, retry },
    { url: `${down.url}/gone`, provider: 'serixpay', events: ['payment.failed'] },
  ];
  const made = [];
  for (const endpoint of endpoints) {
    const { status, body } = await server.call('POST', '/v1/endpoints', endpoint);
    assert.equal(status, 201, JSON.stringify(body));
    made.push(body);
  }
  await server.call('DELETE', `/v1/endpoints/${made[5].id}`);
  // Fewer failures than make an endpoint count as down.
  for (let n = 0; n < 12; n++) assert.equal(await send(server, webhook(`evt_${n}`, n < 9 ? {} : { type: 'payment.failed' })), 200);
  assert.equal(await send(server, webhook('evt_1')), 200);
  assert.equal(await send(server, webhook('evt_forged', { secret: 'another secret' })), 401);
  const data = { transactionId: 'txn_published', orderId: 'ORDER-evt_3', amount: '12.50', currency: 'KES', status: 'completed' };
  const published = await server.call('POST', '/v1/events', { type: 'payment.completed', provider: 'serixpay', data });
  assert.equal(published.status, 202, JSON.stringify(published.body));
  await sink.reached(12 * 3 + 2);
  // Those of the ordered endpoint wait behind each other only within one transaction, and each of these has its own.
  await down.reached(3 * 2);
  await settled(server, 3 * 2);
}

/** Until so many deliveries wait for their retry and nothing is under way: what a kill interrupts has a test of its own. */
async function settled(server: SpawnedServer, retries: number): Promise<void> {
  for (let left = 300; left > 0; left--) {
    const { body } = await server.call('GET', '/v1/deliveries?status=pending&limit=100');
    const times = body.data.map(({ nextAttemptAt }: { nextAttemptAt: string }) => Date.parse(nextAttemptAt));
    if (times.length === retries && times.every((at: number) => at > Date.now() + 1_800_000)) return;
  }
  assert.fail('The deliveries did not come to rest.');
}

const inOrder = (lines: readonly object[]): string[] =>
  lines.map((line) => JSON.stringify(Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

/** Everything a store tells of the log and the ledger, in the words of the contract. */
async function everything(store: Storage) {
  const [requests, events, deliveries, transactions] = await Promise.all([
    walk((query) => store.listRequests(query), { limit: 50 }),
    walk((query) => store.listEvents(query), { limit: 50 }),
    walk((query) => store.listDeliveries(query), { limit: 50 }),
    walk((query) => store.listTransactions(query), { limit: 50 }),
  ]);
  const of = async <Row extends { id: string }, Detail>(rows: readonly Row[], read: (id: string) => Promise<Detail>) =>
    Promise.all(rows.map(({ id }) => read(id)));
  const stats = await store.stats({ merchant: null, from: 0, to: Date.now() + 3_600_000, bucketMs: 86_400_000 });
  return {
    directory: await store.loadDirectory({ since: 0 }),
    note: await store.getNote('master-key-check'),
    requests,
    bodies: (await of(requests, (id) => store.getRequestBody({ merchant: null, id }))).map((body) => Buffer.from(body ?? []).toString()),
    events: events.map(({ event, headers, body }) => ({ event, headers, body: body === null ? null : Buffer.from(body).toString() })),
    deliveries: (await of(deliveries, (id) => store.getDelivery({ merchant: null, id }))).map((found) => ({
      ...found,
      attempts: found?.attempts.map((attempt) => ({ ...attempt, responseBody: Buffer.from(attempt.responseBody ?? []).toString() })),
      body: Buffer.from(found?.body ?? []).toString(),
    })),
    transactions: (await of(transactions, (id) => store.getTransaction({ merchant: null, id }))).map((found) => ({
      ...found,
      events: [...(found?.events ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1)),
    })),
    found: (await store.listTransactions({ merchant: null, limit: 10, cursor: null, q: 'ORDER-evt_3' })).rows,
    stats: { ...stats, money: inOrder(stats.money), standing: inOrder(stats.standing), providers: inOrder(stats.providers) },
  };
}

async function withStore<Result>(url: string, work: (store: Storage) => Promise<Result>): Promise<Result> {
  const store = await openStorage(url, { readOnly: true, threads: false });
  await store.open();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The store as the server left it, in a folder of its own. */
function copied(name: string): string {
  const folder = join(dir.path, name);
  mkdirSync(folder);
  copyFileSync(databasePath(dir.path), databasePath(folder));
  if (existsSync(`${databasePath(dir.path)}-wal`)) copyFileSync(`${databasePath(dir.path)}-wal`, `${databasePath(folder)}-wal`);
  return folder;
}

/** Some of the oldest content goes: what has expired has to arrive as that. */
async function expireSome(): Promise<void> {
  const store = await openStorage(databasePath(dir.path), { threads: false });
  await store.open();
  const now = Date.now();
  for (const what of ['events', 'attempts'] as const)
    assert.ok((await store.expire({ what, before: now, now, rows: 4, bytes: 1_000_000 })).expired > 0, what);
  await store.expire({ what: 'events', before: now, now, rows: 7, bytes: 1_000_000 });
  await store.close();
}

async function isEmpty(database: TestDatabase): Promise<boolean> {
  return (await database.sql('SELECT 1 FROM notes UNION ALL SELECT 1 FROM requests UNION ALL SELECT 1 FROM endpoints')).length === 0;
}

const plan = (database: TestDatabase) => ({
  from: databasePath(dir.path),
  to: database.url,
  now: Date.now(),
  before: async () => undefined,
  onProgress: () => undefined,
});

describe('paybell migrate', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  let target: TestDatabase;
  let server: SpawnedServer | null = null;
  before(async () => {
    [target, sink, down] = [await postgres!.fresh(), await startSink(), await startSink()];
    down.answer(503);
    server = await spawnServer(dir.path);
    await use(server);
    const inUse = await paybell(['migrate', '--from', dir.path, '--to', target.url]);
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /A Paybell runs on .*Stop it first/);
    await server.kill();
    waiting = down.calls.length;
    await expireSome();
  });
  after(async () => {
    if (server?.child.exitCode === null) await server.kill();
    await Promise.all([sink.close(), down.close(), target.drop()]);
    dir.remove();
  });

  it('says what is wrong with the command', async () => {
    assert.equal((await paybell(['migrate', '--from', dir.path])).code, 2);
    assert.equal((await paybell(['migrate', '--from', dir.path, '--to', 'mysql://x'])).code, 2);
    const nothing = await paybell(['migrate', '--from', join(dir.path, 'no-such'), '--to', target.url]);
    assert.deepEqual([nothing.code, /There is no store at/.test(nothing.stderr)], [1, true]);
  });

  it('leaves an empty target where it ends in the middle', async () => {
    const stop = () => {
      throw new Error('the power went');
    };
    let seen = 0;
    const onProgress = ({ table }: { readonly table: string }) => (table === 'deliveries' ? stop() : void (seen += 1));
    await assert.rejects(moveInstallation({ ...plan(target), onProgress }), /the power went/);
    assert.ok(seen > 5);
    assert.ok(await isEmpty(target));
  });

  it('moves everything, once', async () => {
    const moved = await paybell(['migrate', '--from', dir.path, '--to', target.url, '--json']);
    assert.equal(moved.code, 0, moved.stderr + moved.stdout);
    assert.match(moved.stderr, /100 % {2}deliveries/);
    const told = JSON.parse(moved.stdout) as { rows: Record<string, number>; target: Record<string, unknown> };
    assert.deepEqual([told.rows['requests'], told.rows['events'], told.target['driver']], [14, 13, 'postgres']);
    const [left, right] = await Promise.all([withStore(databasePath(dir.path), everything), withStore(target.url, everything)]);
    for (const part of Object.keys(left) as (keyof typeof left)[])
      assert.deepEqual(structuredClone(right[part]), structuredClone(left[part]), part);
    const again = await paybell(['migrate', '--from', dir.path, '--to', target.url]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /The target is not empty .*this very installation/);
  });

  it('goes on there: dedupe holds, what was pending is delivered, keys and secrets open', async () => {
    server = await spawnServer(dir.path, { env: { PAYBELL_DATABASE_URL: target.url } });
    down.answer(200);
    assert.equal(await send(server, webhook('evt_1')), 200);
    const { body: events } = await server.call('GET', `/v1/events?source=${sourceId}&limit=100`);
    assert.equal(events.data.length, 12);
    const pending = await server.call('GET', '/v1/deliveries?status=pending&limit=100');
    for (const { id } of pending.body.data) assert.equal((await server.call('POST', `/v1/deliveries/${id}/retry`)).status, 202);
    await down.reached(waiting + pending.body.data.length);
    assert.equal(await send(server, webhook('evt_new')), 200);
    assert.equal(await server.terminate(), 0);
    const verdict = await paybell(['doctor', '--database-url', target.url, '--json']);
    assert.equal(verdict.code, 0, verdict.stdout);
  });

  it('leaves nothing behind in silence: a table it does not know stops it', async () => {
    const database = await postgres!.fresh();
    const folder = copied('strange');
    const db = new DatabaseSync(databasePath(folder));
    db.exec('CREATE TABLE stranger (id INTEGER); ALTER TABLE events ADD COLUMN odd TEXT');
    db.close();
    const move = moveInstallation({ ...plan(database), from: databasePath(folder) });
    await assert.rejects(move, /does not know how to move events\.odd, stranger: nothing was moved/);
    assert.ok(await isEmpty(database));
    await database.drop();
  });

  it('ends the lease of a process that is gone as an attempt without an end, due at once', async () => {
    const database = await postgres!.fresh();
    const folder = copied('leased');
    const store = await openStorage(databasePath(folder), { threads: false });
    await store.open();
    const [first] = await store.backlog();
    const far = Date.now() + 10 * 3_600_000;
    const { deliveries } = await store.claim({
      owner: 'gone',
      now: far,
      until: far + 60_000,
      wants: [{ endpoint: first!.endpoint, max: 1, turn: 1 }],
    });
    await store.close();
    await moveInstallation({ ...plan(database), from: databasePath(folder) });
    const found = await withStore(database.url, (moved) => moved.getDelivery({ merchant: null, id: deliveries[0]!.id }));
    assert.equal(found?.attempts.at(-1)?.outcome, 'unknown');
    assert.ok((found?.delivery.nextAttemptAt ?? Infinity) <= Date.now());
    await database.drop();
  });
});
