import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { StorageFailure } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { delivery, event, lease, published, T } from './given.ts';
import { startProxy } from './postgres-proxy.ts';
import type { Cut } from './postgres-proxy.ts';

const postgres = await startPostgres();
after(() => postgres?.stop());

const paid = (id: string) => published(event(id, { deliveries: [delivery(`d_${id}`, 'end_1', { lease: lease(T + 60_000) })] }));

describe('a PostgreSQL that is lost', { skip: postgres === null && 'no PostgreSQL here' }, () => {
  for (const cut of ['before', 'after'] as readonly Cut[]) {
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
