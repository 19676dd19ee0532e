import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import { startReplicated } from '../support/standby.ts';

const skip = process.env['PAYBELL_TEST_POSTGRES_URL'] !== undefined && 'no server of our own to break';
const ENDS_WITHIN_MS = 15_000;

describe('a node that is stopped while commits hang', { skip }, () => {
  it('answers its callers and ends in time', { timeout: 120_000 }, async (t) => {
    const servers = await startReplicated({ synchronous: true });
    if (servers === null) return t.skip('no PostgreSQL here');
    const database = await servers.fresh();
    const folder = tempDir();
    const env = { PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: MASTER_KEYS };
    const node = await spawnServer(folder.path, { env });
    try {
      servers.standby.freeze();
      const published = node.call('POST', '/v1/events', { type: 'a.b', data: {} });
      const waiting = () =>
        servers.primary.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query NOT LIKE '%nodes%'");
      await within(5_000, 'a commit hangs', async () => (await waiting()).length > 0);
      const began = performance.now();
      assert.equal(await node.terminate(), 0);
      assert.ok(performance.now() - began < ENDS_WITHIN_MS, `${performance.now() - began} ms`);
      assert.equal((await published).status, 503);
    } finally {
      await node.kill();
      await servers.stop();
      folder.remove();
    }
  });
});
