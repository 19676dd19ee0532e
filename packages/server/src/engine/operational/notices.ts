/** Notices gather for a moment, so that many at once are one commit. */
const GATHER_MS = 1_000;
/** The least time between two notices of the same kind about one endpoint. */
const GAP_MS = { state: 60_000, exhausted: 10_000 } as const;
/** Told at once; more waits for the next moment. */
const MOST_AT_ONCE = 50;
/** Deliveries that one notice names. */
const MOST_NAMED = 100;

export type NoticeType = 'endpoint.failing' | 'endpoint.disabled' | 'endpoint.recovered' | 'delivery.exhausted';

export interface Notice {
  readonly type: NoticeType;
  readonly endpoint: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Set for `delivery.exhausted`. */
  readonly delivery?: string;
}

interface Waiting {
  readonly notice: Notice;
  readonly from: number;
  readonly count: number;
  readonly deliveries: readonly string[];
}

interface Told {
  readonly type: NoticeType;
  readonly at: number;
}

/**
 * What the operator is to be told, within bounds: of one endpoint how it stands now and not each turn it took, of its deliveries how
 * many, and of all endpoints some fifty notices a second. Nothing is dropped that has not been overtaken.
 */
export class Notices {
  readonly #waiting = new Map<string, Waiting>();
  readonly #told = new Map<string, Told>();

  add(notice: Notice): void {
    const kind = notice.type === 'delivery.exhausted' ? 'exhausted' : 'state';
    const key = `${kind} ${notice.endpoint}`;
    const before = this.#waiting.get(key);
    const told = this.#told.get(key);
    // It went and came back before anybody was told: nothing happened.
    if (kind === 'state' && told?.type === notice.type && notice.type !== 'endpoint.disabled') {
      this.#waiting.delete(key);
      return;
    }
    const gap = told === undefined || notice.type === 'endpoint.disabled' ? 0 : told.at + GAP_MS[kind];
    const from = Math.max(before?.from ?? notice.at + GATHER_MS, gap);
    const named = before?.deliveries ?? [];
    const deliveries = notice.delivery === undefined || named.length >= MOST_NAMED ? named : [...named, notice.delivery];
    this.#waiting.set(key, { notice, from, count: (before?.count ?? 0) + 1, deliveries });
  }

  /** When to take next; null: nothing waits. */
  nextAt(): number | null {
    let next: number | null = null;
    for (const { from } of this.#waiting.values()) if (next === null || from < next) next = from;
    return next;
  }

  /** Those that are to be told now, in the order in which they came. */
  take(now: number): readonly Notice[] {
    const taken: Notice[] = [];
    for (const [key, { notice, from, count, deliveries }] of this.#waiting) {
      if (from > now) continue;
      if (taken.length === MOST_AT_ONCE) break;
      this.#waiting.delete(key);
      this.#told.set(key, { type: notice.type, at: now });
      taken.push(notice.delivery === undefined ? notice : { ...notice, data: { ...notice.data, count, deliveries } });
    }
    this.#forget(now);
    return taken;
  }

  /** They could not be told: they wait again, unless they have been overtaken. */
  putBack(notices: readonly Notice[], at: number): void {
    for (const notice of notices) {
      const key = `${notice.type === 'delivery.exhausted' ? 'exhausted' : 'state'} ${notice.endpoint}`;
      this.#told.delete(key);
      if (this.#waiting.has(key)) continue;
      const { count = 1, deliveries = [] } = notice.data as { count?: number; deliveries?: string[] };
      this.#waiting.set(key, { notice, from: at, count, deliveries });
    }
  }

  /** An endpoint that was last told of as failing stays known; all else is forgotten once its gap is over. */
  #forget(now: number): void {
    for (const [key, { type, at }] of this.#told) {
      if (type !== 'endpoint.failing' && at + GAP_MS.state <= now) this.#told.delete(key);
    }
  }
}
