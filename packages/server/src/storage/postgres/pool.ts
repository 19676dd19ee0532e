import type { Socket } from 'node:net';
import { Client, Pool } from 'pg';
import type { ClientConfig, PoolClient, PoolConfig } from 'pg';
import type { Server } from './address.ts';
import type { Servers } from './servers.ts';

/** Whoever waits longer than this for an answer may wait for a server that another one has taken over from. */
const STALLED_MS = 2_000;

/** How long what is at work may take to end where everything is closed. */
const CLOSE_MS = 1_000;

interface Wire {
  readonly stream: Socket;
  emit(name: 'error', error: Error): void;
}

/** The socket of a connection, and where its errors are told. */
export function wireOf(client: Client | PoolClient): Wire {
  return (client as unknown as { readonly connection: Wire }).connection;
}

/** A connection that knows which server it is to. */
export interface ServerClient extends Client {
  readonly server: Server;
}

function clientOf(servers: Servers): new (config: ClientConfig) => ServerClient {
  return class extends Client implements ServerClient {
    readonly server: Server;
    constructor(config: ClientConfig) {
      const server = servers.now();
      // The pool has one time for connecting and for waiting for a turn; this is the one for connecting.
      super({ ...config, connectionString: server.url, connectionTimeoutMillis: servers.dialMs });
      this.server = server;
      // Whoever waits for an answer is told of a broken connection by that; the event would end the process.
      this.on('error', () => undefined);
      this.on('notice', (notice) => {
        if ((notice as { readonly routine?: string }).routine === 'SyncRepWaitForLSN') cutShort(this);
      });
    }
  };
}

/**
 * Somebody canceled the wait for the standby. The server then calls the transaction committed although it is on this one disk only, so
 * it counts as one whose answer was lost.
 */
function cutShort(client: Client): void {
  const error = Object.assign(new Error('The wait for the standby was cut short.'), { code: '08007' });
  wireOf(client).emit('error', error);
  wireOf(client).stream.destroy();
}

type Connected = (error: Error | undefined, client: PoolClient | undefined, done: (release?: Error | boolean) => void) => void;

async function tell(connected: Promise<PoolClient>, callback: Connected): Promise<void> {
  let client: PoolClient;
  try {
    client = await connected;
  } catch (error) {
    return callback(error as Error, undefined, () => undefined);
  }
  callback(undefined, client, client.release);
}

/** Connections to whichever server of an address may be written to. */
export class ServerPool extends Pool {
  readonly #servers: Servers;
  readonly #clients = new Set<ServerClient>();
  /** Since when each connection is at work. */
  readonly #busy = new Map<PoolClient, number>();
  #watch: NodeJS.Timeout | undefined;

  /** `prepare` goes before everything else on a connection; where it fails nothing runs there. */
  constructor(servers: Servers, config: PoolConfig, prepare: (client: ServerClient) => Promise<void>) {
    super({ ...config, Client: clientOf(servers), onConnect: prepare } as unknown as PoolConfig);
    this.#servers = servers;
    const clients = this.#clients;
    this.on('connect', (client) => void clients.add(client as unknown as ServerClient));
    this.on('remove', (client) => void clients.delete(client as unknown as ServerClient));
    if (!servers.several) return;
    this.on('acquire', (client) => void this.#busy.set(client, performance.now()));
    this.on('release', (_error, client) => void this.#busy.delete(client));
    this.on('remove', (client) => void this.#busy.delete(client));
    servers.onMoved((to) => {
      for (const client of clients)
        if (client.server !== to) wireOf(client).stream.destroy(new Error('The connection is to a server that was replaced.'));
    });
    this.#watch = setInterval(() => this.#look(), STALLED_MS / 2).unref();
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | void {
    if (!this.#servers.several) return callback === undefined ? super.connect() : super.connect(callback as Parameters<Pool['connect']>[0]);
    const connected = this.#connectToGood();
    if (callback === undefined) return connected;
    void tell(connected, callback);
  }

  async #connectToGood(): Promise<PoolClient> {
    await this.#servers.found();
    const server = this.#servers.now();
    try {
      return await super.connect();
    } catch (error) {
      // Closed, or waited too long for its turn: no fault of the server.
      if (this.ending || /timeout exceeded when trying to connect/.test(String(error))) throw error;
      this.#servers.lost(server);
      await this.#servers.found();
      return super.connect();
    }
  }

  /** A server that is frozen, cut off, or no more the primary answers nothing, and does not break its connections either. */
  #look(): void {
    const before = performance.now() - STALLED_MS;
    if ([...this.#busy.values()].some((since) => since < before)) this.#servers.look();
  }

  /** Waits a moment for what is at work; what hangs is cut off. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    const timer = setTimeout(() => {
      for (const client of this.#clients) wireOf(client).stream.destroy(new Error('The connection was closed.'));
    }, CLOSE_MS);
    await this.end().finally(() => clearTimeout(timer));
  }
}
