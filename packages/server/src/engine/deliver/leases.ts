import type { Claim, HeldLease, LeasedDelivery } from '../../storage/contract.ts';
import type { Clock, Log, Storage, Timers } from '../ports.ts';

/** Deliveries of a deleted endpoint that one commit ends. */
const ABANDON_STEP = 1_000;
const AGAIN_MS = 5_000;
/** Until the store takes them, leases that nobody here uses keep their deliveries waiting. */
const OWED_AGAIN_MS = 1_000;
const MOST_AT_ONCE = 5_000;

export interface LeaseParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly owner: string;
}

export type OwedLease = HeldLease & Pick<LeasedDelivery, 'leaseUntil'>;

/** Leases that are not used after all, and those that may stand in the store though its answer never came. */
export function createLeases({ storage, clock, timers, log, owner }: LeaseParts) {
  let owed: OwedLease[] = [];
  let claims: Claim[] = [];
  let closed = false;
  let failing = false;
  let returning: Promise<void> | null = null;

  function allBack(): Promise<void> {
    if (owed.length + claims.length > 0 && !closed) returning ??= giveAllBack();
    return returning ?? Promise.resolve();
  }

  async function giveAllBack(): Promise<void> {
    while (owed.length + claims.length > 0 && !closed) {
      try {
        await giveSomeBack();
        failing = false;
      } catch (error) {
        // Said once: while the store is down every try fails.
        if (!failing) log.warn({ error: String(error) }, 'leases could not be given back; trying again until they end by themselves');
        failing = true;
        await new Promise<void>((resolve) => timers.after(OWED_AGAIN_MS, resolve));
        const now = clock.now();
        owed = owed.filter(({ leaseUntil }) => leaseUntil > now);
        claims = claims.filter(({ until }) => until > now);
      }
    }
    returning = null;
  }

  async function giveSomeBack(): Promise<void> {
    const now = clock.now();
    const [claim] = claims;
    if (claim !== undefined) {
      await storage.unclaim({ claim, now });
      claims = claims.filter((other) => other !== claim);
    }
    const leases = owed.slice(0, MOST_AT_ONCE);
    if (leases.length === 0) return;
    await storage.release({ owner, leases: leases.map(heldLease), now });
    owed = owed.slice(leases.length);
  }

  return {
    /** Untried and due at once; answers when that stands, or when no more can be done. */
    giveBack(leases: readonly OwedLease[]): Promise<void> {
      owed.push(...leases);
      return allBack();
    },
    /** As `giveBack`, for whatever a claim leased that failed. */
    unclaim(claim: Claim): Promise<void> {
      claims.push(claim);
      return allBack();
    },
    /** Ends what waits for an endpoint that was deleted; where the store fails, it is tried again, because nobody else would. */
    async abandon(endpoint: string, waiting: readonly LeasedDelivery[]): Promise<void> {
      while (!closed) {
        try {
          await storage.release({ owner, leases: waiting.map(heldLease), now: clock.now() });
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

const heldLease = ({ id, attempt, leasedAt }: HeldLease): HeldLease => ({ id, attempt, leasedAt });
