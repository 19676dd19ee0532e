import type { Arrival, Recorded, StorageFailure } from '../storage/contract.ts';
import type { Clock, Log, Storage } from './ports.ts';
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
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

export interface RecorderParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly log: Log;
  /** What is refused here may stand in the store all the same. */
  readonly onUnsure: (arrival: Arrival) => void;
}

/**
 * Collects arrivals for as long as the commit before takes, and writes them together: no timer, no wait when idle.
 * The store takes commits in the order they are given, so the order of arrival is the order of the log.
 */
export function createRecorder({ storage, clock, observe, log, onUnsure }: RecorderParts): Recorder {
  let queue: Waiter[] = [];
  let bytes = 0;
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
    for (const [index, waiter] of batch.entries()) waiter.resolve(recorded[index] as Recorded);
    const events = batch.reduce((sum, { arrival }) => sum + arrival.events.length, 0);
    observe.emit('commit', { requests: batch.length, events, durationMs: clock.now() - startedAt });
  }

  /** One arrival that the store cannot take must not cost its neighbours their commit. */
  async function salvage(batch: readonly Waiter[], { error, unsure }: { error: unknown; unsure: boolean }): Promise<void> {
    log.error({ error: String(error), arrivals: batch.length }, 'a commit failed');
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      if (unsure) onUnsure(only.arrival);
      only.reject(new Refusal('store_down', 'The store could not write this now. Send it again in a few seconds.'));
      return;
    }
    for (const waiter of batch) await write([waiter], unsure);
  }

  /** Starts a commit where none runs, and a second one behind it where enough waits to be worth it: the store then never stands idle. */
  function pump(): void {
    while (queue.length > 0 && (writing === 0 || (writing < COMMITS && queue.length >= WORTH_A_COMMIT))) {
      const batch = queue.length <= BATCH ? queue : queue.slice(0, BATCH);
      queue = queue.length <= BATCH ? [] : queue.slice(BATCH);
      for (const waiter of batch) bytes -= waiter.bytes;
      writing += 1;
      void write(batch).finally(() => {
        writing -= 1;
        pump();
      });
    }
    if (writing === 0) for (const idle of idlers.splice(0)) idle();
  }

  return {
    submit(arrival) {
      if (queue.length >= MOST_WAITING || bytes >= MOST_WAITING_BYTES) {
        return Promise.reject(new Refusal('overloaded', 'Too much is waiting to be written. Send it again in a few seconds.'));
      }
      return new Promise((resolve, reject) => {
        const size = arrival.request?.body.byteLength ?? arrival.events.reduce((sum, { data }) => sum + (data?.length ?? 0), 512);
        bytes += size;
        queue.push({ arrival, bytes: size, resolve, reject });
        pump();
      });
    },
    waiting: () => queue.length,
    idle: () => (writing > 0 ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}
