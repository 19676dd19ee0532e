import type { InnerDirectory } from '../directory.ts';
import type { Endpoint, Observe } from '../faces.ts';
import type { Clock, Log, Storage } from '../ports.ts';
import type { Cause } from './causes.ts';
import { parseDuration } from './durations.ts';
import type { Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { Kept } from './standing.ts';

export interface FailingParts {
  readonly storage: Storage;
  readonly directory: Pick<InnerDirectory, 'endpointById'>;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the endpoint says nothing of its own; null: never. */
  readonly disableAfterMs: number | null;
}

/** Keeps how endpoints have been doing, and tells what follows. */
export function createFailing(
  { storage, directory, observe, clock, log, disableAfterMs }: FailingParts,
  { lanes, disable }: { readonly lanes: Lanes; readonly disable: (lane: Lane) => void },
) {
  const unwritten = new Map<string, Kept | null>();
  let writing: Promise<void> | null = null;

  /** As many as changed while the write before ran; one that fails is made again with the next. */
  async function write(): Promise<void> {
    while (unwritten.size > 0) {
      const rows = [...unwritten].map(([endpoint, kept]) => ({ endpoint, kept }));
      unwritten.clear();
      try {
        await storage.saveFailing(rows);
      } catch (error) {
        for (const { endpoint, kept } of rows) if (!unwritten.has(endpoint)) unwritten.set(endpoint, kept);
        log.warn({ error: String(error) }, 'since when endpoints fail could not be written; it is kept in memory');
        return;
      }
    }
  }

  function keep(lane: Lane, now: number): void {
    const change = lane.standing.change(now);
    if (change === undefined) return;
    unwritten.set(lane.endpoint, change);
    writing ??= write().finally(() => (writing = null));
  }

  /** The store knows of successes that this process did not see: another's, or one that a crash cut off. */
  async function confirm(lane: Lane): Promise<void> {
    const since = lane.standing.since ?? 0;
    try {
      const [health] = await storage.endpointHealth({ endpoints: [lane.endpoint], since });
      if (health?.succeeded === 0) disable(lane);
      else lane.standing.renew();
    } catch (error) {
      log.warn(
        { endpoint: lane.endpoint, error: String(error) },
        'whether an endpoint only fails could not be looked up; asked again later',
      );
    }
  }

  return {
    heard(lane: Lane, endpoint: Endpoint, { cause, delivery }: { readonly cause: Cause; readonly delivery: string }): void {
      const { standing } = lane;
      // The hot path: it succeeds, as before.
      if (cause === 'ok' && standing.since === null && !standing.told) return;
      const now = clock.now();
      const after = endpoint.disableAfter === null ? disableAfterMs : parseDuration(endpoint.disableAfter);
      const { since, failures } = standing;
      const says = standing.heard({ cause, delivery, now, closed: lane.breaker.state(now) === 'closed', disableAfterMs: after });
      keep(lane, now);
      if (says === 'disable') void confirm(lane);
      else if (says !== null) {
        const { endpoint: id, merchant } = lane;
        const begun = since ?? standing.since;
        observe.emit('endpoint', {
          id,
          merchant,
          happened: says,
          reason: cause,
          since: begun,
          failures: Math.max(failures, standing.failures),
        });
      }
    },
    renew(lane: Lane): void {
      lane.standing.renew();
      keep(lane, clock.now());
    },
    async load(): Promise<void> {
      for (const { endpoint, kept } of await storage.loadFailing()) {
        if (directory.endpointById(endpoint) === undefined) {
          unwritten.set(endpoint, null);
          continue;
        }
        const lane = lanes.of(endpoint);
        lane.standing.restore(kept);
        // It was down a moment ago: one call finds out, instead of one for each that waits.
        if (kept.told) lane.breaker.suspect(clock.now());
      }
      await write();
    },
    async idle(): Promise<void> {
      await writing;
    },
  };
}
