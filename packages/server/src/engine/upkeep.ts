import type { Expirable, Expired } from '../storage/contract.ts';
import type { Observe } from './faces.ts';
import type { Clock, Log, Storage, Timers } from './ports.ts';

/** How long content is kept, in milliseconds; null: for ever. */
export interface Retention {
  /** Requests, the data of events and the bodies of deliveries. */
  readonly bodiesMs: number | null;
  /** Headers and answers of attempts. */
  readonly attemptsMs: number | null;
  /** Rejected requests, as long as bodies at most. */
  readonly quarantineMs: number | null;
}

const FOR_EVER: Retention = { bodiesMs: null, attemptsMs: null, quarantineMs: null };

/** What one step may look at and drop: an acknowledgement waits for no more than that. */
const STEP = { rows: 50, bytes: 1024 * 1024 };
/** On a shared store nobody waits for a step, and few large ones cost less. */
const SHARED_STEP = { rows: 200, bytes: 1024 * 1024 };
/** Steps take at most a tenth of the store's time. */
const SHARE = 10;
const LEAST_PAUSE_MS = 10;
/** How often it is looked whether anything is old enough. A shared store also makes room for what comes, so it is asked in any case. */
const ROUND_MS = 60_000;

export interface Upkeep {
  start(): void;
  /** Resolves when no step runs any more. */
  stop(): Promise<void>;
}

export interface UpkeepParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly observe: Observe;
  readonly log: Log;
  readonly retention?: Retention;
}

/** Lets content expire, step by step with pauses between. Where it stands is in the store, so a crash or another node costs nothing. */
export function createUpkeep({ storage, clock, timers, observe, log, retention = FOR_EVER }: UpkeepParts): Upkeep {
  const { bodiesMs, attemptsMs, quarantineMs } = retention;
  const ages: readonly (readonly [Expirable, number | null])[] = [
    ['quarantine', least(quarantineMs, bodiesMs)],
    ['duplicates', bodiesMs],
    ['events', bodiesMs],
    ['attempts', attemptsMs],
  ];
  let stopped = false;
  let cancel = (): void => undefined;
  let running: Promise<void> = Promise.resolve();
  let wake = (): void => undefined;

  function pause(ms: number): Promise<void> {
    if (stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = timers.after(ms, resolve);
      wake = () => {
        stop();
        resolve();
      };
    });
  }

  async function step(what: Expirable, ageMs: number | null): Promise<Expired> {
    const now = clock.now();
    const done = await storage.expire({ what, before: ageMs === null ? 0 : now - ageMs, now, ...(storage.shared ? SHARED_STEP : STEP) });
    if (done.expired > 0) observe.emit('expired', { what, count: done.expired, bytes: done.bytes });
    await pause(Math.max(LEAST_PAUSE_MS, (clock.now() - now) * (SHARE - 1)));
    return done;
  }

  async function round(): Promise<void> {
    for (const [what, ageMs] of ages) {
      if (ageMs === null && !storage.shared) continue;
      const sum = { expired: 0, keptBack: 0, bytes: 0 };
      for (let more = true; more && !stopped;) {
        const done = await step(what, ageMs);
        sum.expired += done.expired;
        sum.keptBack += done.keptBack;
        sum.bytes += done.bytes;
        more = done.more;
      }
      if (sum.expired > 0) log.info({ what, ...sum }, 'content expired');
    }
  }

  function turn(): void {
    running = round()
      .catch((error: unknown) => log.warn({ error: String(error) }, 'content could not expire; trying again'))
      .then(() => {
        if (!stopped) cancel = timers.after(ROUND_MS, turn);
      });
  }

  return {
    start() {
      if (storage.shared || ages.some(([, ageMs]) => ageMs !== null)) cancel = timers.after(LEAST_PAUSE_MS, turn);
    },
    stop() {
      stopped = true;
      cancel();
      wake();
      return running;
    },
  };
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
