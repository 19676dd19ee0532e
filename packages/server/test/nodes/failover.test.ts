import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../support/nodes.ts';
import { startReplicated } from '../support/standby.ts';
import { startCluster, startMovingAddress } from './cluster.ts';
import type { Cluster } from './cluster.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';
/** How long nobody may be written to: as long as tools take to notice and promote, at the least. */
const WITHOUT_MS = 1_500;
const ANSWERED_MS = 2_000;

/** Every answer is that it could not be written, and it comes in time. */
async function refusedInTime(cluster: Cluster): Promise<void> {
  const end = performance.now() + WITHOUT_MS;
  const answers = await cluster.knock(() => performance.now() > end);
  assert.ok(answers.length > 4, `${answers.length} answers`);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503]);
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  assert.ok(slowest < ANSWERED_MS, `${slowest} ms`);
}

describe('a failover of PostgreSQL to its synchronous standby, under load', { skip }, () => {
  it('with both servers in the address: nothing acknowledged is lost, and all goes on by itself', { timeout: 120_000 }, async (t) => {
    const servers = await startReplicated({ synchronous: true });
    if (servers === null) return t.skip('no PostgreSQL here');
    const database = await servers.fresh();
    const cluster = await startCluster(servers.both(database.url, '&target_session_attrs=read-write'));
    try {
      await cluster.goesOn('at first');
      cluster.receiver.nextLife();
      await servers.primary.kill();
      cluster.receiver.nextLife();
      await refusedInTime(cluster);
      await servers.promote();
      cluster.receiver.nextLife();
      await cluster.goesOn('after the failover', 60);
      t.diagnostic(JSON.stringify(await cluster.judge(servers.both(database.url))));
    } finally {
      await cluster.stop();
      await servers.stop();
    }
  });

  it(
    'with one address that moves: the same, also while it leads to the standby before that is promoted',
    { timeout: 120_000 },
    async (t) => {
      const servers = await startReplicated({ synchronous: true });
      if (servers === null) return t.skip('no PostgreSQL here');
      const database = await servers.fresh();
      const address = await startMovingAddress(servers.primary.host);
      const url = database.url.replace(servers.primary.host, address.host);
      const cluster = await startCluster(url);
      try {
        await cluster.goesOn('at first');
        cluster.receiver.nextLife();
        // Cut off, and not dead: what it still writes has no standby any more.
        address.moveTo(servers.standby.host);
        cluster.receiver.nextLife();
        await refusedInTime(cluster);
        await servers.promote();
        cluster.receiver.nextLife();
        await cluster.goesOn('after the failover', 60);
        t.diagnostic(JSON.stringify(await cluster.judge(url)));
        const shown = () => servers.standby.sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'paybell%'");
        await within(5_000, 'every connection is closed', async () => (await shown()).length === 0);
      } finally {
        await cluster.stop();
        await address.close();
        await servers.stop();
      }
    },
  );
});
