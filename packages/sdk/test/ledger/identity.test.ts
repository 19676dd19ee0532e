import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { transactionId } from '@paybell/sdk';

test('an id is txn_ and 26 characters, the first 130 bits of the hash', () => {
  const id = transactionId('shop', 'acme', 'payment', 'order-1');
  assert.match(id, /^txn_[0-9a-hjkmnp-tv-z]{26}$/);
  const digest = createHash('sha256').update('4:shop4:acme7:payment7:order-1').digest('hex');
  const bits = (BigInt(`0x${digest}`) >> 126n).toString(2).padStart(130, '0');
  const expected = bits.match(/.{5}/g)?.map((five) => '0123456789abcdefghjkmnpqrstvwxyz'[Number.parseInt(five, 2)]);
  assert.equal(id, `txn_${expected?.join('')}`);
  assert.equal(transactionId('shop', 'acme', 'payment', 'order-1'), id);
});

test('parts never run into each other', () => {
  const ids = [
    transactionId('ab', 'c', 'payment', 'd'),
    transactionId('a', 'bc', 'payment', 'd'),
    transactionId('ab', 'c', 'payout', 'd'),
    transactionId('ab', '', 'payment', 'cd'),
    transactionId('', '', 'payment', '2:ab1:c7:payment1:d'),
    transactionId('2:ab1:c', '', 'payment', 'd'),
    transactionId('ab', 'c', 'payment', '\ud800'),
    transactionId('ab', 'c', 'payment', '\ud801'),
    transactionId('ab', 'c', 'payment', '\ufffd'),
    transactionId('ab', 'c', 'payment', '"\\ud800"'),
    transactionId('ab', 'c', 'payment', 'é'),
    transactionId('ab', 'c', 'payment', 'e\u0301'),
  ];
  assert.equal(new Set(ids).size, ids.length);
});
