import type { Money } from '../api/types.ts';

export interface MoneyText {
  /** Grouped decimal, e.g. `1,250.00`; long fractions are cut to `maxFraction` digits and then carry `…`. */
  readonly short: string;
  /** Every digit. */
  readonly full: string;
}

/** Formats base units by text alone: no amount ever becomes a number. */
export function formatUnits(value: string, exponent: number, maxFraction = 6): MoneyText {
  if (!/^-?\d+$/.test(value) || exponent < 0 || exponent > 36) return { short: value, full: value };
  const negative = value.startsWith('-');
  const digits = (negative ? value.slice(1) : value).replace(/^0+(?=\d)/, '').padStart(exponent + 1, '0');
  const whole = group(digits.slice(0, digits.length - exponent));
  const fraction = digits.slice(digits.length - exponent);
  const sign = negative && /[1-9]/.test(digits) ? '−' : '';
  const full = `${sign}${whole}${exponent > 0 ? `.${fraction}` : ''}`;
  if (exponent <= 3) return { short: full, full };
  const trimmed = fraction.slice(0, maxFraction).replace(/0+$/, '').padEnd(2, '0');
  const cut = /[1-9]/.test(fraction.slice(maxFraction));
  return { short: `${sign}${whole}.${trimmed}${cut ? '…' : ''}`, full };
}

function group(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export const formatMoney = (money: Money): MoneyText => formatUnits(money.value, money.exponent);

export interface Sum {
  readonly value: bigint;
  readonly exponent: number;
}

/** Adds amounts of one currency, whatever their exponents. */
export function addUnits(sum: Sum, value: string, exponent: number): Sum {
  if (!/^-?\d+$/.test(value)) return sum;
  const common = Math.max(sum.exponent, exponent);
  const scale = (amount: bigint, from: number): bigint => amount * 10n ** BigInt(common - from);
  return { value: scale(sum.value, sum.exponent) + scale(BigInt(value), exponent), exponent: common };
}

/** A sum with every digit that says something: sums of money are never shortened. */
export const formatSum = (sum: Sum): string => formatUnits(sum.value.toString(), sum.exponent, sum.exponent).short;
