import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAsset } from '../src/ui/asset.ts';
import { addUnits, formatSum, formatUnits } from '../src/ui/money.ts';

test('base units become grouped decimals without passing through a number', () => {
  assert.equal(formatUnits('100000', 2).short, '1,000.00');
  assert.equal(formatUnits('5', 2).short, '0.05');
  assert.equal(formatUnits('-1234567', 0).short, '−1,234,567');
  assert.equal(formatUnits('12345', 3).short, '12.345');
  assert.equal(formatUnits('9007199254740993001', 2).full, '90,071,992,547,409,930.01');
  assert.equal(formatUnits('-0', 2).short, '0.00');
});

test('long fractions are trimmed, and say so where a digit is left out', () => {
  assert.deepEqual(formatUnits('1500000000000000000', 18), { short: '1.50', full: '1.500000000000000000' });
  assert.equal(formatUnits('1', 18).short, '0.00…');
  assert.equal(formatUnits('1234567', 6).short, '1.234567');
});

test('what is no integer is shown as it came', () => {
  assert.equal(formatUnits('1e3', 2).short, '1e3');
  assert.equal(formatUnits('', 2).short, '');
});

test('amounts of different exponents add up exactly', () => {
  const sum = addUnits(addUnits({ value: 0n, exponent: 0 }, '100', 2), '1000000000000000000', 18);
  assert.deepEqual(sum, { value: 2n * 10n ** 18n, exponent: 18 });
  assert.deepEqual(addUnits(sum, 'NaN', 2), sum);
});

test('a headline is cut, never rounded up', () => {
  assert.equal(formatSum({ value: 199_999_999_99n, exponent: 2 }), '199,999,999.99');
  assert.equal(formatSum({ value: 1_500_000_000_000_000_001n, exponent: 18 }), '1.500000000000000001');
  assert.equal(formatSum({ value: -1_239_999n, exponent: 0 }), '−1,239,999');
});

test('a token has a name only where its whole id is known', () => {
  assert.deepEqual(describeAsset('KES'), { name: 'KES', network: null, id: 'KES' });
  assert.equal(describeAsset('eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913').name, 'USDC');
  const fake = describeAsset('eip155:8453/erc20:0x1111111111111111111111111111111111111111');
  assert.deepEqual([fake.name, fake.network], ['ERC20 0x1111…1111', 'Base']);
});
