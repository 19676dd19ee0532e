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

/** Collects the sums of one commit, so that it writes each line once whatever the number of its events. */
export class Tally {
  readonly lines = new Map<string, TallyLine>();

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

  #line(key: Omit<TallyLine, 'count' | 'value' | 'lastAt'>, at: number): TallyLine {
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
    if (at > line.lastAt) line.lastAt = at;
    return line;
  }
}
