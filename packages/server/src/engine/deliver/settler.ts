import type { Settlement, StorageFailure } from '../../storage/contract.ts';
import type { Log, Storage, Timers } from '../ports.ts';

const BATCH = 500;
const AGAIN_MS = 1_000;

export interface Settler {
  submit(settlement: Settlement, done: (answer: 'settled' | 'fenced') => void): void;
  waiting(): number;
  idle(): Promise<void>;
  /** Tries no more: the leases of what is left end by themselves. */
  close(): void;
}

interface Waiter {
  readonly settlement: Settlement;
  readonly done: (answer: 'settled' | 'fenced') => void;
}

const asGivenAgain = ({ settlement, done }: Waiter): Waiter => ({ settlement: { ...settlement, again: true }, done });

/** Writes results together, as many as came while the commit before ran. A result is never dropped: where the store fails, it is tried again. */
export function createSettler({ storage, timers, log }: { storage: Storage; timers: Timers; log: Log }): Settler {
  let queue: Waiter[] = [];
  let writing = false;
  let idlers: (() => void)[] = [];
  let closed = false;

  async function drain(): Promise<void> {
    while (queue.length > 0 && !closed) {
      const batch = queue.slice(0, BATCH);
      try {
        const answers = await storage.settle(batch.map(({ settlement }) => settlement));
        queue = queue.slice(batch.length);
        for (const [index, { done }] of batch.entries()) done(answers[index] ?? 'fenced');
      } catch (error) {
        log.error({ error: String(error), results: batch.length }, 'results could not be written; trying again');
        if ((error as Partial<StorageFailure>).unsure === true) queue = [...batch.map(asGivenAgain), ...queue.slice(batch.length)];
        await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve));
      }
    }
    writing = false;
    for (const idle of idlers.splice(0)) idle();
  }

  return {
    submit(settlement, done) {
      queue.push({ settlement, done });
      if (writing || closed) return;
      writing = true;
      void drain();
    },
    waiting: () => queue.length,
    close() {
      closed = true;
    },
    idle: () => (writing ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  };
}
