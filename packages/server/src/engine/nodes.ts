import type { Peer } from '../storage/contract.ts';
import type { Deliver } from './deliver.ts';
import type { InnerDirectory } from './directory.ts';
import type { Observe } from './faces.ts';
import type { NodesFace } from './nodes/face.ts';
import type { Clock, Log, Signal, Storage, Timers } from './ports.ts';

/** How long a change made by another node may go unseen here. */
const BEAT_MS = 1_000;
/** Beats without a sign of another node after which its leases are looked at: it may only have been cut off for a moment. */
const MISSED = 3;
/** For as many beats they are looked at: the store calls nobody gone who spoke a few seconds ago, or while it has just come back itself. */
const LOOKED_AT = 15;
/** Endpoints that have more due than this node can take are told together. */
const GATHER_MS = 50;
const MOST_TOLD = 1_000;

export interface NodesParts {
  readonly storage: Storage;
  readonly directory: InnerDirectory;
  readonly deliver: Deliver;
  readonly observe: Observe;
  readonly signal: Signal;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Only a fresh start reads what is really there. */
  readonly onFatal: (error: Error) => void;
  /** Names this node. */
  readonly node: string;
}

export interface Nodes {
  readonly face: NodesFace;
  /** A first try is due for which this node has no room: another one may have. */
  due(endpoint: string): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The other nodes on a shared store. Each writes a line of its own every second, and reads in the same statement how far the directory
 * is and who else lives: one small question, which stays true whatever hints were lost. Hints only make it quicker.
 */
export function createNodes({ storage, directory, deliver, observe, signal, clock, timers, log, onFatal, node }: NodesParts): Nodes {
  /** By node: beats since it was last seen. */
  const others = new Map<string, number>();
  const told = new Set<string>();
  let news = (): number => 0;
  let stored = 0;
  let beats = 0;
  let failing = false;
  let stopped = false;
  let cancel = (): void => undefined;
  let beating: Promise<void> = Promise.resolve();

  async function beat(): Promise<void> {
    const known = directory.version();
    try {
      const found = await storage.beat({ node, news: news() });
      // After a failover to a standby that lagged: what is held here was lost there, and other changes get its numbers.
      if (found.directory < known)
        onFatal(new Error(`The database is behind (version ${found.directory}) the configuration that this node read from it (${known}).`));
      await follow(found.directory);
      await watch(found.others);
      observe.emit('peers', found.others);
      failing = false;
    } catch (error) {
      // Said once: while the store is down every beat fails.
      if (!failing) log.warn({ error: String(error) }, 'the other nodes cannot be asked for; trying again every second');
      failing = true;
    }
    if (!stopped) cancel = timers.after(BEAT_MS, () => void (beating = beat()));
  }

  async function follow(version: number): Promise<void> {
    stored = Math.max(stored, version);
    if (version > directory.version()) await directory.refresh();
  }

  /** Those that died leave leases behind: they are taken over as soon as the store, too, says that they are gone. */
  async function watch(seen: readonly Peer[]): Promise<void> {
    for (const [other, missed] of others) others.set(other, missed + 1);
    for (const other of seen) others.set(other.node, 0);
    // Who died before this node came is nobody that it ever saw.
    beats += 1;
    if (beats < LOOKED_AT || [...others.values()].some((missed) => missed >= MISSED)) await deliver.takeOver();
    for (const [other, missed] of others) if (missed >= LOOKED_AT) others.delete(other);
  }

  function tellDue(): void {
    const endpoints = [...told].slice(0, MOST_TOLD);
    told.clear();
    signal.tell('due', endpoints.join(' '));
  }

  function hearDue(text: string): void {
    // A node that goes names none: what it gave back may be of any.
    if (text === '') {
      deliver.takeOver().catch((error: unknown) => log.warn({ error: String(error) }, 'what a node gave back is not looked for at once'));
      return;
    }
    for (const id of text.split(' ')) if (directory.endpointById(id) !== undefined) deliver.wake(id, 0, clock.now());
  }

  function hearVersion(text: string): void {
    const version = Number(text);
    // A hint that says more than the store would only be asked for in vain.
    if (!Number.isSafeInteger(version) || version <= directory.version()) return;
    directory.refresh().catch((error: unknown) => log.warn({ error: String(error) }, 'a change of another node could not be read yet'));
  }

  if (storage.shared) {
    signal.hear('directory', hearVersion);
    signal.hear('due', hearDue);
    directory.onSaved((version) => signal.tell('directory', String(version)));
  }

  return {
    face: {
      id: node,
      state: () => ({
        others: [...others.values()].filter((missed) => missed === 0).length,
        directory: directory.version(),
        behind: Math.max(0, stored - directory.version()),
        unreadable: directory.unreadable(),
        ...signal.state(),
      }),
      newsFrom: (count) => void (news = count),
    },
    due(endpoint) {
      if (!storage.shared || told.has(endpoint)) return;
      if (told.size === 0) timers.after(GATHER_MS, tellDue);
      told.add(endpoint);
    },
    start() {
      if (storage.shared) beating = beat();
      return beating;
    },
    async stop() {
      stopped = true;
      cancel();
      await beating;
      if (!storage.shared) return;
      await storage.leave(node).catch((error: unknown) => log.warn({ error: String(error) }, 'this node could not say that it goes'));
      signal.tell('due', '');
    },
  };
}
