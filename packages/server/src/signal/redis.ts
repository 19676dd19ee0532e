import { createClient } from '@redis/client';
import type { Log } from '../engine/ports.ts';

/** Waits between tries to connect: short at first. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A node hears its own echo every second; without it for three it counts as cut off, and a silent connection is made anew. */
const ECHO_MS = 1_000;
const CUT_OFF_MS = 3_000;
const SILENT_MS = 5_000;
/** What is on its way and not yet taken by Redis; beyond it messages are dropped. */
const MOST_ON_THE_WAY = 8 * 1_048_576;
const CLOSE_WITHIN_MS = 500;
const ECHO = 'echo';

export interface Wire {
  /** Sends at once or not at all; false where it was dropped. */
  send(message: string): boolean;
  connected(): boolean;
  close(): Promise<void>;
}

export interface RedisOptions {
  /** `redis://user:password@host:6379/0`; rediss:// for TLS. */
  readonly url: string;
  readonly channel: string;
  /** Names this node. */
  readonly node: string;
  readonly log: Log;
  readonly hear: (message: string) => void;
}

type Client = ReturnType<typeof makeClient>;

function makeClient(url: string) {
  const wait = (tries: number): number => Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2);
  const socket = { connectTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENT_MS, reconnectStrategy: wait };
  // RESP 2 is what servers before 6 and proxies speak too.
  return createClient({ url, RESP: 2, disableOfflineQueue: true, disableClientInfo: true, socket });
}

/** Publishes and hears on one channel of a Redis. Starts without it, comes back to it, and never keeps anybody waiting. */
export function connectRedis({ url, channel, node, log, hear }: RedisOptions): Wire {
  const [publisher, subscriber] = [makeClient(url), makeClient(url)];
  const echo = `${ECHO} ${node}`;
  const sending = new Set<Promise<unknown>>();
  let onTheWay = 0;
  let heardAt = -Infinity;
  let trouble = 'silence';

  const connected = (): boolean => publisher.isReady && performance.now() - heardAt < CUT_OFF_MS;

  function send(message: string): boolean {
    if (!publisher.isReady || onTheWay > MOST_ON_THE_WAY) return false;
    onTheWay += message.length;
    const sent = publisher
      .publish(channel, message)
      .catch(() => undefined)
      .finally(() => {
        onTheWay -= message.length;
        sending.delete(sent);
      });
    sending.add(sent);
    return true;
  }

  function receive(message: string): void {
    if (message === echo) heardAt = performance.now();
    else if (!message.startsWith(ECHO)) hear(message);
  }

  // A Set in the client keeps one listener, however often it is given.
  const subscribe = (): void =>
    void subscriber.subscribe(channel, receive).then(
      () => send(echo),
      () => undefined,
    );
  start(publisher, () => send(echo));
  start(subscriber, subscribe);

  function start(client: Client, ready: () => void): void {
    client.on('error', (error: Error) => (trouble = error.message.slice(0, 200)));
    client.on('ready', ready);
    client.connect().catch(() => undefined);
  }

  const say = teller(log);
  const echoing = setInterval(() => {
    send(echo);
    say(connected(), trouble);
  }, ECHO_MS);
  echoing.unref();

  return {
    send,
    connected,
    async close() {
      clearInterval(echoing);
      let cancel: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (cancel = setTimeout(resolve, CLOSE_WITHIN_MS)));
      await Promise.race([Promise.allSettled(sending), late]);
      clearTimeout(cancel);
      for (const client of [publisher, subscriber]) client.destroy();
    },
  };
}

/** Says once that it is there, and once that it is not. */
function teller(log: Log): (connected: boolean, trouble: string) => void {
  let told: boolean | null = null;
  let looks = 0;
  return (connected, trouble) => {
    looks += 1;
    if (connected === told || (told === null && !connected && looks * ECHO_MS < CUT_OFF_MS)) return;
    told = connected;
    if (connected) log.info({}, 'Redis is there: what other nodes do is heard at once');
    else log.warn({ error: trouble }, 'Redis does not answer: what other nodes do is heard a little later');
  };
}
