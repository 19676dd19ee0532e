import type { Arrival } from '../contract.ts';
import { namedBy } from './held.ts';

/** How many places there are for what was seen lately; a newer one takes the place of an older one. */
const PLACES = 1 << 17;

/** Fewer are not worth a commit of their own. */
const WORTH_A_COMMIT = 16;

/** After a guess that was wrong this many batches are not guessed about, then twice as many, up to the most. */
const FIRST_REST = 4;
const LONGEST_REST = 256;

/** What was seen lately, as far as there is room: numbers instead of texts, which would keep whole batches from being collected. */
class Newest {
  readonly #prints = new Uint32Array(PLACES);

  has(scope: string, text: string): boolean {
    const number = numberOf(scope, text);
    return this.#prints[number % PLACES] === Math.floor(number / PLACES);
  }

  add(scope: string, text: string): void {
    const number = numberOf(scope, text);
    this.#prints[number % PLACES] = Math.floor(number / PLACES);
  }
}

/** 48 bits, each of them of every character. */
function numberOf(scope: string, text: string): number {
  let [high, low] = [0x9747b28c, 0x811c9dc5];
  for (const part of [scope, text]) {
    for (let at = 0; at < part.length; at++) {
      const code = part.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b) ^ (low >>> 13);
    }
  }
  return ((high ^ (high >>> 16)) & 0xffff) * 2 ** 32 + (low >>> 0);
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

  /** Remembers the facts that it looks at. */
  function looksNew({ request, events }: Arrival): boolean {
    let isNew = request?.known !== true;
    for (const { source, merchant, dedupeKey, transaction, parent } of events) {
      const scope = source ?? merchant;
      if (facts.has(scope, dedupeKey) || parent !== null || (transaction !== null && transactions.has('', transaction))) isNew = false;
      facts.add(scope, dedupeKey);
    }
    return isNew;
  }

  function remember(arrivals: readonly Arrival[]): void {
    for (const { events } of arrivals) for (const { transaction } of events) if (transaction !== null) transactions.add('', transaction);
  }

  return {
    part(arrivals) {
      const guesses = arrivals.map(looksNew);
      remember(arrivals);
      resting -= 1;
      if (resting >= 0) return { fresh: [], rest: arrivals };
      if (!guesses.includes(false)) return { fresh: arrivals, rest: [] };
      keepTogether(arrivals, guesses);
      const fresh = arrivals.filter((_arrival, index) => guesses[index]);
      if (fresh.length < WORTH_A_COMMIT) return { fresh: [], rest: arrivals };
      return { fresh, rest: arrivals.filter((_arrival, index) => guesses[index] !== true) };
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

/** What touches a transaction that something not new touches goes with that: so the deliveries of a transaction keep their order. */
function keepTogether(arrivals: readonly Arrival[], guesses: boolean[]): void {
  const touched = new Set(arrivals.flatMap((arrival, index) => (guesses[index] === true ? [] : namedBy(arrival.events))));
  for (let grown = true; grown;) {
    grown = false;
    for (const [index, arrival] of arrivals.entries()) {
      if (guesses[index] !== true || !namedBy(arrival.events).some((id) => touched.has(id))) continue;
      guesses[index] = false;
      for (const id of namedBy(arrival.events)) touched.add(id);
      grown = true;
    }
  }
}
