import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { paybell } from '../cli/paybell.ts';
import { allDelivered } from '../crash/drain.ts';
import { makeShots, newLedger, startLoad } from '../crash/load.ts';
import type { Load, Shot } from '../crash/load.ts';
import { randomFrom } from '../crash/random.ts';
import { countRepeats, startReceiver } from '../crash/receiver.ts';
import type { Receiver } from '../crash/receiver.ts';
import { eventsInTheApi, findings, nothingLost } from '../crash/whole.ts';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { LATER_MS, postgres, redis, stopServers } from './pair.ts';
import { startWatcher } from './watcher.ts';
import type { Watcher } from './watcher.ts';

const NODES = 3;
/** Runs through all faults so often: `ROUNDS=20` for a long night. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 1);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const random = randomFrom(seed);
const CLIENTS = 4;
const BETWEEN_MS = 600;
/** Three nodes under load start on a busy machine. */
const READY_WITHIN_MS = 90_000;
/** Far less than a lease: none that no living node knows of may stay behind. */
const NO_LEASE_LATER_MS = 30_000;
const ENDPOINTS = [
  { path: '/event', body: { provider: 'paybell', events: ['*'], maxInFlight: 8 } },
  { path: '/request', body: { provider: 'paybell', events: ['*'], content: 'request', maxInFlight: 4 } },
  { path: '/serixpay', body: { provider: 'serixpay', events: ['payment.*', 'payout.*'], maxInFlight: 4 } },
] as const;
/** A fault repeats at most what was in flight: at one node for its death, at all of them where the database dies under them. */
const AT_ONE_NODE = ENDPOINTS.reduce((sum, { body }) => sum + body.maxInFlight, 0);
const AT_ALL = NODES * AT_ONE_NODE;

const skip = (postgres?.own !== true || redis?.own !== true) && 'no PostgreSQL and Redis of our own to break';
const folder = tempDir();
const ledger = newLedger();
let database: TestDatabase;
let receiver: Receiver;
let next: () => Shot;
const nodes: (SpawnedServer | null)[] = [];
const loads: Load[] = [];
let watcher: Watcher | null = null;

before(async () => {
  receiver = await startReceiver(() => random() * 40);
});
after(async () => {
  await watcher?.stop();
  for (const node of nodes) {
    node?.child.kill('SIGCONT');
    await node?.kill();
  }
  await receiver.close();
  await stopServers();
  folder.remove();
});

const env = (): Record<string, string> => ({
  PAYBELL_DATABASE_URL: database.url,
  PAYBELL_REDIS_URL: redis!.url,
  PAYBELL_MASTER_KEYS: MASTER_KEYS,
  NODE_COMPILE_CACHE: `${folder.path}/cache`,
});

async function start(n: number, load = true): Promise<void> {
  const node = await spawnServer(`${folder.path}/${n}`, { env: env(), readyWithinMs: READY_WITHIN_MS });
  nodes[n] = node;
  if (load) loads[n] = startLoad({ url: node.url, next, most: Infinity, ledger, clients: CLIENTS, again: true });
}

function someNode(): number {
  return Math.floor(random() * NODES);
}

const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  'kill -9 of a node': async () => {
    const n = someNode();
    await nodes[n]!.kill();
    await loads[n]!.stop();
    await wait(BETWEEN_MS);
    await start(n);
  },
  'kill -9 of two nodes': async () => {
    const spared = someNode();
    const [first, second] = [0, 1, 2].filter((n) => n !== spared) as [number, number];
    await Promise.all([nodes[first]!.kill(), nodes[second]!.kill()]);
    await Promise.all([loads[first]!.stop(), loads[second]!.stop()]);
    await Promise.all([start(first), start(second)]);
  },
  'a node that stands still': async () => {
    const n = someNode();
    nodes[n]!.child.kill('SIGSTOP');
    await wait(2_500);
    nodes[n]!.child.kill('SIGCONT');
  },
  'a node that is stopped and started': async () => {
    const n = someNode();
    const stopped = nodes[n]!.terminate();
    await loads[n]!.stop();
    assert.equal(await stopped, 0, nodes[n]!.errors());
    await start(n);
  },
  'PostgreSQL killed': async () => {
    await postgres!.crash();
    receiver.nextLife();
    await wait(BETWEEN_MS);
    await postgres!.start();
  },
  'Redis flushed': async () => void (await redis!.command('FLUSHALL')),
  'Redis killed': async () => {
    await redis!.kill();
    await wait(BETWEEN_MS);
    await redis!.start();
  },
};

