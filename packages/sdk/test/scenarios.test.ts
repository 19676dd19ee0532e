import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold, forge, providers, scenario, scenarioNames } from '@paybell/sdk';
import type { LedgerEvent, Provider, ScenarioName, Transaction } from '@paybell/sdk';
import { NOW, readAll, secretFor } from './support/given.ts';

function eventsOf(one: Provider, name: string): LedgerEvent[] {
  return scenario({ provider: one, name, series: 'story', start: NOW }).flatMap((step) =>
    readAll(one, forge({ provider: one, now: NOW, secret: secretFor(one), ...step })).flatMap(({ movement, ...fact }) =>
      movement === null ? [] : [{ ...fact, id: `evt_${step.id}`, recordedAt: NOW, movement }],
    ),
  );
}

function orders<T>(list: readonly T[]): T[][] {
  return list.length < 2 ? [[...list]] : list.flatMap((item, at) => orders(list.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

function firstOf(group: readonly LedgerEvent[] | undefined): LedgerEvent {
  const first = group?.[0];
  assert.ok(first);
  return first;
}

/** The transactions of a story by kind, folded in the order given. */
function ledgerOf(events: readonly LedgerEvent[]): Record<string, Transaction> {
  const groups = Object.groupBy(events, ({ movement }) => `${movement.kind} ${movement.key}`);
  const identity = ({ kind, key }: LedgerEvent['movement']) => ({ id: `txn_${kind}`, merchant: 'default', provider: 'any', kind, key });
  const folded = Object.values(groups).map((group) => fold(identity(firstOf(group).movement), group ?? []));
  return Object.fromEntries(folded.map((transaction) => [transaction.kind, transaction]));
}

const ENDS: Readonly<Partial<Record<ScenarioName, readonly string[]>>> = {
  happy: ['succeeded'],
  duplicate: ['succeeded'],
  'out-of-order': ['succeeded'],
  'late-success': ['succeeded'],
  failed: ['failed', 'canceled'],
  refund: ['succeeded'],
  partial: ['partially_succeeded'],
};

for (const one of providers) {
  test(`${one.id}: every story ends as it should, in whatever order it arrives`, () => {
    for (const name of scenarioNames(one)) {
      const events = eventsOf(one, name);
      const [expected, ...others] = orders(events).map(ledgerOf);
      for (const other of others) assert.deepEqual(other, expected, name);
      const wanted = ENDS[name];
      if (wanted !== undefined)
        assert.ok(wanted.includes(expected?.['payment']?.status ?? ''), `${name}: ${expected?.['payment']?.status}`);
      for (const transaction of Object.values(expected ?? {})) {
        assert.ok(!transaction.flags.includes('conflict'), `${one.id} ${name}: ${transaction.flags.join()}`);
        assert.equal(transaction.flags.includes('late'), name === 'late-success' && one.id !== 'makapay', `${one.id} ${name}`);
      }
    }
  });
}
