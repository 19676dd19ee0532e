import { BEHIND } from './order.ts';

/**
 * Leases and due times are kept in the clock of the database, so that two nodes whose clocks differ by minutes never hold one delivery
 * together. The engine keeps its own clock; this is the difference, taken at start and with every sweep.
 */
export interface Skew {
  toDatabase(at: number): number;
  toLocal(at: number): number;
  /** `databaseAt` was the database's time when the local clock showed `localAt`, milliseconds. */
  measured(databaseAt: number, localAt: number): void;
}

/** Clocks that are kept by NTP differ by less: they count as the same, and times stay as they were given. */
const TOLERATED_MS = 2_000;

export function createSkew(): Skew {
  let ms = 0;
  return {
    toDatabase: (at) => at + ms,
    // The end of time is the same for all.
    toLocal: (at) => (at === BEHIND ? at : at - ms),
    measured(databaseAt, localAt) {
      const difference = Math.round(databaseAt - localAt);
      ms = Math.abs(difference) < TOLERATED_MS ? 0 : difference;
    },
  };
}
