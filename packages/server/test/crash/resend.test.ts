import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { allDelivered } from './drain.ts';
import { startReceiver } from './receiver.ts';

const EVENTS = 600;
const KILLS = 3;
/** Deliveries made between two kills at least. */
const PER_LIFE = 60;
const MOST_IN_FLIGHT = 8;

const data = tempDir();
const receiver = await startReceiver(() => 2);
let server: SpawnedServer | null = null;

after(async () => {
  await server?.kill();
  await receiver.close();
  data.remove();
});

async function progress(id: string): Promise<{ made: number; state: string; pending: number }> {
  const { body } = (await server?.call('GET', `/v1/resends/${id}`)) ?? {};
  return body;
}

it(
  `a resend of ${EVENTS} events goes on after kill -9: every event once more, none twice but for what was in flight`,
  { timeout: 120_000 },
  async () => {
    server = await spawnServer(data.path);
    const events = Array.from({ length: EVENTS }, (_, n) => ({ type: 'payment.succeeded', data: { id: `p${n}` } }));
    assert.equal((await server.call('POST', '/v1/events/batch', { events })).status, 202);
    await server.call('POST', '/v1/endpoints', { url: `${receiver.url}/again`, maxInFlight: MOST_IN_FLIGHT });
    const { body } = await server.call('POST', '/v1/events/resend', { since: '2020-01-01T00:00:00Z', perSecond: 200 });
    assert.deepEqual([body.events, body.deliveries, body.dryRun], [EVENTS, EVENTS, false]);
    const { id } = body.resend as { id: string };
    for (let kill = 1; kill <= KILLS; kill++) {
      while ((await progress(id)).made < kill * PER_LIFE) await wait(20);
      await server.kill();
      receiver.nextLife();
      server = await spawnServer(data.path);
      assert.equal((await progress(id)).state, 'running', `it was over before kill ${kill}`);
    }
    while ((await progress(id)).state === 'running') await wait(50);
    await allDelivered(server);
    const { made, state, pending } = await progress(id);
    assert.deepEqual([made, state, pending], [EVENTS, 'done', 0]);
    assert.equal(receiver.receipts.size, EVENTS);
    const repeats = [...receiver.receipts.values()].reduce((sum, receipts) => sum + receipts.length - 1, 0);
    assert.ok(repeats <= KILLS * MOST_IN_FLIGHT, `${repeats} repeats`);
    const { body: one } = await server.call('GET', '/v1/deliveries?limit=200');
    assert.equal(new Set(one.data.map(({ event }: { event: string }) => event)).size, one.data.length, 'one delivery for each event');
  },
);
