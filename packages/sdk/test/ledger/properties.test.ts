import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEvents, fold, foldFirst, foldNext, foldState, KINDS, RAILS, RULES, STATUSES, timeline } from '@paybell/sdk';
import type { FoldState, LedgerEvent, Movement } from '@paybell/sdk';
import fc from 'fast-check';
import { PAYMENT } from './build.ts';

const text = fc.oneof(fc.constantFrom('a', 'b', '__proto__'), fc.string({ unit: 'binary', maxLength: 4 }));
const few = fc.integer({ min: 0, max: 3 });

const amount = fc.record({
  value: fc.oneof(fc.constantFrom('100', '1000', '-5', '0'), fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String)),
  exponent: fc.constantFrom(0, 1, 2, 18),
  currency: fc.constantFrom('KES', 'USD', 'eip155:1/slip44:60'),
  text: fc.constantFrom('1.00', '1'),
});

const movement = fc.record(
  {
    kind: fc.constantFrom(...KINDS),
    key: fc.constant('k'),
    status: fc.constantFrom(...STATUSES),
    substate: text,
    rail: fc.constantFrom(...RAILS),
    reference: text,
    providerReference: text,
    refs: fc.array(text, { maxLength: 3 }),
    amount,
    amountReceived: amount,
    parent: fc.record({ kind: fc.constantFrom(...KINDS), key: text }),
    customer: fc.record({ reference: text, name: text, email: text, phone: text }, { requiredKeys: [] }),
    reason: fc.record({ code: text, message: text }, { requiredKeys: ['code'] }),
    flags: fc.array(fc.constantFrom('test', 'overpaid', 'underpaid', 'late'), { maxLength: 2 }),
    reinstated: fc.boolean(),
  },
  { requiredKeys: ['kind', 'key', 'status'] },
) as fc.Arbitrary<Movement>;

const event: fc.Arbitrary<LedgerEvent> = fc.record({
  id: fc.uuid(),
  type: text,
  dedupeKey: fc.oneof(text, fc.uuid()),
  sequence: fc.option(few),
  occurredAt: fc.option(fc.oneof(few, fc.constantFrom(Number.NaN, -Infinity, 8.7e15))),
  recordedAt: few,
  movement,
});

const identity = fc.constantFrom(...KINDS).map((kind) => ({ ...PAYMENT, kind }));
const RUNS = { numRuns: 1500 };

test('any set of events: the same bytes in any order, doubled, and step by step with stored states', () => {
  const shuffled = fc
    .uniqueArray(event, { minLength: 1, maxLength: 7, selector: ({ id }) => id })
    .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })));
  fc.assert(
    fc.property(identity, shuffled, (who, [events, arrivals]) => {
      const expected = JSON.stringify(foldState(who, events));
      assert.equal(JSON.stringify(foldState(who, arrivals)), expected);
      assert.equal(JSON.stringify(timeline(who, arrivals)), JSON.stringify(timeline(who, events)));
      const seen: LedgerEvent[] = [];
      let state: FoldState | null = null;
      for (const arrival of arrivals) {
        seen.push(arrival);
        state = state === null ? foldFirst(who, arrival).state : (foldNext(state, arrival) ?? foldState(who, seen));
        state = JSON.parse(JSON.stringify(state)) as FoldState;
      }
      assert.equal(JSON.stringify(state), expected);
    }),
    RUNS,
  );
});

test('any set of events: one verdict each, a chain of statuses, flags that follow from the verdicts', () => {
  fc.assert(
    fc.property(identity, fc.uniqueArray(event, { minLength: 1, maxLength: 9, selector: ({ id }) => id }), (who, events) => {
      const entries = timeline(who, events);
      const transaction = fold(who, events);
      assert.equal(entries.length, events.length);
      assert.equal(transaction.version, events.length);
      assert.equal(entries.at(-1)?.to, transaction.status);
      for (const [index, { verdict, rule, from, to }] of entries.entries()) {
        assert.equal(RULES[rule as keyof typeof RULES].verdict, verdict);
        assert.equal(from, entries[index - 1]?.to ?? null);
        if (verdict !== 'applied' && verdict !== 'late') assert.equal(from, to);
      }
      assert.equal(
        transaction.flags.includes('conflict'),
        entries.some((entry) => entry.verdict === 'conflict'),
      );
      if (entries.some((entry) => entry.verdict === 'late')) assert.ok(transaction.flags.includes('late'));
      assert.deepEqual(transaction.flags, [...new Set(transaction.flags)].toSorted());
      assert.deepEqual(JSON.parse(JSON.stringify(transaction)), transaction);
    }),
    RUNS,
  );
});

test('the order of events is total: antisymmetric, transitive, and equal only for the same event', () => {
  fc.assert(
    fc.property(event, event, event, (a, b, c) => {
      assert.equal(Math.sign(compareEvents(a, b)), -Math.sign(compareEvents(b, a)) || 0);
      assert.equal(compareEvents(a, a), 0);
      if (compareEvents(a, b) === 0) assert.equal(a.id, b.id);
      if (compareEvents(a, b) <= 0 && compareEvents(b, c) <= 0) assert.ok(compareEvents(a, c) <= 0);
    }),
    { numRuns: 5000 },
  );
});
