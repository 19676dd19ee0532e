import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { databasePath } from '../../src/storage/open.ts';
import { paybell } from '../cli/paybell.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { allDelivered } from './drain.ts';
import { makeShots, newLedger, startLoad } from './load.ts';
import type { Ledger, Shot } from './load.ts';
import { randomFrom } from './random.ts';
import { countRepeats, startReceiver } from './receiver.ts';
import type { Receiver } from './receiver.ts';
import { eventsInTheApi, findings, nothingLost } from './whole.ts';

const KILLS = 50;
const CLIENTS = 16;
/** Each life of the server ends at a random moment up to this long after its first acknowledgement. */
const LONGEST_LIFE_MS = 300;
/** Bounds the size of the test on a fast machine. */
const MOST_PER_LIFE = 200;
const LOOK_INSIDE_EVERY = 10;

const ENDPOINTS = [
  { path: '/event', body: { provider: 'paybell', events: ['*'], maxInFlight: 8 } },
  { path: '/request', body: { provider: 'paybell', events: ['*'], content: 'request', maxInFlight: 4 } },
  { path: '/serixpay', body: { provider: 'serixpay', events: ['payment.*', 'payout.*'], maxInFlight: 4 } },
] as const;
const MOST_IN_FLIGHT = ENDPOINTS.reduce((sum, { body }) => sum + body.maxInFlight, 0);

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const random = randomFrom(seed);
const data = tempDir();
const cache = tempDir();
// Start-up is most of the time of this test: compiled code is kept between lives.
const env = { NODE_COMPILE_CACHE: cache.path };
let receiver: Receiver;
let server: SpawnedServer | null = null;

before(async () => {
  receiver = await startReceiver(() => random() * 15);
});
after(async () => {
  await server?.kill();
  await receiver.close();
  data.remove();
  cache.remove();
});

it(
  `loses nothing over ${KILLS} kills under load, and repeats no more than was in flight (SEED=${seed})`,
  { timeout: 600_000 },
  async (t) => {
    const ledger = newLedger();
    const next = await setUp();
    const lives = await killAndRestart(next, ledger);
    const drained = await spawnServer(data.path, { env });
    server = drained;
    await startLoad({ url: drained.url, next, most: 0, ledger, clients: 4 }).done;
    await allDelivered(drained);
    const repeats = countRepeats(receiver.receipts);
    const { acks, resent } = ledger;
    t.diagnostic(
      JSON.stringify({
        seed,
        kills: KILLS,
        acknowledged: acks.size,
        resent,
        received: receiver.receipts.size,
        ...lives,
        repeats: repeats.total,
        worstRepeats: repeats.worst,
      }),
    );
    assert.equal(await eventsInTheApi(drained), acks.size, 'what was sent until it was acknowledged is in the log, each once');
    assert.equal(await drained.terminate(), 0, drained.errors());

    assert.deepEqual(ledger.refused, []);
    await nothingLost(databasePath(data.path), { ledger, receipts: receiver.receipts });
    assert.ok(lives.inFlightAtKill > 0, 'no delivery was in flight at any kill: this run proves nothing about repeats');
    assert.deepEqual(repeats.changed, [], 'repeats carry the same bytes');
    assert.deepEqual(repeats.unexplained, [], 'nothing is repeated without a crash');
    assert.ok(repeats.worst <= MOST_IN_FLIGHT, `one kill repeated ${repeats.worst} deliveries; at most ${MOST_IN_FLIGHT} were in flight`);
    assert.deepEqual(await findings(databasePath(data.path)), []);
    const doctor = await paybell(['doctor', '--data', data.path, '--json']);
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
    assert.equal((JSON.parse(doctor.stdout.trim().split('\n').at(-1) ?? '') as { findings: number }).findings, 0);
  },
);

/** Sources and endpoints; the clean end also writes the cache of compiled code. */
async function setUp(): Promise<() => Shot> {
  server = await spawnServer(data.path, { env });
  for (const { path, body } of ENDPOINTS) {
    const { status } = await server.call('POST', '/v1/endpoints', { url: receiver.url + path, ...body });
    assert.equal(status, 201);
  }
  const next = await makeShots(server);
  assert.equal(await server.terminate(), 0, server.errors());
  return next;
}

async function killAndRestart(next: () => Shot, ledger: Ledger): Promise<{ inFlightAtKill: number; medianReadyMs: number }> {
  const readyMs: number[] = [];
  let inFlightAtKill = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const began = performance.now();
    server = await spawnServer(data.path, { env });
    readyMs.push(performance.now() - began);
    const load = startLoad({ url: server.url, next, most: MOST_PER_LIFE, ledger, clients: CLIENTS });
    // Half of the lives end in their first moments, while what the life before left behind is taken up.
    if (kill % 2 === 0) await load.acknowledged(1);
    await wait(random() * LONGEST_LIFE_MS);
    inFlightAtKill += receiver.inFlight();
    await server.kill();
    await load.stop();
    receiver.nextLife();
    if (kill % LOOK_INSIDE_EVERY === 0) assert.deepEqual(await findings(databasePath(data.path)), [], `after kill ${kill}`);
  }
  return { inFlightAtKill, medianReadyMs: Math.round(readyMs.toSorted((a, b) => a - b)[KILLS >> 1] ?? 0) };
}
