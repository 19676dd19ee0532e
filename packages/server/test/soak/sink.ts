import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { startFaultServer } from '../faults/fault-server.ts';
import type { Arrival } from '../faults/fault-server.ts';
import { startFront, startTlsSide } from './fronts.ts';
import { GONE, STORM, TAKEN, waysOf } from './ways.ts';
import type { Way } from './ways.ts';

export interface Receipt {
  /** Which start of the server it came from: 0, 1, 2 ... */
  readonly life: number;
  readonly sha256: string;
  readonly taken: boolean;
}

export const PATHS = ['/steady', '/odd', '/request', '/tls', '/shut', '/gone'] as const;
export type Path = (typeof PATHS)[number];

/** The endpoints of a merchant for whom everything goes wrong in turn. */
export interface FaultySink {
  url(path: Path): string;
  /** The file with the authority behind the HTTPS one. */
  readonly authority: string;
  /** By path and id (where the format has one, else the body's hash). */
  readonly receipts: ReadonlyMap<string, readonly Receipt[]>;
  /** How often each way was gone; those that nobody came for yet with 0. */
  ways(): ReadonlyMap<string, number>;
  /** Calls read and not answered yet. */
  inFlight(): number;
  nextLife(): void;
  /** From now on everything is taken. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

const SHUT_MS = 2_000;
const OPEN_MS = 4_000;
/** For a part of every minute nothing at all is taken. */
const STORM_EVERY_MS = 60_000;
const STORM_MS = 8_000;
const GONE_OF = 40;

export async function startFaultySink({ folder, timeoutMs }: { readonly folder: string; readonly timeoutMs: number }): Promise<FaultySink> {
  const ways = waysOf(timeoutMs);
  const gone = new Map<string, number>([...ways, GONE, STORM].map(({ name }) => [name, 0]));
  const receipts = new Map<string, Receipt[]>();
  const open = new Set<Socket>();
  const watched = new WeakSet<Socket>();
  const startedAt = performance.now();
  let life = 0;
  let healed = false;
  let odd = 0;
  let goneTurn = 0;

  function choose(path: string): Way {
    if (healed) return TAKEN;
    if (path === '/gone') return (goneTurn += 1) % GONE_OF === 0 ? GONE : TAKEN;
    if (path !== '/odd' && path !== '/request') return TAKEN;
    if (path === '/odd' && (performance.now() - startedAt) % STORM_EVERY_MS > STORM_EVERY_MS - STORM_MS) return STORM;
    odd += 1;
    return odd % 2 === 0 ? TAKEN : (ways[((odd - 1) / 2) % ways.length] ?? TAKEN);
  }

  function arrived({ socket, head, body }: Arrival): void {
    const path = /^POST (\S+) /.exec(head)?.[1] ?? '';
    const id = /^webhook-id: *(\S+)/im.exec(head)?.[1];
    const sha256 = createHash('sha256').update(body).digest('hex');
    const way = choose(path);
    gone.set(way.name, (gone.get(way.name) ?? 0) + 1);
    const key = `${path} ${id ?? sha256}`;
    const before = receipts.get(key);
    const receipt = { life, sha256, taken: way.takes };
    if (before === undefined) receipts.set(key, [receipt]);
    else before.push(receipt);
    open.add(socket);
    if (way.takes) setImmediate(() => open.delete(socket));
    if (!watched.has(socket)) socket.once('close', () => open.delete(socket));
    watched.add(socket);
    way.does(socket);
  }

  const main = await startFaultServer({ onRequest: arrived });
  const tls = await startTlsSide(folder, arrived);
  const door = await startFront(() => main.port);
  let doorOpen = true;
  let turning: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const turnDoor = (): void => {
    timer = setTimeout(
      () => {
        doorOpen = !doorOpen;
        turning = doorOpen ? door.open() : door.shut();
        void turning.then(turnDoor);
      },
      doorOpen ? OPEN_MS : SHUT_MS,
    );
  };
  turnDoor();
  const stopDoor = async (): Promise<void> => {
    await turning;
    clearTimeout(timer);
    await door.open();
  };
  return {
    url: (path) =>
      path === '/tls' ? `https://localhost:${tls.port}/tls` : `http://127.0.0.1:${path === '/shut' ? door.port : main.port}${path}`,
    authority: tls.authority,
    receipts,
    ways: () => new Map([...gone, ...tls.offered]),
    inFlight: () => open.size,
    nextLife: () => void (life += 1),
    async heal() {
      healed = true;
      tls.heal();
      await stopDoor();
    },
    async close() {
      await stopDoor();
      await door.close();
      await tls.close();
      await main.close();
    },
  };
}
