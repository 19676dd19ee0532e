import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { allDelivered } from './drain.ts';
import { makeShots, newLedger, startLoad } from './load.ts';
import type { Ledger } from './load.ts';
import { randomFrom } from './random.ts';
import { countRepeats, startReceiver } from './receiver.ts';
import type { Receiver } from './receiver.ts';

const LOADS = 3;
const WITHIN_MS = 15_000;
/** Far beyond the end of any lease: one that was left behind shows. */
const AFTER_ALL_LEASES_MS = 600_000;

const random = randomFrom(11);
const data = tempDir();
let receiver: Receiver;
let server: SpawnedServer | null = null;

before(async () => {
  receiver = await startReceiver(() => random() * 300);
});
after(async () => {
  await server?.kill();
  await receiver.close();
  data.remove();
});

it(
  'ends on SIGTERM under load: exit 0 in time, all that was acknowledged is kept, no call is cut, no lease stays behind',
  { timeout: 120_000 },
  async () => {
    const ledger = newLedger();
    server = await spawnServer(data.path);
    await server.call('POST', '/v1/endpoints', { url: `${receiver.url}/event`, maxInFlight: 8 });
    const next = await makeShots(server);
    for (let load = 1; load <= LOADS; load += 1) {
      server ??= await spawnServer(data.path);
      const running = startLoad({ url: server.url, next, most: 2_000, ledger, clients: 16 });
      await running.acknowledged(60);
      assert.ok(receiver.inFlight() > 0, 'deliveries are in flight');
      const began = performance.now();
      assert.equal(await server.terminate(), 0, server.errors());
      assert.ok(performance.now() - began < WITHIN_MS, 'it ended in time');
      assert.equal(receiver.inFlight(), 0, 'no call was cut off');
      server = null;
      await running.stop();
      receiver.nextLife();
      await holds(ledger);
    }
    for (const answer of ledger.refused) assert.match(answer, / 503 .*"code":"closing"/);

    server = await spawnServer(data.path);
    await startLoad({ url: server.url, next, most: 0, ledger, clients: 4 }).done;
    await allDelivered(server);
    const repeats = countRepeats(receiver.receipts);
    assert.deepEqual([repeats.total, repeats.unexplained], [0, []], 'a clean stop repeats nothing');
    assert.ok(receiver.receipts.size >= ledger.acks.size, 'everything that was acknowledged was delivered');
  },
);

async function holds({ acks }: Ledger): Promise<void> {
  const storage = await openStorage(databasePath(data.path), { readOnly: true, threads: false });
  await storage.open();
  try {
    assert.deepEqual(await storage.check({ now: Date.now() + AFTER_ALL_LEASES_MS }), []);
    const { accepted } = await storage.facts();
    assert.ok(accepted >= acks.size, `${acks.size} acknowledged, ${accepted} in the log`);
  } finally {
    await storage.close();
  }
}
