import type { EndpointRow } from '../../src/storage/contract.ts';

/** What an endpoint was from one moment on; null while a change was under way and either may hold. */
interface Stretch {
  readonly from: number;
  readonly row: EndpointRow | null;
}

export type Selected = 'yes' | 'no' | 'perhaps';

/** What the engine was told of its endpoints, and when: the model of who is subscribed. Written by what the store answered, not by what was wished. */
export class Known {
  readonly #stretches = new Map<string, Stretch[]>();

  /** A change is under way. */
  changing(id: string, now: number): void {
    this.#of(id).push({ from: now, row: null });
  }

  /** From now on it is this; without a row, what it was before. */
  stands(id: string, now: number, row?: EndpointRow): void {
    const last = row ?? this.last(id);
    if (last !== undefined) this.#of(id).push({ from: now, row: last });
  }

  /** A start read them all anew. */
  loaded(rows: readonly EndpointRow[], now: number): void {
    for (const row of rows) this.stands(row.id, now, row);
  }

  /** As it was last known for certain. */
  last(id: string): EndpointRow | undefined {
    return this.#of(id).findLast(({ row }) => row !== null)?.row ?? undefined;
  }

  /** For certain at this moment; null where it is not certain. */
  now(id: string): EndpointRow | null {
    return this.#of(id).at(-1)?.row ?? null;
  }

  ids(): string[] {
    return [...this.#stretches.keys()];
  }

  /** Whether an event that was routed between the two moments goes to the endpoint. */
  selects(id: string, type: string, when: { readonly from: number; readonly to: number }): Selected {
    const stretches = this.#of(id);
    const answers = new Set<boolean | null>();
    // Before its first stretch it was not there.
    if (when.from <= (stretches[0]?.from ?? Infinity)) answers.add(false);
    for (const [index, { from, row }] of stretches.entries()) {
      const end = stretches[index + 1]?.from ?? Infinity;
      if (from <= when.to && end >= when.from) answers.add(row === null ? null : takes(row, type));
    }
    if (answers.size !== 1 || answers.has(null)) return 'perhaps';
    return answers.has(true) ? 'yes' : 'no';
  }

  #of(id: string): Stretch[] {
    let found = this.#stretches.get(id);
    if (found === undefined) this.#stretches.set(id, (found = []));
    return found;
  }
}

function takes({ active, deletedAt, perEvent, events }: EndpointRow, type: string): boolean {
  if (!active || deletedAt !== null || perEvent) return false;
  return events.some((one) => one === '*' || one === type || (one.endsWith('.*') && type.startsWith(one.slice(0, -1))));
}
