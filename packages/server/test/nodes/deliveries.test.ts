import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { allDelivered } from '../crash/drain.ts';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { Api, SpawnedServer } from '../support/server.ts';
import { comes, missing, postgres, redis, stopServers } from './pair.ts';

/** The sweep that would find it anyway comes after five seconds. */
const AT_ONCE_MS = 4_000;
/** Nobody hears of a killed node for five seconds, and then three more looks are taken. */
const TAKEN_OVER_MS = 20_000;
after(stopServers);

/** An endpoint that takes its time and tells, call by call, what came when. */
async function startSlow(delayMs: () => number) {
  const calls: { readonly id: string; readonly body: string }[] = [];
  let open = 0;
  let most = 0;
  const server = createServer((request, response) => {
    most = Math.max(most, (open += 1));
    response.once('close', () => (open -= 1));
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      calls.push({ id: String(request.headers['webhook-id']), body });
      setTimeout(() => response.writeHead(200).end(), delayMs());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls,
    open: () => open,
    most: () => most,
    ids: () => new Set(calls.map(({ id }) => id)).size,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const publish = (node: Api, count: number, type = 'a.b'): Promise<{ status: number }> =>
  node.call('POST', '/v1/events/batch', { events: Array.from({ length: count }, (_, n) => ({ type, data: { n } })) });
const attempts = async (node: Api): Promise<number> =>
  Number(/^paybell_attempts_total\{outcome="succeeded".*\} (\d+)$/m.exec((await node.call('GET', '/metrics')).body)?.[1] ?? 0);

describe('deliveries on several nodes', { skip: missing }, () => {
  let database: TestDatabase;
  let nodes: SpawnedServer[] = [];
  const folder = tempDir();
  const env = () => ({ PAYBELL_DATABASE_URL: database.url, PAYBELL_MASTER_KEYS: MASTER_KEYS, PAYBELL_REDIS_URL: redis!.url });
  const node = async (n: number): Promise<SpawnedServer> => {
    const started = await spawnServer(`${folder.path}/${n}`, { env: env() });
    await comes(started, 'connected');
    return started;
  };
  before(async () => {
    database = await postgres!.fresh();
    nodes = [await node(0), await node(1)];
  });
  after(async () => {
    for (const one of nodes) await one.kill();
    await database.drop();
    folder.remove();
  });

  const endpoint = async (url: string, more: object): Promise<() => Promise<void>> => {
    const { body } = await nodes[0]!.call('POST', '/v1/endpoints', { url, ...more });
    await within(3_000, 'the endpoint', async () => (await nodes[1]!.call('GET', `/v1/endpoints/${body.id}`)).status === 200);
    return async () => void (await nodes[0]!.call('DELETE', `/v1/endpoints/${body.id}`));
  };

  it('what one has no room for the other one sends at once; none twice', async () => {
    const sink = await startSlow(() => 150);
    const remove = await endpoint(sink.url, { maxInFlight: 2 });
    await publish(nodes[0]!, 40);
    await within(AT_ONCE_MS, 'the other node sends too', () => sink.most() > 2);
    await allDelivered(nodes[1]!);
    assert.deepEqual([sink.calls.length, sink.ids()], [40, 40]);
    assert.ok((await attempts(nodes[1]!)) > 0);
    assert.ok(sink.most() <= 4, "the cap is each node's own");
    await remove();
    sink.close();
  });

  it('the deliveries of a transaction go in order, whichever node accepts and sends them', async () => {
    const sink = await startSlow(() => Math.random() * 200);
    const remove = await endpoint(sink.url, { ordered: true, events: ['payment.*'] });
    const types = ['payment.pending', 'payment.processing', 'payment.succeeded'];
    for (let n = 0; n < 30; n++) {
      const data = { paymentId: `p${n % 3}`, amount: '10.00', currency: 'KES', n };
      assert.equal((await nodes[n % 2]!.call('POST', '/v1/events', { type: types[n % types.length], data })).status, 202);
    }
    await allDelivered(nodes[0]!);
    assert.ok(sink.most() > 1, 'transactions do not wait for each other');
    for (const payment of ['p0', 'p1', 'p2']) {
      const order = sink.calls
        .map(({ body }) => JSON.parse(body).data)
        .filter(({ paymentId }) => paymentId === payment)
        .map(({ n }) => n);
      assert.deepEqual(
        order,
        order.toSorted((x: number, y: number) => x - y),
        payment,
      );
      assert.equal(order.length, 10);
    }
    await remove();
    sink.close();
  });

  it('a node that is stopped gives back what it has not sent, and the other one sends it at once', async () => {
    const sink = await startSlow(() => 300);
    const remove = await endpoint(sink.url, { maxInFlight: 1 });
    await publish(nodes[1]!, 8);
    await within(5_000, 'a first call', () => sink.calls.length > 0);
    const began = performance.now();
    assert.equal(await nodes[1]!.terminate(), 0);
    assert.ok(performance.now() - began < 15_000);
    await within(AT_ONCE_MS, 'all of them', () => sink.calls.length === 8);
    await allDelivered(nodes[0]!);
    assert.deepEqual([sink.calls.length, sink.ids()], [8, 8]);
    nodes[1] = await node(1);
    await remove();
    sink.close();
  });

  it('what a killed node had leased the other one sends long before the lease ends; only what was in flight comes twice', async () => {
    const sink = await startSlow(() => 1_000);
    const remove = await endpoint(sink.url, { maxInFlight: 2 });
    await publish(nodes[1]!, 4);
    await within(5_000, 'calls in flight', () => sink.open() > 0);
    const inFlight = sink.calls.length;
    await nodes[1]!.kill();
    await within(TAKEN_OVER_MS, 'all of them', () => sink.ids() === 4);
    await allDelivered(nodes[0]!);
    assert.ok(sink.calls.length <= 4 + inFlight, `${sink.calls.length} calls`);
    nodes[1] = await node(1);
    await remove();
    sink.close();
  });

  it('a node that stands still for a while neither loses nor repeats more than it had in flight', async () => {
    const sink = await startSlow(() => 200);
    const remove = await endpoint(sink.url, { maxInFlight: 4 });
    await publish(nodes[1]!, 12);
    await within(5_000, 'calls in flight', () => sink.open() > 0);
    nodes[1]!.child.kill('SIGSTOP');
    await wait(3_000);
    nodes[1]!.child.kill('SIGCONT');
    await allDelivered(nodes[0]!);
    assert.equal(sink.ids(), 12);
    assert.equal(sink.calls.length, 12, 'its leases were still its own');
    await remove();
    sink.close();
  });
});