it(`three nodes lose nothing, whatever is killed under them (SEED=${seed})`, { skip, timeout: ROUNDS * 300_000 }, async (t) => {
  database = await postgres!.fresh();
  await start(0, false);
  const first = nodes[0]!;
  const endpoints: string[] = [];
  for (const { path, body } of ENDPOINTS) {
    const { status, body: made } = await first.call('POST', '/v1/endpoints', { url: receiver.url + path, ...body });
    assert.equal(status, 201);
    endpoints.push(made.id);
  }
  next = await makeShots(first);
  await first.terminate();
  await Promise.all(Array.from({ length: NODES }, (_, n) => start(n)));
  const turns = randomFrom(seed + 1);
  watcher = startWatcher({ node: () => nodes[Math.floor(turns() * NODES)]!, random: turns });
  await loads[0]!.acknowledged(20);

  const names = Array.from({ length: ROUNDS }, () => Object.keys(FAULTS).toSorted(() => random() - 0.5)).flat();
  let inFlight = 0;
  for (const name of names) {
    const before = ledger.acks.size;
    receiver.nextLife();
    inFlight += receiver.inFlight();
    await FAULTS[name]!();
    receiver.nextLife();
    await within(LATER_MS, `acknowledgements after ${name}`, () => ledger.acks.size > before + 20);
    for (const node of nodes) assert.equal(node!.child.exitCode, null, `a node ended by itself after ${name}: ${node!.errors()}`);
  }
  await Promise.all(loads.map((load) => load.stop()));
  for (const node of nodes) await startLoad({ url: node!.url, next, most: 0, ledger, clients: CLIENTS, again: true }).done;
  await allDelivered(nodes[1]!, NO_LEASE_LATER_MS);
  const deliveries = await database.sql(
    'SELECT d.id, d.event, d.endpoint, max(a.n) AS tries FROM deliveries d JOIN attempts a ON a.delivery = d.id GROUP BY 1, 2, 3',
  );
  const watched = watcher;
  const unseen = () => deliveries.map(({ id }) => watched.rows.get(String(id)) ?? id).filter((row) => Object(row).status !== 'succeeded');
  await within(LATER_MS, 'how every delivery ended', () => unseen().length === 0).catch(() => undefined);
  await watched.stop();
  assert.deepEqual(unseen(), [], 'whoever watched has seen how every delivery ended');
  const repeats = countRepeats(receiver.receipts);
  const { acks, resent, refused } = ledger;
  t.diagnostic(
    JSON.stringify({
      seed,
      faults: names,
      acknowledged: acks.size,
      resent,
      inFlight,
      repeats: repeats.total,
      worst: repeats.worst,
      watched: watched.counts(),
    }),
  );
  assert.equal(await eventsInTheApi(nodes[2]!), acks.size, 'what was sent until it was acknowledged is in the log, each once');
  for (const node of nodes) assert.equal(await node!.terminate(), 0, node!.errors());

  assert.deepEqual(refused, []);
  assert.ok(inFlight > 0, 'nothing was in flight at any fault: this run proves nothing about repeats');
  await nothingLost(database.url, { ledger, receipts: receiver.receipts });
  const triesOf = new Map(
    deliveries.filter(({ endpoint }) => endpoint === endpoints[0]).map(({ event, tries }) => [`/event ${event as string}`, Number(tries)]),
  );
  const twice = [...receiver.receipts].filter(([key, calls]) => key.startsWith('/event ') && calls.length > triesOf.get(key)!);
  assert.deepEqual(twice, [], 'no attempt is sent twice, and none by two nodes');
  assert.deepEqual(repeats.changed, [], 'repeats carry the same bytes');
  assert.ok(repeats.worst <= AT_ALL, `one fault repeated ${repeats.worst} deliveries; at most ${AT_ALL} were in flight`);
  assert.deepEqual(await findings(database.url), []);
  const doctor = await paybell(['doctor', '--data', folder.path, '--json'], { env: env() });
  assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
});
