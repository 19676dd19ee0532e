import type { Arrival, Recorded, StorageFailure } from '../storage/contract.ts';
import type { Clock, Log, Storage, Timers } from './ports.ts';
import type { Observe } from './faces.ts';
import { Refusal } from './refusal.ts';

/** Arrivals written by one commit at most. */
const BATCH = 500;
/** Commits under way at once: one at work, one at its heels. */
const COMMITS = 2;
const WORTH_A_COMMIT = 32;
/** Arrivals and bytes that may wait before the door answers 503. */
const MOST_WAITING = 10_000;
const MOST_WAITING_BYTES = 128 * 1024 * 1024;
/** A commit that takes longer hangs: its callers hear it before they give up by themselves, and newcomers need not wait to hear it. */
const PATIENCE_MS = 8_000;

interface Waiter {
  readonly arrival: Arrival;
  readonly bytes: number;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (error: unknown) => void;
}

export interface Recorder {
  /** Resolves after the commit that holds the arrival; rejects with a Refusal where there was none. */
  submit(arrival: Arrival): Promise<Recorded>;
  waiting(): number;
  /** Commits that take so long that nothing more is taken in until they end. */
  hanging(): number;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

export interface RecorderParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly timers: Timers;
  readonly log: Log;
  /** Before the caller is answered; where it was refused because it had waited too long, after that. */
  readonly onRecorded: (arrival: Arrival, recorded: Recorded) => void;
  readonly onDropped: (arrival: Arrival) => void;
  /** What is refused here may stand in the store all the same. */
  readonly onUnsure: (arrival: Arrival) => void;
}

const AGAIN = 'Send it again in a few seconds.';
const storeDown = (): Refusal => new Refusal('store_down', `The store could not write this now. ${AGAIN}`);
const hanging = (): Refusal => new Refusal('store_down', `The store takes too long to write. ${AGAIN}`);

/**
 * Collects arrivals for as long as the commit before takes, and writes them together: no timer, no wait when idle.
 * The store takes commits in the order they are given, so the order of arrival is the order of the log.
 */
export function createRecorder(parts: RecorderParts): Recorder {
  const { storage, clock, observe, timers, log, onRecorded, onDropped, onUnsure } = parts;
  let queue: Waiter[] = [];
  let bytes = 0;
  let stalled = 0;
  let writing = 0;
  let idlers: (() => void)[] = [];

  async function write(batch: readonly Waiter[], unsure = false): Promise<void> {
    const startedAt = clock.now();
    let recorded: readonly Recorded[];
    try {
      recorded = await storage.record(batch.map(({ arrival }) => arrival));
    } catch (error) {
      await salvage(batch, { error, unsure: unsure || (error as Partial<StorageFailure>).unsure === true });
      return;
    }
    for (const [index, { arrival, resolve, reject }] of batch.entries()) {
      const made = recorded[index] as Recorded;
      try {
        onRecorded(arrival, made);
        resolve(made);
      } catch (error) {
        reject(error);
      }
    }
    const events = batch.reduce((sum, { arrival }) => sum + arrival.events.length, 0);
    observe.emit('commit', { requests: batch.length, events, durationMs: clock.now() - startedAt });
  }

  /** One arrival that the store cannot take must not cost its neighbours their commit; of a store that is out of reach nobody need wait to hear. */
  async function salvage(batch: readonly Waiter[], { error, unsure }: { error: unknown; unsure: boolean }): Promise<void> {
    log.error({ error: String(error), arrivals: batch.length }, 'a commit failed');
    const { down = false } = error as Partial<StorageFailure>;
    if (batch.length === 1 || down) {
      if (unsure) for (const { arrival } of batch) onUnsure(arrival);
      drop(batch, storeDown);
      if (down) dropQueue(storeDown);
      return;
    }
    for (const waiter of batch) await write([waiter], unsure);
  }

  function drop(waiters: readonly Waiter[], why: () => Refusal): void {
    for (const { arrival, reject } of waiters) {
      onDropped(arrival);
      reject(why());
    }
  }

  function dropQueue(why: () => Refusal): void {
    const dropped = queue;
    queue = [];
    bytes = 0;
    drop(dropped, why);
  }

  /** Tells the callers of a commit that hangs. It goes on: what it writes after all counts. */
  function watch(batch: readonly Waiter[]): () => void {
    let over = false;
    const cancel = timers.after(PATIENCE_MS, () => {
      over = true;
      stalled += 1;
      log.error({ arrivals: batch.length }, 'a commit hangs; nothing is taken in until it ends');
      for (const { reject } of batch) reject(hanging());
      dropQueue(hanging);
    });
    return () => {
      cancel();
      if (over) stalled -= 1;
    };
  }

  /** Starts a commit where none runs, and a second one behind it where enough waits to be worth it: the store then never stands idle. */
  function pump(): void {
    while (queue.length > 0 && (writing === 0 || (writing < COMMITS && queue.length >= WORTH_A_COMMIT))) {
      const batch = queue.length <= BATCH ? queue : queue.slice(0, BATCH);
      queue = queue.length <= BATCH ? [] : queue.slice(BATCH);
      for (const waiter of batch) bytes -= waiter.bytes;
      writing += 1;
      const ended = watch(batch);
      void write(batch).finally(() => {
        ended();
        writing -= 1;
        pump();
      });
    }
    if (writing === 0) for (const idle of idlers.splice(0)) idle();
  }

  return {
    submit(arrival) {
      if (stalled > 0 || queue.length >= MOST_WAITING || bytes >= MOST_WAITING_BYTES) {
        onDropped(arrival);
        return Promise.reject(stalled > 0 ? hanging() : new Refusal('overloaded', `Too much is waiting to be written. ${AGAIN}`));
      }
      return new Promise((resolve, reject) => {
        const size = arrival.request?.body.byteLength ?? arrival.events.reduce((sum, { data }) => sum + (data?.length ?? 0), 512);
        bytes += size;
        queue.push({ arrival, bytes: size, resolve, reject });
        pump();
      });
    },
    waiting: () => queue.length,
    hanging: () => stalled,
    idle: () => (writing > 0 ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}
