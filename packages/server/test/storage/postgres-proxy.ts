import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** `after`: the commit reaches the server and its answer is lost. `before`: the commit never gets there. */
export type Cut = 'before' | 'after';

export interface Proxy {
  readonly url: string;
  /** The next commit that passes costs its connection. */
  cutNextCommit(when: Cut): void;
  cuts(): number;
  /** From the next cut on nobody gets through any more. */
  shutWithNextCut(): void;
  /** Nobody new gets through any more. */
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** What a commit ends with: a statement of its own, or the Sync behind a batch that is all new, which begins with its locks, or behind results. */
const ENDS = ['COMMIT\0', 'record_locks\0', 'settle\0'];

/** The server is ready for the next query, and in no transaction. */
const IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** A wire between a store and its server that can be cut at the worst moment. */
export async function startProxy(target: string): Promise<Proxy> {
  const upstream = new URL(target);
  const open = new Set<Socket>();
  let armed: Cut | null = null;
  let cuts = 0;
  let shutting = false;
  let shut = false;

  const server = createServer((client) => {
    if (shut) return void client.destroy();
    const remote = connect(Number(upstream.port), upstream.hostname);
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
    let deaf = false;
    client.on('data', (chunk) => {
      if (armed === null || !ENDS.some((end) => chunk.includes(end))) return void remote.write(chunk);
      cuts += 1;
      shut = shutting;
      if (armed === 'before') end();
      else {
        deaf = true;
        remote.write(chunk);
      }
      armed = null;
    });
    remote.on('data', (chunk) => {
      if (!deaf) return void client.write(chunk);
      if (chunk.includes(IDLE)) end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    cutNextCommit(when) {
      armed = when;
    },
    cuts: () => cuts,
    shutWithNextCut() {
      shutting = true;
    },
    shut() {
      shut = true;
    },
    open() {
      shut = shutting = false;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
