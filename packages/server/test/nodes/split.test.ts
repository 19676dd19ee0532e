import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../support/nodes.ts';
import { startReplicated } from '../support/standby.ts';
import { startCluster } from './cluster.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';

describe('a standby of PostgreSQL that is promoted while the old primary lives', { skip }, () => {
  it(
    'under load: what waits at the old one is written to the new one, and nothing acknowledged is on the old one alone',
    { timeout: 120_000 },
    async (t) => {
      const servers = await startReplicated({ synchronous: true });
      if (servers === null) return t.skip('no PostgreSQL here');
      const database = await servers.fresh();
      const url = servers.both(database.url);
      const cluster = await startCluster(url);
      try {
        await cluster.goesOn('at first');
        cluster.receiver.nextLife();
        await servers.promote();
        cluster.receiver.nextLife();
        await cluster.goesOn('at the new one');
        // It comes back after a pause, and still takes connections and writes.
        servers.primary.freeze();
        await cluster.goesOn('while the old one stands still');
        servers.primary.thaw();
        await cluster.goesOn('once it goes on');
        const [old] = await servers.primary.sql('SELECT pg_is_in_recovery() AS standby');
        assert.equal(old?.['standby'], false);
        // Each node finds out by itself, once an answer is missing for two seconds; a connection that it closed ends when the old one reads that.
        const talks = `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'paybell%' AND wait_event IS DISTINCT FROM 'SyncRep'`;
        await within(10_000, 'nobody talks to the old one any more', async () => (await servers.primary.sql(talks)).length === 0);
        await servers.primary.kill();
        t.diagnostic(JSON.stringify(await cluster.judge(url)));
      } finally {
        await cluster.stop();
        await servers.stop();
      }
    },
  );
});
