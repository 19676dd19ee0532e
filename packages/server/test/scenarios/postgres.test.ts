import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { forge } from '@paybell/sdk';
import { paybell } from '../cli/paybell.ts';
import { startPostgres } from '../support/postgres.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import { startSink } from '../support/sink.ts';

const SECRET = 'postgres-scenario-secret';
const postgres = await startPostgres();
after(() => postgres?.stop());

test(
  'the same program runs on PostgreSQL: received, delivered, killed, found again',
  { skip: postgres === null && 'no PostgreSQL here' },
  async () => {
    const database = await postgres!.fresh();
    const dir = tempDir();
    const sink = await startSink();
    const env = { PAYBELL_DATABASE_URL: database.url, PAYBELL_LOG_LEVEL: 'warn' };
    try {
      let server = await spawnServer(dir.path, { env });
      const { body: source } = await server.call('POST', '/v1/sources', { provider: 'serixpay', secret: SECRET });
      const endpoint = await server.call('POST', '/v1/endpoints', { url: sink.url, provider: 'serixpay' });
      assert.equal(endpoint.status, 201);
      const webhook = forge({
        provider: 'serixpay',
        type: 'payment.completed',
        id: 'evt_pg',
        now: Date.now(),
        secret: SECRET,
        set: { orderId: 'PG-1' },
      });
      const answer = await fetch(`${server.url}${source.ingestPath}`, {
        method: 'POST',
        headers: webhook.headers,
        body: Buffer.from(webhook.body),
      });
      assert.equal(answer.status, 200);
      await sink.reached(1);
      assert.match(server.errors(), /no synchronous standby.*a failover of the database/);
      await server.kill();
      server = await spawnServer(dir.path, { env });
      const { body: found } = await server.call('GET', '/v1/transactions?q=PG-1');
      assert.deepEqual([found.data.length, found.data[0].status, found.data[0].amount.currency], [1, 'succeeded', 'KES']);
      assert.equal(await server.terminate(), 0);
      const verdict = await paybell(['doctor', '--data', dir.path, '--json'], { env });
      assert.equal(verdict.code, 0, verdict.stdout);
    } finally {
      await sink.close();
      await database.drop();
      dir.remove();
    }
  },
);
