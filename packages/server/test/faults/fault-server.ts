import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A request as it arrived, and the socket to misbehave on. */
export interface Arrival {
  readonly socket: Socket;
  readonly head: string;
  readonly body: Buffer;
  /** From 1: which connection, and which request on it. */
  readonly connection: number;
  readonly nth: number;
}

export interface FaultServer {
  readonly port: number;
  /** Heads of all requests whose body came whole. */
  readonly heads: readonly string[];
  readonly connections: () => number;
  /** Resolves when every connection made so far has been closed. */
  readonly allClosed: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface Behaviour {
  /** As soon as a connection is there (TLS: after its handshake). */
  readonly onConnection?: (socket: Socket, connection: number) => void;
  readonly onRequest?: (arrival: Arrival) => void;
  readonly tls?: TlsOptions;
}

/** A server on loopback that speaks raw bytes, so that it can be wrong in every way. */
export async function startFaultServer(behaviour: Behaviour): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  const closings: Promise<void>[] = [];
  const heads: string[] = [];
  let connections = 0;

  const serve = (socket: Socket): void => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    closings.push(new Promise((resolve) => socket.once('close', () => (sockets.delete(socket), resolve()))));
    socket.on('error', () => undefined);
    behaviour.onConnection?.(socket, connection);
    if (behaviour.onRequest !== undefined)
      readRequests(socket, (head, body, nth) => (heads.push(head), behaviour.onRequest?.({ socket, head, body, connection, nth })));
  };

  const server: Server = behaviour.tls === undefined ? createServer({ noDelay: true }, serve) : createTlsServer(behaviour.tls, serve);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    connections: () => connections,
    allClosed: async () => void (await Promise.all(closings)),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readRequests(socket: Socket, receive: (head: string, body: Buffer, nth: number) => void): void {
  let pending = Buffer.alloc(0);
  let nth = 0;
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let end = pending.indexOf('\r\n\r\n'); end !== -1; end = pending.indexOf('\r\n\r\n')) {
      const head = pending.toString('latin1', 0, end + 2);
      const length = Number(/content-length: (\d+)\r\n/.exec(head)?.[1] ?? 0);
      if (pending.length < end + 4 + length) return;
      const body = pending.subarray(end + 4, end + 4 + length);
      pending = pending.subarray(end + 4 + length);
      nth += 1;
      receive(head, body, nth);
    }
  });
}

/** Writes one answer with a length. */
export function answer(socket: Socket, status: string, headers: readonly string[] = [], body = ''): void {
  socket.write(
    `HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Writes `text` byte after byte until the socket is gone, each as its own packet. */
export function drip(socket: Socket, text: string, everyMs = 10): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === text.length) clearInterval(timer);
    else socket.write(text[at++] ?? '');
  }, everyMs);
  timer.unref();
}

/** Writes `text` for ever, as fast as it is taken. */
export function flood(socket: Socket, text: string): void {
  const block = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  const pour = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', pour);
  pour();
}
