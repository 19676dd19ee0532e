import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold, foldState, foldFirst, foldNext, timeline } from '@paybell/sdk';
import type { FoldState, LedgerEvent, TransactionIdentity } from '@paybell/sdk';
import { identityOf, permutations } from './build.ts';
import { SCENARIOS } from './scenarios.ts';

/** As a store does it: step by step, from the start where an event does not sort last, each state stored and read back. */
function arrive(identity: TransactionIdentity, arrivals: readonly LedgerEvent[]): FoldState {
  const seen: LedgerEvent[] = [];
  let state: FoldState | null = null;
  for (const event of arrivals) {
    seen.push(event);
    state = state === null ? foldFirst(identity, event).state : (foldNext(state, event) ?? foldState(identity, seen));
    state = JSON.parse(JSON.stringify(state)) as FoldState;
  }
  assert.ok(state);
  return state;
}

for (const scenario of SCENARIOS) {
  const { name, events, expect } = scenario;
  const identity = identityOf(scenario.kind ?? 'payment');

  test(`${name}: the expected transaction and rules`, () => {
    const { status, ...rest } = fold(identity, events);
    for (const [field, value] of Object.entries(expect)) assert.deepEqual({ status, ...rest }[field as keyof typeof expect], value, field);
    assert.deepEqual(
      timeline(identity, events).map((entry) => entry.rule),
      scenario.rules,
    );
  });

  test(`${name}: the same bytes for every order of arrival`, () => {
    const expected = JSON.stringify(foldState(identity, events));
    const history = JSON.stringify(timeline(identity, events));
    for (const arrivals of permutations(events)) {
      assert.equal(JSON.stringify(foldState(identity, arrivals)), expected);
      assert.equal(JSON.stringify(timeline(identity, arrivals)), history);
      assert.equal(JSON.stringify(arrive(identity, arrivals)), expected);
    }
  });

  test(`${name}: the same bytes with every event given twice`, () => {
    const expected = JSON.stringify(fold(identity, events));
    assert.equal(JSON.stringify(fold(identity, [...events, ...events])), expected);
    assert.equal(JSON.stringify(fold(identity, [...events.toReversed(), ...events])), expected);
    assert.equal(JSON.stringify(arrive(identity, [...events.toReversed(), ...events]).transaction), expected);
  });
}
