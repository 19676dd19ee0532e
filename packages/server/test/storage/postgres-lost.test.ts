import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { transactionId } from '@paybell/sdk';
import { Client } from 'pg';
import type { LeasedDelivery, StorageFailure } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { claimAll, delivery, event, lease, payment, published, settlement, T, withDeliveries } from './given.ts';
import { startProxy } from './postgres-proxy.ts';
import type { Cut } from './postgres-proxy.ts';

const postgres = await startPostgres();
after(() => postgres?.stop());

const paid = (id: string) => published(event(id, { deliveries: [delivery(`d_${id}`, 'end_1', { lease: lease(T + 60_000) })] }));

describe('a PostgreSQL that is lost', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  test('a commit that waits for a free connection takes nobody for dead: it waits, and is written', async () => {
    const database = await postgres!.fresh();
    const store = await openStorage(database.url);
    await store.open();
    const movement = payment('p1');
    const rival = new Client({ connectionString: database.url });
    await rival.connect();
    await rival.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('${transactionId('m1', 'serixpay', 'payment', 'p1')}', 0))`);
    // More than there are connections, and all of them hang for longer than a dead server is waited for.
    const calls = Array.from({ length: 20 }, (_, n) => store.record([published(event(`e${n}`, { movement, occurredAt: T + n }))]));
    const ended = Promise.all(calls);
    await Promise.race([ended, rival.query('SELECT pg_sleep(2)')]);
    await rival.query('COMMIT');
    await rival.end();
    assert.deepEqual(new Set((await ended).map(([answer]) => answer?.events[0]?.outcome)), new Set(['stored']));
    assert.deepEqual(await store.check({ now: T }), []);
    await store.close();
    await database.drop();
  });

  test('a server that was made a standby refuses, and nothing of it is in doubt; it is served again once it may be written to', async () => {
    const database = await postgres!.fresh();
    const store = await openStorage(database.url);
    await store.open();
    const [{ name } = {}] = await database.sql('SELECT current_database() AS name');
    const readOnly = (value: string) => database.sql(`BEGIN READ WRITE; ALTER DATABASE ${String(name)} ${value}; COMMIT`);
    await readOnly('SET default_transaction_read_only = on');
    // Connections that were open before belong to the server that is gone.
    await database.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'paybell%'`);
    const refused = { name: 'StorageError', code: '25006', unsure: false };
    await assert.rejects(
      store.record([paid('e0')]).catch(() => store.record([paid('e1')])),
      refused,
    );
    await readOnly('RESET default_transaction_read_only');
    await database.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'paybell%'`);
    await store.record([paid('e2')]).catch(() => store.record([paid('e2')]));
    assert.deepEqual(await database.sql('SELECT id FROM events'), [{ id: 'e2' }]);
    await store.close();
    await database.drop();
  });

  test('a server that takes connections and says nothing is told of within two seconds', async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const store = await openStorage(`postgres://paybell@127.0.0.1:${(silent.address() as AddressInfo).port}/postgres`);
    const began = performance.now();
    await assert.rejects(store.open(), { name: 'StorageError' });
    assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  for (const cut of ['before', 'after'] as readonly Cut[]) {
    test(`a result is cut off ${cut} it is on disk, and nobody gets through for a while: given again it counts once, and as settled`, async () => {
      const database = await postgres!.fresh();
      const proxy = await startProxy(database.url);
      const store = await openStorage(proxy.url);
      try {
        await store.open();
        await withDeliveries(store, 'end_1', ['d1', 'd2']);
        const [first, second] = (await claimAll(store, 'end_1')) as [LeasedDelivery, LeasedDelivery];
        proxy.shutWithNextCut();
        proxy.cutNextCommit(cut);
        const unsure = (error: StorageFailure): boolean => error.unsure;
        await assert.rejects(store.settle([settlement(first)]), unsure);
        proxy.open();
        const results = [{ ...settlement(first), again: true as const }, settlement(second)];
        assert.deepEqual(await store.settle(results), ['settled', 'settled']);
        assert.deepEqual(await store.settle([settlement(first), settlement(second)]), ['fenced', 'fenced']);
        assert.deepEqual(await store.check({ now: T }), []);
      } finally {
        await store.close();
        await proxy.close();
        await database.drop();
      }
    });

    test(`a first start that is cut off ${cut} its schema is on disk leaves nothing half made`, async () => {
      const database = await postgres!.fresh();
      const proxy = await startProxy(database.url);
      proxy.cutNextCommit(cut);
      await assert.rejects((await openStorage(proxy.url)).open(), { name: 'StorageError' });
      assert.equal(proxy.cuts(), 1);
      const made = await database.sql(
        `SELECT to_regclass('requests') IS NOT NULL AS table, to_regclass('schema_version') IS NOT NULL AS version`,
      );
      assert.deepEqual(made, [{ table: cut === 'after', version: cut === 'after' }]);
      const store = await openStorage(proxy.url);
      await store.open();
      await store.record([paid('e1')]);
      await store.close();
      await proxy.close();
      await database.drop();
    });

    test(`cut off ${cut} the commit is on disk and not back: the failure says that nobody knows, later ones that nothing was written`, async () => {
      const database = await postgres!.fresh();
      const proxy = await startProxy(database.url);
      const store = await openStorage(proxy.url);
      await store.open();
      proxy.shutWithNextCut();
      proxy.cutNextCommit(cut);
      const unsure = (expected: boolean) => (error: StorageFailure) => error.name === 'StorageError' && error.unsure === expected;
      await assert.rejects(store.record([paid('e1')]), unsure(true));
      await assert.rejects(store.record([paid('e2')]), unsure(false));
      assert.deepEqual(
        (await database.sql('SELECT id FROM deliveries')).map(({ id }) => id),
        cut === 'after' ? ['d_e1'] : [],
      );
      await store.close();
      await proxy.close();
      await database.drop();
    });
  }
});
