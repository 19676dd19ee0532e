import type { LeasedDelivery } from '../../storage/contract.ts';
import type { Clock, Log, Storage, Timers } from '../ports.ts';

/** Deliveries of a deleted endpoint that one commit ends. */
const ABANDON_STEP = 1_000;
const AGAIN_MS = 5_000;

export interface LeaseParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly owner: string;
}

/** Leases that are not used after all. */
export function createLeases({ storage, clock, timers, log, owner }: LeaseParts) {
  let closed = false;
  return {
    /** Untried and due at once; answers when that stands. */
    async giveBack(jobs: readonly LeasedDelivery[]): Promise<void> {
      const now = clock.now();
      // A lease that is over may be another try's by now: only what is still held can be given back.
      const held = jobs.filter(({ leaseUntil }) => leaseUntil > now).map(({ id }) => id);
      if (held.length === 0) return;
      try {
        await storage.release({ owner, deliveries: held, now });
      } catch (error) {
        log.warn({ error: String(error) }, 'leases could not be given back; they end by themselves');
      }
    },
    /** Ends what waits for an endpoint that was deleted; where the store fails, it is tried again, because nobody else would. */
    async abandon(endpoint: string, waiting: readonly LeasedDelivery[]): Promise<void> {
      while (!closed) {
        try {
          await storage.release({ owner, deliveries: waiting.map(({ id }) => id), now: clock.now() });
          while ((await storage.abandon({ endpoint, now: clock.now(), limit: ABANDON_STEP })) === ABANDON_STEP);
          return;
        } catch (error) {
          log.error({ endpoint, error: String(error) }, 'the deliveries of a deleted endpoint could not be ended; trying again');
          await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve));
        }
      }
    },
    /** Tries no more: the next start goes on. */
    close(): void {
      closed = true;
    },
  };
}
