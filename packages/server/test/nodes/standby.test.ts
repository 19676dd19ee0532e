import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { within } from '../support/nodes.ts';
import { startReplicated } from '../support/standby.ts';
import { startCluster } from './cluster.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';
/** A commit is waited for eight seconds. */
const AWAY_MS = 10_000;
const FIRST_TOLD_MS = 9_500;
const AT_ONCE_MS = 1_000;

describe('a standby of PostgreSQL', { skip }, () => {
  it(
    'that goes away while it is waited for: callers are told in time, nothing is acknowledged, nothing is lost or double',
    { timeout: 120_000 },
    async (t) => {
      const servers = await startReplicated({ synchronous: true });
      if (servers === null) return t.skip('no PostgreSQL here');
      const database = await servers.fresh();
      const cluster = await startCluster(database.url);
      try {
        assert.match((await cluster.nodes[0]!.call('GET', '/readyz')).body.store.durability, /synchronous standby standby$/);
        assert.ok(!cluster.nodes[0]!.errors().includes('no synchronous standby'));
        await cluster.goesOn('at first');
        servers.standby.freeze();
        const end = performance.now() + AWAY_MS;
        // Answers that were on their way already.
        await servers.primary.sql('SELECT pg_sleep(0.3)');
        const acknowledged = cluster.ledger.acks.size;
        const answers = await cluster.knock(() => performance.now() > end);
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503]);
        assert.ok(Math.max(...answers.map(({ ms }) => ms)) < FIRST_TOLD_MS, 'before the caller gives up');
        assert.ok(answers.filter(({ ms }) => ms < AT_ONCE_MS).length > 4, 'later ones at once');
        for (const node of cluster.nodes) {
          const { status, body } = await node.call('GET', '/readyz');
          assert.deepEqual([status, body.code], [503, 'store_down']);
          assert.match(body.detail, /synchronous standby may be away/);
          assert.match((await node.call('GET', '/metrics')).body, /^paybell_hanging [1-9]/m);
        }
        assert.equal(cluster.ledger.acks.size, acknowledged, 'nothing was acknowledged');
        servers.standby.thaw();
        await cluster.goesOn('once it is back', 60);
        await within(5_000, 'ready again', async () => (await cluster.nodes[0]!.call('GET', '/readyz')).status === 200);
        t.diagnostic(JSON.stringify(await cluster.judge(database.url)));
      } finally {
        await cluster.stop();
        await servers.stop();
      }
    },
  );
});
