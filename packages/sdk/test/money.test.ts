import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addMoney, compareMoney, decimalText, exponentOf, JsonNumber, readCanonicalMoney, readMoney, toJson } from '@paybell/sdk';
import type { JsonValue, Money } from '@paybell/sdk';

type Unit = 'major' | 'minor';

function read(amount: JsonValue | undefined, currency: JsonValue = 'KES', unit: Unit = 'major'): Money | string {
  const reading = readMoney({ amount, currency, unit });
  return 'money' in reading ? reading.money : reading.refused;
}

function number(text: string): JsonNumber {
  return new JsonNumber(text);
}

function value(amount: JsonValue, currency?: JsonValue, unit?: Unit): string {
  const money = read(amount, currency, unit);
  return typeof money === 'string' ? money : `${money.value}e-${money.exponent}`;
}

test('major units become base units of the currency', () => {
  assert.deepEqual(read(number('1000')), { value: '100000', exponent: 2, currency: 'KES', text: '1000' });
  assert.deepEqual(read('1000.5', 'kes'), { value: '100050', exponent: 2, currency: 'KES', text: '1000.5' });
  assert.equal(value(number('1000.00')), '100000e-2');
  assert.equal(value(number('500'), 'JPY'), '500e-0');
  assert.equal(value(number('500'), 'UGX'), '500e-0');
  assert.equal(value('1.234', 'KWD'), '1234e-3');
  assert.equal(value(number('9007199254740993')), '900719925474099300e-2');
  assert.equal(value(number('1.005'), 'BHD'), '1005e-3');
  assert.equal(value(number('0')), '0e-2');
});

test('minor units are whole', () => {
  assert.equal(value(number('10000'), 'THB', 'minor'), '10000e-2');
  assert.equal(value(number('10000'), 'JPY', 'minor'), '10000e-0');
  assert.equal(value(number('100.00'), 'THB', 'minor'), 'not_an_integer');
  assert.equal(value(number('1e-1'), 'THB', 'minor'), 'not_an_integer');
});

test('an exponent is an exact decimal or nothing', () => {
  assert.equal(value(number('1e3')), '100000e-2');
  assert.equal(value(number('1.25E+1')), '1250e-2');
  assert.equal(value(number('1.5e-1')), '15e-2');
  assert.equal(value(number('1e-3')), 'too_many_decimals');
  assert.equal(value(number('1e400')), 'too_long');
  assert.equal(value(number('1e-400')), 'too_long');
  assert.equal(value(number('1e99999')), 'not_a_number');
});

test('what is no certain amount is refused with its reason', () => {
  const cases: readonly (readonly [JsonValue | undefined, string])[] = [
    ['1,00', 'not_a_number'],
    ['1 000', 'not_a_number'],
    ['', 'not_a_number'],
    ['NaN', 'not_a_number'],
    ['Infinity', 'not_a_number'],
    ['0x10', 'not_a_number'],
    ['+5', 'not_a_number'],
    ['.5', 'not_a_number'],
    ['5.', 'not_a_number'],
    ['007', 'not_a_number'],
    ['١٢', 'not_a_number'],
    ['-', 'not_a_number'],
    [true, 'not_a_number'],
    [[number('1')], 'not_a_number'],
    [{ value: number('1') }, 'not_a_number'],
    [number('-0'), 'negative'],
    [number('-1'), 'negative'],
    ['-5.00', 'negative'],
    [number('10.001'), 'too_many_decimals'],
    ['9'.repeat(101), 'too_long'],
    ['9'.repeat(78), 'too_long'],
    [undefined, 'missing'],
    [null, 'missing'],
  ];
  for (const [amount, reason] of cases) assert.equal(read(amount), reason, JSON.stringify(amount));
  for (const currency of ['XYZ', '', 'KE', number('1'), null, '__proto__', 'toString'])
    assert.equal(read(number('1'), currency), 'unknown_currency');
  assert.deepEqual(readMoney({ amount: number('5000'), currency: 'NGN', unit: undefined }), { refused: 'unknown_unit' });
});

test('tokens: known decimals, else those that were written', () => {
  const usdc = 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';
  assert.deepEqual(read('25.50', usdc), { value: '25500000', exponent: 6, currency: usdc.toLowerCase(), text: '25.50' });
  assert.equal(value('1.2345678', usdc), 'too_many_decimals');
  const other = `eip155:1/erc20:0x${'ab'.repeat(20)}`;
  assert.equal(value('1.50', other), '150e-2');
  assert.equal(value('15', other, 'minor'), 'unknown_currency');
});

test('canonical amounts, and nothing that resembles them', () => {
  const good = { value: '250000', exponent: 2, currency: 'KES' };
  assert.deepEqual(readCanonicalMoney(toJson(good)), { money: { ...good, text: '2500.00' } });
  assert.deepEqual(readCanonicalMoney(toJson({ ...good, text: '2500' })), { money: { ...good, text: '2500' } });
  for (const bad of [
    1000,
    '1000',
    [],
    { ...good, value: 250000 },
    { ...good, value: '2500.00' },
    { ...good, value: '-1' },
    { ...good, value: '01' },
    { ...good, exponent: '2' },
    { ...good, exponent: 2.5 },
    { ...good, exponent: 99 },
    { ...good, currency: 'XYZ' },
    { ...good, currency: 5 },
  ]) {
    assert.ok('refused' in readCanonicalMoney(toJson(bad)), JSON.stringify(bad));
  }
});

test('property: reading and printing agree for every decimal text', () => {
  const currency = fc.constantFrom('KES', 'JPY', 'KWD', 'CLF');
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 60n }), currency, (units, code) => {
      const exponent = exponentOf(code) ?? 0;
      const text = decimalText({ value: units.toString(), exponent });
      assert.deepEqual(read(text, code), { value: units.toString(), exponent, currency: code, text });
    }),
  );
});

test('property: any text gives exact money or a reason, never another amount', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.stringMatching(/^-?\d{0,30}\.?\d{0,8}(e-?\d{1,3})?$/)), (text) => {
      const money = read(text);
      if (typeof money === 'string') return;
      assert.equal(money.text, text);
      const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
      const [whole = '', fraction = ''] = mantissa.split('.');
      // value * 10^-2 = digits * 10^(power - decimals), without a division.
      const shift = BigInt(power) - BigInt(fraction.length) + 2n;
      const digits = BigInt(whole + fraction);
      assert.equal(shift >= 0n ? digits * 10n ** shift : digits, shift >= 0n ? BigInt(money.value) : BigInt(money.value) * 10n ** -shift);
    }),
    { numRuns: 2000 },
  );
});

test('sums and comparisons across exponents are exact, across currencies refused', () => {
  const one: Money = { value: '15', exponent: 1, currency: 'X', text: '1.5' };
  const other: Money = { value: '2250000000000000000001', exponent: 18, currency: 'X', text: '' };
  assert.deepEqual(addMoney(one, other), { value: '2251500000000000000001', exponent: 18, currency: 'X', text: '2251.500000000000000001' });
  assert.ok(compareMoney(one, other) < 0);
  assert.equal(compareMoney(one, { ...one, value: '1500', exponent: 3 }), 0);
  assert.throws(() => addMoney(one, { ...one, currency: 'Y' }), RangeError);
  assert.equal(decimalText({ value: '-5', exponent: 2 }), '-0.05');
});
