import type { Transaction } from '@paybell/sdk';

/** Sums are kept in slots of this length, in milliseconds. */
export const SLOT_MS = 10_000;

/** The slot that holds how things stand now. */
export const STANDING = -1;

export interface TallyLine {
  readonly merchant: string;
  readonly slot: number;
  readonly name: string;
  readonly provider: string;
  readonly kind: string;
  readonly status: string;
  readonly rail: string;
  readonly currency: string;
  readonly exponent: number;
  count: number;
  value: bigint;
  lastAt: number;
}

type Key = Omit<TallyLine, 'count' | 'value' | 'lastAt'>;

const NEAR = 8;

function isLine(line: TallyLine, key: Key): boolean {
  return (
    line.slot === key.slot &&
    line.name === key.name &&
    line.status === key.status &&
    line.provider === key.provider &&
    line.merchant === key.merchant &&
    line.kind === key.kind &&
    line.currency === key.currency &&
    line.rail === key.rail &&
    line.exponent === key.exponent
  );
}

/** Collects the sums of one commit, so that it writes each line once whatever the number of its events. */
export class Tally {
  readonly lines = new Map<string, TallyLine>();
  /** The lines met last: nearly always it is one of them, and comparing is cheaper than making the name. */
  readonly #near: TallyLine[] = [];
  #turn = 0;

  /** Counts something without money: requests, events, attempts' ends. `by` -1 takes back what was counted before. */
  count({ by = 1, ...what }: { merchant: string; at: number; name: string; provider: string; by?: 1 | -1 }): void {
    this.#line(
      { ...what, slot: Math.floor(what.at / SLOT_MS), kind: '', status: '', rail: '', currency: '', exponent: 0 },
      what.at,
    ).count += by;
  }

  /** Moves a transaction from the row before to the row now: how it stands, and that it entered a status. */
  move(before: Transaction | null, now: Transaction, at: number): void {
    const entered = before?.status !== now.status;
    if (before !== null) this.#money(before, STANDING, at, -1);
    this.#money(now, STANDING, at, 1);
    if (entered) this.#money(now, Math.floor(at / SLOT_MS), at, 1);
  }

  #money(row: Transaction, slot: number, at: number, sign: 1 | -1): void {
    const money = row.status === 'succeeded' || row.status === 'partially_succeeded' ? (row.amountReceived ?? row.amount) : row.amount;
    const line = this.#line(
      {
        merchant: row.merchant,
        slot,
        name: 'money',
        provider: row.provider,
        kind: row.kind,
        status: row.status,
        rail: row.rail ?? '',
        currency: money?.currency ?? '',
        exponent: money?.exponent ?? 0,
      },
      at,
    );
    line.count += sign;
    if (money !== null && money !== undefined) line.value += BigInt(money.value) * BigInt(sign);
  }

  #line(key: Key, at: number): TallyLine {
    const near = this.#near.find((line) => isLine(line, key));
    const line = near ?? this.#far(key, at);
    if (near === undefined) {
      this.#near[this.#turn] = line;
      this.#turn = (this.#turn + 1) % NEAR;
    }
    if (at > line.lastAt) line.lastAt = at;
    return line;
  }

  #far(key: Key, at: number): TallyLine {
    const name = `${key.merchant}\n${key.slot}\n${key.name}\n${key.provider}\n${key.kind}\n${key.status}\n${key.rail}\n${key.currency}\n${key.exponent}`;
    let line = this.lines.get(name);
    if (line === undefined) {
      line = {
        merchant: key.merchant,
        slot: key.slot,
        name: key.name,
        provider: key.provider,
        kind: key.kind,
        status: key.status,
        rail: key.rail,
        currency: key.currency,
        exponent: key.exponent,
        count: 0,
        value: 0n,
        lastAt: at,
      };
      this.lines.set(name, line);
    }
    return line;
  }
}
