import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import { startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { LATER_MS, comes, live, missing, postgres, publish, redis, startPair, stopServers, types } from './pair.ts';
import type { Pair } from './pair.ts';

/** Far less than what the database alone takes. */
const AT_ONCE_MS = 700;
after(stopServers);

describe('nodes with a Redis between them', { skip: missing }, () => {
  let pair: Pair;
  let a: TestServer;
  let b: TestServer;
  before(async () => {
    pair = await startPair();
    ({ a, b } = pair);
  });
  after(() => pair.stop());

  it('what one saves the other one knows at once', async () => {
    const took: number[] = [];
    for (let n = 0; n < 3; n++) {
      const { body: source } = await a.call('POST', '/v1/sources', { provider: 'serixpay', secret: `secret-of-the-redis-tests-${n}` });
      took.push(await within(5_000, 'the source', async () => (await b.call('GET', `/v1/sources/${source.id}`)).status === 200));
    }
    assert.ok(took.toSorted((x, y) => x - y)[1]! < AT_ONCE_MS, took.join(' ms, '));
  });

  it('a reader at one sees what the other accepted, and resumes at either', async () => {
    let stream = await live(a);
    const seen: string[] = [];
    for (let round = 0; round < 6; round++) {
      const sent = [await publish(b), await publish(a), await publish(b)];
      await stream.until(() => sent.every((type) => types(stream).includes(type)));
      assert.ok(stream.frames.every(({ event }) => event !== 'reset'));
      seen.push(...sent);
      const { lastId } = stream;
      stream.close();
      const meanwhile = [await publish(a), await publish(b)];
      stream = await live(round % 2 === 0 ? b : a, { 'last-event-id': lastId });
      await stream.until(() => meanwhile.every((type) => types(stream).includes(type)));
      assert.ok(
        stream.frames.every(({ event }) => event !== 'reset'),
        'it was resumed, not begun anew',
      );
    }
    stream.close();
  });

  it('FLUSHALL costs nothing', async () => {
    const stream = await live(a);
    await redis!.command('FLUSHALL');
    const type = await publish(b);
    await stream.until(() => types(stream).includes(type));
    stream.close();
  });

  it('strangers in the channel are heard by nobody', async () => {
    const stream = await live(a);
    const [channel = ''] = (await redis!.command('PUBSUB', 'CHANNELS', 'paybell:*')) as string[];
    const { body: me } = await b.call('GET', '/readyz');
    const hostile = [
      '',
      'x',
      `v1 ${me.node.id} `,
      `v1 ${me.node.id} v1.shared.AAAA`,
      `v1 node_${'a'.repeat(26)} live\n1 listening`,
      'x'.repeat(100_000),
    ];
    for (const message of hostile) await redis!.command('PUBLISH', channel, message);
    const type = await publish(b);
    await stream.until(() => types(stream).includes(type));
    assert.deepEqual([...new Set(stream.frames.map(({ event }) => event))], ['delivery']);
    await within(
      LATER_MS,
      'all were counted',
      async () => /^paybell_signal_ignored (\d+)$/m.exec((await a.call('GET', '/metrics')).body)?.[1] === String(hostile.length),
    );
    stream.close();
  });

  it('another installation on the same Redis is a stranger', async () => {
    const other = await postgres!.fresh();
    const c = await startServer({
      env: { PAYBELL_DATABASE_URL: other.url, PAYBELL_REDIS_URL: redis!.url, PAYBELL_MASTER_KEYS: MASTER_KEYS },
    });
    await comes(c, 'connected');
    assert.equal(((await redis!.command('PUBSUB', 'CHANNELS', 'paybell:*')) as string[]).length, 2);
    const [mine, theirs] = [await live(a), await live(c)];
    const [here, there] = [await publish(b), await publish(c)];
    await mine.until(() => types(mine).includes(here));
    assert.ok(!types(mine).includes(there));
    assert.deepEqual(theirs.frames, []);
    for (const stream of [mine, theirs]) stream.close();
    await c.stop();
    await other.drop();
  });
});
