import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import { startReplicated } from '../support/standby.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';

describe('a failover that loses a change of the configuration', { skip }, () => {
  it('ends a node that had read it: what it holds is not what there is; the next start reads that', { timeout: 60_000 }, async (t) => {
    const servers = await startReplicated({ synchronous: false });
    if (servers === null) return t.skip('no PostgreSQL here');
    const database = await servers.fresh();
    const folder = tempDir();
    const start = () =>
      spawnServer(folder.path, {
        env: { PAYBELL_DATABASE_URL: servers.both(database.url), PAYBELL_MASTER_KEYS: MASTER_KEYS, PAYBELL_LOG_LEVEL: 'error' },
      });
    const endpoint = { url: 'https://shop.example/hook' };
    const node = await start();
    try {
      const { body: kept } = await node.call('POST', '/v1/endpoints', endpoint);
      await servers.standby.down();
      const { body: lost } = await node.call('POST', '/v1/endpoints', endpoint);
      await servers.primary.kill();
      await servers.standby.start();
      await servers.promote();
      await within(20_000, 'it ends', () => node.child.exitCode !== null);
      assert.equal(node.child.exitCode, 1);
      assert.match(node.errors(), /The database is behind \(version \d+\) the configuration that this node read from it \(\d+\)/);
      const next = await start();
      assert.equal((await next.call('GET', `/v1/endpoints/${kept.id}`)).status, 200);
      assert.equal((await next.call('GET', `/v1/endpoints/${lost.id}`)).status, 404);
      assert.equal((await next.call('POST', '/v1/endpoints', endpoint)).status, 201);
      assert.equal(await next.terminate(), 0);
    } finally {
      await node.kill();
      await servers.stop();
      folder.remove();
    }
  });
});
