import type { LedgerEvent, Money, Movement, Status, TransactionIdentity } from '@paybell/sdk';

const START_MS = Date.UTC(2026, 2, 1, 9);

export const PAYMENT: TransactionIdentity = { id: 'txn_payment', merchant: 'shop', provider: 'acme', kind: 'payment', key: 'order-1' };

export function identityOf(kind: TransactionIdentity['kind']): TransactionIdentity {
  return { ...PAYMENT, id: `txn_${kind}`, kind };
}

/** Whole units with two decimals, unless told otherwise. */
export function money(units: number | bigint, currency = 'KES', exponent = 2): Money {
  const value = (BigInt(units) * 10n ** BigInt(exponent)).toString();
  return { value, exponent, currency, text: `${units}` };
}

export interface Told extends Partial<Omit<Movement, 'status'>> {
  /** Minutes after the first; absent where the provider gives no time. */
  readonly at?: number;
  readonly sequence?: number;
  readonly id?: string;
}

/** An event of the given status; ids follow from what it tells, so that two tellings of one fact differ. */
export function told(status: Status, { at, sequence, id, ...movement }: Told = {}): LedgerEvent {
  const name = id ?? `${status}-${at ?? 'x'}-${sequence ?? 'x'}`;
  const occurredAt = at === undefined ? null : START_MS + at * 60_000;
  return {
    id: `evt_${name}`,
    type: `payment.${status}`,
    dedupeKey: name,
    sequence: sequence ?? null,
    occurredAt,
    recordedAt: START_MS + name.length * 1000,
    movement: { kind: 'payment', key: 'order-1', status, ...movement },
  };
}

export function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length <= 1) {
    yield items;
    return;
  }
  for (const [index, item] of items.entries()) {
    const others = [...items.slice(0, index), ...items.slice(index + 1)];
    for (const rest of permutations(others)) yield [item, ...rest];
  }
}
