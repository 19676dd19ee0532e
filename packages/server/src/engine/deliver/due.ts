import type { Claim, DeliveryRow, LeasedDelivery, Turn } from '../../storage/contract.ts';
import type { Clock, Log, Storage, Timers } from '../ports.ts';
import { TURNS } from './lane.ts';
import type { Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';

/** The least time between two looks into the store: bounds what many endpoints can cost. */
const LOOK_MS = 5;
/** Work that this process was not told of (another node's, a lease that ran out) is found within this time. */
const SWEEP_MS = 5_000;
/** Endpoints and turns served by one claim, and deliveries brought by it for each. */
const WANTS = 200;
const MOST_PER_WANT = 500;

export interface DueParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly lanes: Lanes;
  /** What a claim for this lane and turn may bring at that time, or null while it should bring nothing. */
  readonly wants: (lane: Lane, turn: Turn, at: number) => Wanted | null;
  readonly take: (jobs: readonly LeasedDelivery[]) => void;
  /** A claim failed, and may have leased all the same; answers when none of that is left. */
  readonly failed: (claim: Claim) => Promise<void>;
  /** A delivery ended without a call, because a later event had been delivered. */
  readonly superseded: (row: DeliveryRow) => void;
}

export interface Wanted {
  readonly owner: string;
  readonly until: number;
  readonly max: number;
  readonly skipStale: boolean;
}

interface Asked {
  readonly lane: Lane;
  readonly turn: Turn;
  readonly max: number;
  readonly skipStale: boolean;
}

export interface Due {
  /** Something of this lane and turn is due at `at`. */
  note(lane: Lane, turn: Turn, at: number): void;
  /** The time at which this lane may be asked for has changed. */
  again(lane: Lane): void;
  /** Claims what is due, now or as soon as allowed. */
  look(): void;
  /** Asks the store what waits there, now and every few seconds from now on. */
  sweep(): Promise<void>;
  /** Resolves when no claim runs any more. */
  stop(): Promise<void>;
}

/** Finds due deliveries in the store: one timer for the earliest of all lanes, one claim for all that are due. */
export function createDue({ storage, clock, timers, log, lanes, wants, take, failed, superseded }: DueParts): Due {
  let cancel: (() => void) | null = null;
  let wakeAt = Infinity;
  let looking = false;
  let stopped = false;
  let claimedAt = 0;
  let claiming: Promise<void> = Promise.resolve();
  let cancelSweep: () => void = () => undefined;
  let sweeping: Promise<void> | null = null;

  function schedule(at: number): void {
    if (stopped || looking || at >= wakeAt) return;
    cancel?.();
    wakeAt = at;
    cancel = timers.after(Math.max(LOOK_MS, at - clock.now()), () => {
      cancel = null;
      wakeAt = Infinity;
      claiming = claim();
    });
  }

  async function claim(): Promise<void> {
    if (looking || stopped) return;
    // No two claims of a process are of one moment, whatever the clock says.
    const now = (claimedAt = Math.max(clock.now(), claimedAt + 1));
    const asked: Asked[] = [];
    let owner = '';
    let until = 0;
    for (const lane of lanes.all()) {
      for (const turn of TURNS) {
        if (!lane.isDue(turn, now) || asked.length >= WANTS) continue;
        const want = wants(lane, turn, now);
        if (want === null) continue;
        owner = want.owner;
        until = Math.max(until, want.until);
        asked.push({ lane, turn, max: Math.min(want.max, MOST_PER_WANT), skipStale: want.skipStale });
      }
    }
    if (asked.length > 0) await bring(asked, { owner, until, now });
    scheduleNext();
  }

  async function bring(asked: readonly Asked[], lease: { owner: string; until: number; now: number }): Promise<void> {
    looking = true;
    for (const { lane, turn } of asked) {
      lane.asked(turn);
      lanes.served(lane);
    }
    const claim = { ...lease, wants: asked.map(({ lane, ...want }) => ({ endpoint: lane.endpoint, ...want })) };
    try {
      const claimed = await storage.claim(claim);
      for (const { endpoint, turn, dueAt } of claimed.next) if (dueAt !== null) lanes.of(endpoint).due(turn, dueAt);
      for (const row of claimed.superseded) superseded(row);
      take(claimed.deliveries);
    } catch (error) {
      log.error({ error: String(error) }, 'due deliveries could not be claimed; trying again');
      for (const { lane, turn } of asked) lane.due(turn, clock.now() + SWEEP_MS);
      void failed(claim).then(sweepOnce);
    } finally {
      looking = false;
    }
  }

  /** Lanes that have no room are left out: the end of one of their calls looks again. */
  function scheduleNext(): void {
    const now = clock.now();
    let next = Infinity;
    for (const lane of lanes.all()) {
      for (const turn of TURNS) {
        const at = lane.askAt(turn);
        if (at !== null && at < next && wants(lane, turn, Math.max(now, at)) !== null) next = at;
      }
    }
    if (next < Infinity) schedule(next);
  }

  async function sweep(): Promise<void> {
    try {
      for (const { endpoint, turn, dueAt } of await storage.backlog()) lanes.of(endpoint).due(turn, dueAt);
    } catch (error) {
      log.error({ error: String(error) }, 'the backlog could not be read');
    }
    sweeping = null;
    if (stopped) return;
    scheduleNext();
    cancelSweep();
    cancelSweep = timers.after(SWEEP_MS, () => void sweepOnce());
  }

  function sweepOnce(): Promise<void> {
    return (sweeping ??= sweep());
  }

  return {
    note(lane, turn, at) {
      if (lane.due(turn, at)) schedule(lane.askAt(turn) ?? at);
    },
    again(lane) {
      for (const turn of TURNS) {
        const at = lane.askAt(turn);
        if (at !== null) schedule(at);
      }
    },
    look: () => schedule(clock.now()),
    sweep: sweepOnce,
    stop() {
      stopped = true;
      cancel?.();
      cancelSweep();
      return claiming;
    },
  };
}
