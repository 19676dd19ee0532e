import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startReplicated } from '../support/standby.ts';
import { startCluster } from './cluster.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';

describe('a standby of PostgreSQL', { skip }, () => {
  it(
    'that nobody waits for: it is said at start and in /readyz, and a failover loses what it had not got, no more',
    { timeout: 120_000 },
    async (t) => {
      const servers = await startReplicated({ synchronous: false });
      if (servers === null) return t.skip('no PostgreSQL here');
      const database = await servers.fresh();
      const cluster = await startCluster(servers.both(database.url));
      const { nodes, ledger, receiver } = cluster;
      try {
        for (const node of nodes) {
          assert.match((await node.call('GET', '/readyz')).body.store.durability, /no synchronous standby$/);
          assert.match(
            node.errors(),
            /a failover of the database would lose what its standby had not got yet; set synchronous_standby_names/,
          );
        }
        await cluster.goesOn('at first');
        // Results that the standby has not got are lost as well: such a delivery is made again, once its lease has ended.
        await cluster.quietly(() => servers.standby.down());
        const before = new Set(ledger.acks.keys());
        await cluster.goesOn('without it');
        receiver.nextLife();
        await servers.primary.kill();
        receiver.nextLife();
        const last = [...ledger.acks].filter(([shot]) => !before.has(shot));
        await servers.standby.start();
        await servers.promote();
        await cluster.goesOn('after the failover');
        const published = last.flatMap(([, { event }]) => event ?? []);
        const found = await Promise.all(published.map(async (id) => (await nodes[0]!.call('GET', `/v1/events/${id}`)).status));
        assert.ok(published.length > 0 && found.includes(404), 'this run lost nothing: it proves nothing');
        // Who still has them sends them again.
        for (const [shot] of last) {
          ledger.acks.delete(shot);
          ledger.unanswered.push(shot);
        }
        t.diagnostic(JSON.stringify({ last: last.length, ...(await cluster.judge(servers.both(database.url), last.length)) }));
      } finally {
        await cluster.stop();
        await servers.stop();
      }
    },
  );
});
