import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { Authority } from '../faults/certificates.ts';
import { startFaultServer } from '../faults/fault-server.ts';
import type { Arrival } from '../faults/fault-server.ts';

/** A port that leads on to others; what is behind it can change, and the port itself can be shut. */
export interface Front {
  readonly port: number;
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function startFront(behind: () => number): Promise<Front> {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  const serve = (socket: Socket): void => {
    const onward = connect(behind(), '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => (sockets.delete(one), other.destroy()));
    }
    socket.pipe(onward).pipe(socket);
  };
  const listen = async (port: number): Promise<number> => {
    const made = createServer({ noDelay: true }, serve);
    await new Promise<void>((resolve, reject) => made.once('error', reject).listen(port, '127.0.0.1', resolve));
    server = made;
    return (made.address() as AddressInfo).port;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    if (closing !== null) await new Promise((resolve) => closing.close(resolve));
  };
  const port = await listen(0);
  return { port, shut, open: async () => void (server === null && (await listen(port))), close: shut };
}

export interface TlsSide {
  /** `https://...`, trusted by whoever trusts the file `authority`. */
  readonly port: number;
  readonly authority: string;
  /** From now on only the good certificate. */
  heal(): void;
  /** How often each wrong one was offered. */
  readonly offered: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** One HTTPS address that on every other connection is wrong in another way (A40-A48). */
export async function startTlsSide(folder: string, onRequest: (arrival: Arrival) => void): Promise<TlsSide> {
  const authority = new Authority();
  const root = authority.issue({ name: 'Soak Root' });
  const stranger = authority.issue({ name: 'Other Root' });
  const between = authority.issue({ name: 'Soak Intermediate', by: root });
  const san = 'DNS:localhost';
  const good = authority.issue({ name: 'good', san, by: root });
  const wrong = {
    'A41 expired': authority.issue({ name: 'old', san, by: root, days: [-10, -1] }),
    'A41 not yet valid': authority.issue({ name: 'new', san, by: root, days: [2, 10] }),
    'A42 self-signed': authority.issue({ name: 'self', san }),
    'A43 wrong host': authority.issue({ name: 'other', san: 'DNS:other.test', by: root }),
    'A44 unknown authority': authority.issue({ name: 'strange', san, by: stranger }),
    'A45 incomplete chain': authority.issue({ name: 'below', san, by: between }),
    'A46 TLS 1.0 and 1.1 only': { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    'A48 client certificate demanded': { ...good, requestCert: true, rejectUnauthorized: true, ca: root.cert },
    'A40 HTTP/2 only': { ...good, ALPNProtocols: ['h2'] },
  } as const;
  authority.remove();
  const path = join(folder, 'authority.pem');
  writeFileSync(path, root.cert);
  const servers = [await startFaultServer({ tls: good, onRequest })];
  const names = [...Object.keys(wrong), 'A47 the handshake stalls', 'A47 cut during the handshake'];
  for (const tls of Object.values(wrong)) servers.push(await startFaultServer({ tls, onRequest }));
  servers.push(await startFaultServer({ onConnection: () => undefined }));
  servers.push(await startFaultServer({ onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) }));
  const offered = new Map<string, number>();
  let turn = 0;
  let healed = false;
  const front = await startFront(() => {
    turn += 1;
    if (healed || turn % 2 === 0) return servers[0]?.port ?? 0;
    const index = ((turn - 1) / 2) % names.length;
    offered.set(names[index] ?? '', (offered.get(names[index] ?? '') ?? 0) + 1);
    return servers[index + 1]?.port ?? 0;
  });
  return {
    port: front.port,
    authority: path,
    offered,
    heal: () => void (healed = true),
    async close() {
      await front.close();
      for (const server of servers) await server.close();
    },
  };
}
