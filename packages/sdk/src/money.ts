import { exponentOf, isAssetId } from './currency.ts';
import { JsonNumber, isJsonObject } from './json.ts';
import type { JsonValue } from './json.ts';

/** An exact amount: `value` base units (signed integer as text) of `10^-exponent`, and the text the provider wrote. */
export interface Money {
  readonly value: string;
  readonly exponent: number;
  /** ISO 4217 code, or CAIP-19 such as `eip155:8453/erc20:0x...`. */
  readonly currency: string;
  readonly text: string;
}

/** Why an amount was refused. `missing` means that there was none: no fault. */
export const MONEY_REFUSALS = [
  'missing',
  'not_a_number',
  'negative',
  'too_long',
  'too_many_decimals',
  'not_an_integer',
  'unknown_currency',
  'unknown_unit',
] as const;
export type MoneyRefusal = (typeof MONEY_REFUSALS)[number];
export type MoneyReading = { readonly money: Money } | { readonly refused: MoneyRefusal };

export interface MoneySource {
  /** As it stands in the body: a number or a text. */
  readonly amount: JsonValue | undefined;
  /** ISO 4217 in any case, or CAIP-19. */
  readonly currency: JsonValue | undefined;
  /** `major`: 10.50 means ten and a half. `minor`: 1050 means the same. A property of the provider, never guessed. */
  readonly unit: 'major' | 'minor' | undefined;
  /** Where the provider's minor unit differs from ISO 4217. */
  readonly exponents?: Readonly<Record<string, number>>;
}

/** NUMERIC(78,0) holds every 256-bit token amount. */
const MAX_DIGITS = 78;
const MAX_TEXT = 100;
const MAX_EXPONENT = 36;
const DECIMAL = /^(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/** Reads an amount exactly, or says why not: an amount that is not certain never becomes money. */
export function readMoney(source: MoneySource): MoneyReading {
  const { amount } = source;
  if (amount === undefined || amount === null) return { refused: 'missing' };
  const text = amount instanceof JsonNumber ? amount.text : amount;
  if (typeof text !== 'string') return { refused: 'not_a_number' };
  if (text.length > MAX_TEXT) return { refused: 'too_long' };
  if (text.startsWith('-')) return { refused: DECIMAL.test(text.slice(1)) ? 'negative' : 'not_a_number' };
  const parts = DECIMAL.exec(text);
  if (parts === null) return { refused: 'not_a_number' };
  const currency = typeof source.currency === 'string' ? normalCurrency(source.currency) : null;
  if (currency === null) return { refused: 'unknown_currency' };
  const known = source.exponents?.[currency] ?? exponentOf(currency);
  if (source.unit === undefined) return { refused: 'unknown_unit' };
  if (source.unit === 'minor' && known === undefined) return { refused: 'unknown_currency' };
  if (source.unit === 'minor' && parts[2] !== undefined) return { refused: 'not_an_integer' };
  return scale({ parts, known, minor: source.unit === 'minor', currency, text });
}

function scale(input: { parts: RegExpExecArray; known: number | undefined; minor: boolean; currency: string; text: string }): MoneyReading {
  const [, whole = '', fraction = '', power = '0'] = input.parts;
  const digits = whole + fraction;
  // How many decimals the number has as written: 1.50e1 has one.
  const decimals = fraction.length - Number(power);
  const exponent = input.known ?? Math.max(decimals, 0);
  const shift = (input.minor ? 0 : exponent) - decimals;
  if (digits.length + Math.abs(shift) > MAX_DIGITS * 2) return { refused: 'too_long' };
  const value = shift >= 0 ? digits + '0'.repeat(shift) : dropZeros(digits, -shift);
  if (value === null) return { refused: input.minor ? 'not_an_integer' : 'too_many_decimals' };
  const plain = value.replace(/^0+(?=\d)/, '');
  if (plain.length > MAX_DIGITS || exponent > MAX_EXPONENT) return { refused: 'too_long' };
  return { money: { value: plain, exponent, currency: input.currency, text: input.text } };
}

/** Takes `count` digits off the end if all of them are zeros: nothing is ever rounded. */
function dropZeros(digits: string, count: number): string | null {
  const padded = digits.padStart(count + 1, '0');
  return /^0*$/.test(padded.slice(padded.length - count)) ? padded.slice(0, padded.length - count) : null;
}

function normalCurrency(code: string): string | null {
  const upper = code.toUpperCase();
  if (exponentOf(upper) !== undefined) return upper;
  // Only Ethereum addresses are the same in every case.
  return isAssetId(code) ? (code.startsWith('eip155:') ? code.toLowerCase() : code) : null;
}

const CANONICAL_VALUE = /^(0|[1-9]\d{0,77})$/;

/** Reads the canonical form `{value, exponent, currency, text?}`; every other form is refused. */
export function readCanonicalMoney(amount: JsonValue | undefined): MoneyReading {
  if (amount === undefined || amount === null) return { refused: 'missing' };
  if (!isJsonObject(amount)) return { refused: 'not_a_number' };
  const { value, exponent, currency, text } = amount;
  if (typeof value !== 'string' || !(exponent instanceof JsonNumber) || !/^\d{1,2}$/.test(exponent.text))
    return { refused: 'not_a_number' };
  if (/^-\d/.test(value)) return { refused: 'negative' };
  if (!CANONICAL_VALUE.test(value)) return { refused: 'not_a_number' };
  const decimals = Number(exponent.text);
  if (decimals > MAX_EXPONENT) return { refused: 'too_long' };
  const code = typeof currency === 'string' ? normalCurrency(currency) : null;
  if (code === null) return { refused: 'unknown_currency' };
  const written = typeof text === 'string' && text.length <= MAX_TEXT ? text : decimalText({ value, exponent: decimals });
  return { money: { value, exponent: decimals, currency: code, text: written } };
}

/** `{value: '1050', exponent: 2}` as `10.50`. */
export function decimalText(money: Pick<Money, 'value' | 'exponent'>): string {
  const negative = money.value.startsWith('-');
  const digits = (negative ? money.value.slice(1) : money.value).padStart(money.exponent + 1, '0');
  const point = digits.length - money.exponent;
  const text = money.exponent === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return negative ? `-${text}` : text;
}

/** Below zero, zero or above zero, as for `sort`. Throws RangeError for two currencies. */
export function compareMoney(one: Money, other: Money): number {
  const [a, b] = align(one, other);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The exact sum, in the finer of the two exponents; `text` is its decimal text. Throws RangeError for two currencies. */
export function addMoney(one: Money, other: Money): Money {
  const [a, b, exponent] = align(one, other);
  const value = (a + b).toString();
  return { value, exponent, currency: one.currency, text: decimalText({ value, exponent }) };
}

function align(one: Money, other: Money): [bigint, bigint, number] {
  if (one.currency !== other.currency) throw new RangeError(`${one.currency} and ${other.currency} cannot be compared or added.`);
  const exponent = Math.max(one.exponent, other.exponent);
  return [units(one, exponent), units(other, exponent), exponent];
}

function units(money: Money, exponent: number): bigint {
  return BigInt(money.value) * 10n ** BigInt(exponent - money.exponent);
}
