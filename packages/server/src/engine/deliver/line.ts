import { Fifo } from './fifo.ts';
import type { Lane } from './lane.ts';

export interface LineBounds {
  /** A call that has waited longer for its answer is not counted as young any more, in milliseconds. */
  readonly youngMs: number;
  /** Calls in flight at once, over all merchants and of one merchant: the young ones, and all. */
  readonly young: number;
  readonly total: number;
  readonly merchantYoung: number;
  readonly merchantTotal: number;
}

/**
 * Young calls bound the work at hand; the totals bound sockets and memory. An endpoint that hangs holds a young place for a second
 * only, so that a hundred of them at once hold up nobody; and no merchant gets all places of either kind.
 */
export const LINE_BOUNDS: LineBounds = { youngMs: 1_000, young: 512, total: 4_096, merchantYoung: 384, merchantTotal: 2_048 };

interface Merchant {
  readonly lanes: Fifo<Lane>;
  young: number;
  total: number;
  inTurn: boolean;
}

/** One call's place. */
export interface Place {
  readonly merchant: Merchant;
  readonly since: number;
  state: 'young' | 'old' | 'left';
}

/**
 * Whose turn it is: merchants in turn, and within a merchant its lanes in turn, one call each. So a long queue never goes before a
 * short one, and five hundred endpoints of one merchant get no more than the one endpoint of another. Constant time per call.
 */
export class Line {
  readonly #bounds: LineBounds;
  readonly #merchants = new Map<string, Merchant>();
  readonly #turns = new Fifo<Merchant>();
  /** In order of their start. */
  readonly #youngest = new Fifo<Place>();
  #young = 0;
  #total = 0;
  #waiting = 0;

  constructor(bounds: LineBounds = LINE_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Calls in flight. */
  get inFlight(): number {
    return this.#total;
  }

  /** The lane may send one call more. */
  enter(lane: Lane): void {
    if (lane.inLine) return;
    lane.inLine = true;
    this.#waiting += 1;
    const merchant = this.#merchant(lane.merchant);
    merchant.lanes.push(lane);
    this.#queue(merchant);
  }

  /** The lane whose turn it is, taken out of the line; undefined where nobody waits or no place is free. */
  next(now: number): Lane | undefined {
    this.#age(now);
    const { young, total } = this.#bounds;
    while (this.#young < young && this.#total < total) {
      const merchant = this.#turns.shift();
      if (merchant === undefined) return undefined;
      merchant.inTurn = false;
      // It comes back into turn when one of its calls ends or grows old.
      if (this.#isFull(merchant)) continue;
      const lane = merchant.lanes.shift();
      if (lane === undefined) continue;
      lane.inLine = false;
      this.#waiting -= 1;
      this.#queue(merchant);
      return lane;
    }
    return undefined;
  }

  /** A call of this lane is in flight from now on. */
  began(lane: Lane, now: number): Place {
    const merchant = this.#merchant(lane.merchant);
    const place: Place = { merchant, since: now, state: 'young' };
    this.#young += 1;
    this.#total += 1;
    merchant.young += 1;
    merchant.total += 1;
    this.#youngest.push(place);
    return place;
  }

  ended(place: Place): void {
    const { merchant } = place;
    if (place.state === 'young') this.#forget(place);
    place.state = 'left';
    this.#total -= 1;
    merchant.total -= 1;
    this.#queue(merchant);
  }

  /** When to look again though no call ends; null where nobody waits for that. */
  lookAt(): number | null {
    if (this.#waiting === 0) return null;
    while (this.#youngest.first?.state === 'left') this.#youngest.shift();
    const oldest = this.#youngest.first;
    return oldest === undefined ? null : oldest.since + this.#bounds.youngMs;
  }

  #age(now: number): void {
    for (let first = this.#youngest.first; first !== undefined; first = this.#youngest.first) {
      if (first.state === 'young') {
        if (first.since + this.#bounds.youngMs > now) return;
        this.#forget(first);
        first.state = 'old';
        this.#queue(first.merchant);
      }
      this.#youngest.shift();
    }
  }

  #forget({ merchant }: Place): void {
    this.#young -= 1;
    merchant.young -= 1;
  }

  #isFull({ young, total }: Merchant): boolean {
    return young >= this.#bounds.merchantYoung || total >= this.#bounds.merchantTotal;
  }

  #queue(merchant: Merchant): void {
    if (merchant.inTurn || merchant.lanes.length === 0 || this.#isFull(merchant)) return;
    merchant.inTurn = true;
    this.#turns.push(merchant);
  }

  #merchant(id: string): Merchant {
    let merchant = this.#merchants.get(id);
    if (merchant === undefined) this.#merchants.set(id, (merchant = { lanes: new Fifo(), young: 0, total: 0, inTurn: false }));
    return merchant;
  }
}
