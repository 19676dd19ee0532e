import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import { startRedis } from '../support/redis.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { LATER_MS, comes, live, missing, postgres, publish, ready, redis, startPair, stopServers, types } from './pair.ts';
import type { Pair } from './pair.ts';

after(stopServers);

describe('a Redis between nodes that fails', { skip: missing }, () => {
  let pair: Pair;
  let a: TestServer;
  let b: TestServer;
  before(async () => {
    pair = await startPair();
    ({ a, b } = pair);
  });
  after(() => pair.stop());

  for (const [what, stop, go] of [
    ['paused', () => redis!.command('CLIENT', 'PAUSE', '6000', 'ALL'), async () => undefined],
    ['frozen', () => redis!.freeze(), async () => redis!.thaw()],
    ['killed', () => redis!.kill(), () => redis!.start()],
  ] as const) {
    it(
      `a Redis that is ${what} costs latency, no data: shown, and found again`,
      { skip: redis?.own !== true && 'not our Redis' },
      async () => {
        const stream = await live(a);
        await stop();
        const began = performance.now();
        const accepted = [await publish(b), await publish(b)];
        assert.ok(performance.now() - began < 2_000, 'nothing waits for Redis');
        await Promise.all([comes(a, 'lost'), comes(b, 'lost')]);
        assert.deepEqual(await ready(a), { status: 'degraded', redis: 'lost' });
        assert.match((await a.call('GET', '/metrics')).body, /^paybell_redis_connected 0$/m);
        accepted.push(await publish(b));
        // The database says how far the other node came: whoever watches is told to load anew.
        const missed = (): boolean => stream.frames.some(({ event }) => event === 'reset');
        await within(LATER_MS, 'a reset', missed);
        const { body: source } = await a.call('POST', '/v1/sources', { provider: 'serixpay', secret: 'saved-while-redis-is-away' });
        await within(3_000, 'the source', async () => (await b.call('GET', `/v1/sources/${source.id}`)).status === 200);
        await go();
        await Promise.all([comes(a, 'connected'), comes(b, 'connected')]);
        assert.equal((await ready(a))['status'], 'ready');
        const log = (await a.call('GET', '/v1/events?limit=50')).body.data.map(({ type }: { type: string }) => type);
        assert.deepEqual(
          accepted.filter((type) => !log.includes(type)),
          [],
        );
        const type = await publish(b);
        await stream.until(() => types(stream).includes(type));
        stream.close();
      },
    );
  }
});

describe('a node and its Redis', { skip: missing }, () => {
  it('starts without one that can be reached, and says no secret', async () => {
    const database = await postgres!.fresh();
    const folder = tempDir();
    const env = { PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: MASTER_KEYS, PAYBELL_LOG_LEVEL: 'debug' };
    const closed = 'redis://shop:very-secret@127.0.0.1:1/0';
    const refused = redis!.url.replace('redis://', 'redis://shop:very-secret@');
    for (const url of [closed, refused]) {
      const server = await spawnServer(folder.path, { env: { ...env, PAYBELL_REDIS_URL: url } });
      assert.deepEqual(await ready(server), { status: 'degraded', redis: 'lost' });
      await publish(server);
      await within(LATER_MS, 'a word in the log', () => /Redis does not answer/.test(server.errors()));
      assert.equal(await server.terminate(), 0);
      assert.ok(!server.errors().includes('very-secret'), server.errors());
    }
    folder.remove();
    await database.drop();
  });

  it('speaks TLS, with a password, to one whose certificate it trusts', { skip: redis?.own !== true && 'not our Redis' }, async () => {
    const folder = tempDir();
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject], {
      stdio: 'pipe',
    });
    const tls = [
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-ca-cert-file',
      cert,
      '--tls-auth-clients',
      'no',
      '--requirepass',
      'sesame',
    ];
    const secure = await startRedis(tls, 'rediss');
    const database = await postgres!.fresh();
    const url = secure!.url.replace('rediss://', 'rediss://:sesame@');
    const env = { PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: MASTER_KEYS, PAYBELL_REDIS_URL: url };
    const server = await spawnServer(join(folder.path, 'data'), { env: { ...env, NODE_EXTRA_CA_CERTS: cert } });
    await comes(server, 'connected');
    assert.equal(await server.terminate(), 0);
    const wary = await spawnServer(join(folder.path, 'data'), { env });
    assert.equal((await ready(wary))['redis'], 'lost', 'a certificate that nobody vouches for is not trusted');
    await wary.terminate();
    await secure!.stop();
    folder.remove();
    await database.drop();
  });
});
