import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { paybell } from '../cli/paybell.ts';
import { allDelivered } from '../crash/drain.ts';
import { makeShots, newLedger, startLoad } from '../crash/load.ts';
import type { Ledger, Load, Shot } from '../crash/load.ts';
import { countRepeats, startReceiver } from '../crash/receiver.ts';
import type { Receiver } from '../crash/receiver.ts';
import { eventsInTheApi, findings, nothingLost } from '../crash/whole.ts';
import { MASTER_KEYS, within } from '../support/nodes.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';

const CLIENTS = 3;
const READY_WITHIN_MS = 60_000;
const GOES_ON_WITHIN_MS = 20_000;
const DRAINED_WITHIN_MS = 30_000;
const ENDPOINTS = [
  { path: '/event', body: { provider: 'paybell', events: ['*'], maxInFlight: 6 } },
  { path: '/request', body: { provider: 'paybell', events: ['*'], content: 'request', maxInFlight: 3 } },
  { path: '/serixpay', body: { provider: 'serixpay', events: ['payment.*', 'payout.*'], maxInFlight: 3 } },
] as const;
const NODES = 2;
/** A failover repeats at most what was in flight, at all nodes. */
const MOST_REPEATED = NODES * ENDPOINTS.reduce((sum, { body }) => sum + body.maxInFlight, 0);

/** Two nodes as processes of their own, under load of webhooks and published events, with three endpoints. */
export interface Cluster {
  readonly nodes: readonly SpawnedServer[];
  readonly ledger: Ledger;
  readonly receiver: Receiver;
  /** Resolves once this many more were acknowledged. */
  goesOn(what: string, more?: number): Promise<void>;
  /** No load until `work` is done; every delivery is made before it begins. */
  quietly(work: () => Promise<void>): Promise<void>;
  /** Sends one more webhook to each node, again and again until `done`; answers with status and time of each. It is sent again later. */
  knock(done: () => boolean): Promise<{ readonly status: number; readonly ms: number }[]>;
  /**
   * Sends what is left, waits for all deliveries, stops the nodes, and looks whether every promise held. `url`: where the rows are now;
   * `alsoRepeated`: that many were lost, and sent anew by the caller.
   */
  judge(url: string, alsoRepeated?: number): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

export async function startCluster(databaseUrl: string): Promise<Cluster> {
  const folder = tempDir();
  const receiver = await startReceiver(() => Math.random() * 40);
  const ledger = newLedger();
  const env = {
    PAYBELL_DATABASE_URL: databaseUrl,
    PAYBELL_MASTER_KEYS: MASTER_KEYS,
    PAYBELL_LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: `${folder.path}/cache`,
  };
  const start = (n: number): Promise<SpawnedServer> => spawnServer(`${folder.path}/${n}`, { env, readyWithinMs: READY_WITHIN_MS });
  const first = await start(0);
  for (const { path, body } of ENDPOINTS)
    assert.equal((await first.call('POST', '/v1/endpoints', { url: receiver.url + path, ...body })).status, 201);
  const next = await makeShots(first);
  const nodes = [first, await start(1)];
  const load = ({ url }: SpawnedServer, most: number): Load => startLoad({ url, next, most, ledger, clients: CLIENTS, again: true });
  let loads = nodes.map((node) => load(node, Infinity));

  async function send(node: SpawnedServer, { path, headers, body }: Shot): Promise<{ status: number; ms: number }> {
    const began = performance.now();
    const answer = await fetch(node.url + path, { method: 'POST', headers, body: new Uint8Array(body) });
    await answer.text();
    return { status: answer.status, ms: performance.now() - began };
  }

  return {
    nodes,
    ledger,
    receiver,
    async goesOn(what, more = 20) {
      const enough = ledger.acks.size + more;
      await within(GOES_ON_WITHIN_MS, `acknowledgements ${what}`, () => ledger.acks.size > enough);
    },
    async quietly(work) {
      await Promise.all(loads.map((one) => one.stop()));
      await allDelivered(first, DRAINED_WITHIN_MS);
      await work();
      loads = nodes.map((node) => load(node, Infinity));
    },
    async knock(done) {
      const answers: { status: number; ms: number }[] = [];
      const at = async (node: SpawnedServer): Promise<void> => {
        while (!done()) {
          const shot = next();
          answers.push(await send(node, shot));
          ledger.unanswered.push(shot);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      await Promise.all(nodes.map(at));
      return answers;
    },
    async judge(url, alsoRepeated = 0) {
      await Promise.all(loads.map((one) => one.stop()));
      for (const node of nodes) await load(node, 0).done;
      for (const node of nodes) assert.equal(node.child.exitCode, null, node.errors());
      await allDelivered(first, DRAINED_WITHIN_MS);
      assert.deepEqual(ledger.refused, []);
      assert.equal(await eventsInTheApi(first), ledger.acks.size, 'what was sent until it was acknowledged is in the log, each once');
      for (const node of nodes) assert.equal(await node.terminate(), 0, node.errors());
      await nothingLost(url, { ledger, receipts: receiver.receipts });
      const repeats = countRepeats(receiver.receipts);
      assert.deepEqual(repeats.changed, [], 'repeats carry the same bytes');
      const most = MOST_REPEATED + ENDPOINTS.length * alsoRepeated;
      assert.ok(repeats.worst <= most, `one fault repeated ${repeats.worst} deliveries; at most ${most} could be`);
      assert.deepEqual(await findings(url), []);
      const doctor = await paybell(['doctor', '--data', folder.path, '--json'], { env: { ...env, PAYBELL_DATABASE_URL: url } });
      assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
      return { acknowledged: ledger.acks.size, resent: ledger.resent, repeats: repeats.total, worst: repeats.worst };
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await Promise.all(loads.map((one) => one.stop()));
      await receiver.close();
      folder.remove();
    },
  };
}

/** One address that leads to whoever is the primary, as a virtual IP or a load balancer. */
export interface MovingAddress {
  readonly host: string;
  /** From now on connections go to `host`; those that were open break. */
  moveTo(host: string): void;
  close(): Promise<void>;
}

export async function startMovingAddress(at: string): Promise<MovingAddress> {
  let target = at;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const [host = '', port] = target.split(':');
    const remote = connect(Number(port), host);
    const end = (): void => {
      client.destroy();
      remote.destroy();
    };
    for (const socket of [client, remote]) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.pipe(remote);
    remote.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    moveTo(host) {
      target = host;
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
