import type { Arrival } from '../contract.ts';
import { keyOfEvent } from './log.ts';

/** Keys of the newest events that this process remembers: the newer half and the one before it. */
const REMEMBERED = 50_000;

/** Fewer are not worth a commit of their own. */
const WORTH_A_COMMIT = 16;

/** After a guess that was wrong this many batches are not guessed about, then twice as many, up to the most. */
const FIRST_REST = 4;
const LONGEST_REST = 256;

/** The newest of many, in two generations. */
class Newest {
  #young = new Set<string>();
  #old = new Set<string>();

  has(item: string): boolean {
    return this.#young.has(item) || this.#old.has(item);
  }

  add(item: string): void {
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(item);
  }
}

export interface Novelty {
  /** Parts a batch into what is all new as far as this process knows, and the rest. */
  part(arrivals: readonly Arrival[]): { readonly fresh: readonly Arrival[]; readonly rest: readonly Arrival[] };
  /** Whether what was taken for new was new. */
  proved(right: boolean): void;
}

/**
 * Guesses which arrivals bring nothing but facts and transactions that the database has never seen. A wrong guess costs a round trip, as
 * the database refuses what is there already; so it may be made from memory.
 */
export function createNovelty(): Novelty {
  const facts = new Newest();
  const transactions = new Newest();
  let resting = 0;
  let rest = FIRST_REST;

  /** Remembers what it looks at. */
  function looksNew({ request, events }: Arrival, seen: (transaction: string) => boolean): boolean {
    let isNew = request?.known !== true;
    for (const event of events) {
      const fact = keyOfEvent(event);
      if (facts.has(fact) || event.parent !== null || (event.transaction !== null && seen(event.transaction))) isNew = false;
      facts.add(fact);
    }
    return isNew;
  }

  return {
    part(arrivals) {
      const guesses = new Map(arrivals.map((arrival) => [arrival, looksNew(arrival, (id) => transactions.has(id))]));
      // The events of one transaction stay together, so that their deliveries keep their order.
      const touched = new Set<string>();
      for (const [arrival, isNew] of guesses) if (!isNew) for (const id of named(arrival)) touched.add(id);
      for (let grown = touched.size > 0; grown;) {
        grown = false;
        for (const [arrival, isNew] of guesses) {
          if (!isNew || !named(arrival).some((id) => touched.has(id))) continue;
          guesses.set(arrival, false);
          for (const id of named(arrival)) touched.add(id);
          grown = true;
        }
      }
      for (const { events } of arrivals) for (const { transaction } of events) if (transaction !== null) transactions.add(transaction);
      resting -= 1;
      const fresh = arrivals.filter((arrival) => guesses.get(arrival));
      if (resting >= 0 || (fresh.length < arrivals.length && fresh.length < WORTH_A_COMMIT)) return { fresh: [], rest: arrivals };
      return { fresh, rest: arrivals.filter((arrival) => !guesses.get(arrival)) };
    },
    proved(right) {
      if (right) {
        rest = FIRST_REST;
      } else {
        resting = rest;
        rest = Math.min(LONGEST_REST, rest * 2);
      }
    },
  };
}

function named({ events }: Arrival): string[] {
  return events.flatMap(({ transaction, parent }) => [transaction, parent]).filter((id) => id !== null);
}
