import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Storage, StorageFailure } from '../../src/storage/contract.ts';
import { openTarget } from '../../src/storage/move/target.ts';
import { openStorage } from '../../src/storage/open.ts';
import { within } from '../support/nodes.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { startReplicated } from '../support/standby.ts';
import type { Replicated } from '../support/standby.ts';
import { delivery, event, lease, payment, published, T } from './given.ts';

const own = process.env['PAYBELL_TEST_POSTGRES_URL'] === undefined;
const paid = (id: string) =>
  published(event(id, { movement: payment(id), occurredAt: T, deliveries: [delivery(`d_${id}`, 'end_1', { lease: lease(T + 60_000) })] }));
/** A commit behind which another one is known to be the primary by now. */
const FOUND_MS = 8_000;

const stores: Storage[] = [];

async function opened(url: string): Promise<Storage> {
  const store = await openStorage(url);
  await store.open();
  stores.push(store);
  return store;
}

const eventIds = async (at: Replicated['primary'], database: TestDatabase): Promise<unknown[]> => {
  const schema = /search_path%3D(\w+)/.exec(database.url)?.[1];
  return (await at.sql(`SELECT id FROM ${schema}.events ORDER BY id`)).map(({ id }) => id);
};

describe('PostgreSQL with a synchronous standby', { skip: own ? false : 'no server of our own to break', timeout: 60_000 }, () => {
  let servers: Replicated;
  let database: TestDatabase;
  before(async () => {
    servers = (await startReplicated({ synchronous: true }))!;
    database = await servers.fresh();
  });
  afterEach(() => servers.standby.thaw());
  after(async () => {
    await servers.stop();
    await Promise.all(stores.map((store) => store.close()));
  });

  test('a wait for the standby that somebody cancels is no acknowledgement: the commit is waited for again', async () => {
    const store = await opened(database.url);
    await store.record([paid('e0')]);
    servers.standby.freeze();
    const recorded = store.record([paid('e1')]);
    const waiting = () => servers.primary.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    await within(5_000, 'it waits', async () => (await waiting()).length === 1);
    await servers.primary.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    // Made again on another connection, it finds itself written: that, too, must wait.
    await within(5_000, 'it waits again', async () => (await waiting()).length === 1);
    assert.deepEqual(await eventIds(servers.primary, database), ['e0', 'e1']);
    assert.equal(await Promise.race([recorded, servers.primary.sql('SELECT pg_sleep(0.3)').then(() => 'waits')]), 'waits');
    servers.standby.thaw();
    assert.equal((await recorded)[0]?.events[0]?.outcome, 'stored');
    assert.deepEqual(await store.check({ now: T }), []);
    await store.close();
  });

  test('a commit that a restart of the primary left on its disk alone is no acknowledgement before the standby has it', async () => {
    const store = await opened(database.url);
    servers.standby.freeze();
    const recorded = store.record([paid('e2')]);
    await within(
      5_000,
      'it waits',
      async () => (await servers.primary.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")).length === 1,
    );
    await servers.primary.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    await within(5_000, 'it stands', async () => (await eventIds(servers.primary, database)).includes('e2'));
    assert.equal(await Promise.race([recorded, servers.primary.sql('SELECT pg_sleep(0.3)').then(() => 'waits')]), 'waits');
    servers.standby.thaw();
    await recorded;
    await servers.streaming();
    await store.close();
  });

  test('a server that turned read only refuses, nothing of it is in doubt, and no connection to it is kept', async () => {
    const store = await opened(database.url);
    await store.record([paid('e22')]);
    const turn = async (how: string) => {
      await servers.primary.sql(`ALTER SYSTEM ${how}`);
      await servers.primary.sql('SELECT pg_reload_conf()');
      const value = how.startsWith('SET') ? 'on' : 'off';
      const shown = async () => (await servers.primary.sql('SHOW default_transaction_read_only'))[0]?.['default_transaction_read_only'];
      await within(5_000, how, async () => (await shown()) === value);
    };
    await turn('SET default_transaction_read_only = on');
    await assert.rejects(store.record([paid('e23')]), { code: '25006', unsure: false, down: true });
    const kept = () => servers.primary.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'paybell'");
    await within(5_000, 'its connections are closed', async () => (await kept()).length === 0);
    await turn('RESET default_transaction_read_only');
    await store.record([paid('e23')]);
    await store.close();
  });

  test('a host that is a standby is passed over, one that says nothing costs no time, and what nobody may write to is said of each', async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const dead = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const url = (...hosts: string[]): string => database.url.replace(servers.primary.host, hosts.join(','));
    const began = performance.now();
    const store = await opened(url(dead, servers.standby.host, servers.primary.host));
    assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
    await store.record([paid('e3')]);
    await store.close();
    const target = await openTarget(url(dead, servers.standby.host, servers.primary.host));
    assert.equal(await target.holdsRows('events'), true, 'an installation moves to the one that may be written to');
    await target.close();
    const failing = performance.now();
    await assert.rejects(opened(url(dead, servers.standby.host)), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`none of the servers may be written to now: ${dead} \\(.*\\), ${servers.standby.host} \\(.*is a standby`),
      );
      return true;
    });
    assert.ok(performance.now() - failing < 2_000, `${performance.now() - failing} ms`);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('a single address that leads to a standby is refused; who only reads may have it', async () => {
    const standby = database.url.replace(servers.primary.host, servers.standby.host);
    await assert.rejects(opened(standby), { name: 'StorageError', code: '25006', message: /is a standby/ });
    const reader = await openStorage(standby, { readOnly: true });
    await reader.open();
    assert.deepEqual(await reader.check({ now: T }), []);
    assert.match((await reader.ready()).durability, /PostgreSQL/);
    await reader.close();
  });

  test('an old primary that comes back as a zombie: its commits hang, another server is found, and nothing acknowledged is on it alone', async () => {
    const [store, stays] = await Promise.all([opened(servers.both(database.url)), opened(database.url)]);
    await Promise.all([store.record([paid('e4')]), stays.record([paid('e5')])]);
    await store.takeOver({ owner: 'node_a', now: T, horizon: 120_000 });
    servers.primary.freeze();
    const began = performance.now();
    const across = store.record([paid('e6')]);
    await servers.promote();
    await across;
    assert.ok(performance.now() - began < FOUND_MS, `${performance.now() - began} ms`);
    servers.primary.thaw();
    // Whoever knows the old one only is not answered: it has no standby any more.
    const alone = stays.record([paid('e7')]);
    alone.catch(() => undefined);
    await store.record([paid('e8')]);
    const acknowledged = await Promise.race([alone, store.record([paid('e9')]).then(() => 'hangs')]);
    assert.equal(acknowledged, 'hangs');
    const shown = () => servers.primary.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'paybell presence'");
    await within(5_000, 'the lock that shows that a node lives goes along', async () => (await shown()).length === 0);
    // A start sees two that may be written to: the one that was promoted is right, also where the other is named first.
    const late = await opened(servers.both(database.url));
    await late.record([paid('e10')]);
    const there = await eventIds(servers.standby, database);
    assert.deepEqual(there, ['e0', 'e1', 'e10', 'e2', 'e22', 'e23', 'e3', 'e4', 'e5', 'e6', 'e8', 'e9']);
    assert.ok(!(await eventIds(servers.primary, database)).includes('e8'));
    assert.deepEqual(await late.check({ now: T }), []);
    await servers.primary.kill();
    await assert.rejects(alone, (error: StorageFailure) => error.unsure && error.down);
    await Promise.all([store.close(), stays.close(), late.close()]);
  });
});
