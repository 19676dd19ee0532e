import type { EndpointNow } from '../faces.ts';
import type { InnerDirectory } from '../directory.ts';
import { Lane } from './lane.ts';

/** The lanes of all endpoints that have had something to send; those that the store was asked for last come last. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #held = { bytes: 0 };
  readonly #directory: Pick<InnerDirectory, 'endpointById'>;

  constructor(directory: Pick<InnerDirectory, 'endpointById'>) {
    this.#directory = directory;
  }

  of(endpoint: string): Lane {
    let lane = this.#lanes.get(endpoint);
    if (lane === undefined) {
      lane = new Lane(endpoint, this.#directory.endpointById(endpoint)?.merchant ?? '', this.#held);
      this.#lanes.set(endpoint, lane);
    }
    return lane;
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  served(lane: Lane): void {
    if (this.#lanes.delete(lane.endpoint)) this.#lanes.set(lane.endpoint, lane);
  }

  drop(endpoint: string): void {
    this.#lanes.delete(endpoint);
  }

  gauges(now: number): { readonly queued: number; readonly openBreakers: number } {
    let queued = 0;
    let openBreakers = 0;
    for (const lane of this.#lanes.values()) {
      queued += lane.queued;
      if (lane.breaker.state(now) !== 'closed') openBreakers += 1;
    }
    return { queued, openBreakers };
  }
}

/** How an endpoint is sent to now. */
export function nowOf(lane: Lane, maxInFlight: number, now: number): EndpointNow {
  const breaker = lane.breaker.state(now);
  return {
    breaker,
    limit: lane.limit(maxInFlight, now),
    probeAt: breaker === 'open' ? lane.breaker.parkedUntil : null,
    failingSince: lane.standing.since,
  };
}
