import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endedWithoutValue, fold, isAllowed, STATUS_TABLE, STATUSES } from '@paybell/sdk';
import type { Status } from '@paybell/sdk';
import { PAYMENT, told } from './build.ts';

test('the table has every status, in order of rank', () => {
  assert.deepEqual(Object.keys(STATUS_TABLE), [...STATUSES]);
  const ranks = STATUSES.map((status) => STATUS_TABLE[status].rank);
  assert.deepEqual(
    ranks.toSorted((a, b) => a - b),
    ranks,
  );
});

test('an end without value is left only by value, success only by a reversal', () => {
  for (const from of STATUSES.filter(endedWithoutValue)) {
    assert.deepEqual([...STATUS_TABLE[from].next], ['partially_succeeded', 'succeeded']);
  }
  assert.deepEqual([...STATUS_TABLE.succeeded.next], ['reversed']);
  assert.deepEqual([...STATUS_TABLE.reversed.next], ['succeeded']);
});

test('created and unknown lead anywhere; no status leads to itself', () => {
  for (const from of ['created', 'unknown'] as const) {
    assert.deepEqual(
      STATUSES.filter((to) => !isAllowed(from, to)),
      [from],
    );
  }
  for (const status of STATUSES) assert.equal(isAllowed(status, status), false);
});

test('what was once succeeded never goes back without a reversal', () => {
  const back = new Set<Status>();
  for (const to of STATUSES) {
    for (const at of [undefined, 5]) {
      const { status } = fold(PAYMENT, [told('succeeded', { at: 1 }), told(to, { id: 'next', ...(at === undefined ? {} : { at }) })]);
      if (status !== 'succeeded') back.add(to);
    }
  }
  assert.deepEqual([...back], ['reversed']);
});
