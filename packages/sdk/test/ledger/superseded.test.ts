import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSuperseded, STATUS_TABLE } from '@paybell/sdk';
import type { Status } from '@paybell/sdk';
import { told } from './build.ts';

const statuses = Object.keys(STATUS_TABLE) as Status[];
const at = (status: Status, minute: number) => told(status, { at: minute });

describe('superseded events', () => {
  for (const [event, seen, verdict] of [
    [at('pending', 1), at('succeeded', 2), true],
    [at('pending', 3), at('succeeded', 2), true],
    [at('created', 1), at('failed', 2), true],
    [at('action_required', 9), at('expired', 2), true],
    [at('created', 1), at('pending', 2), true],
    [at('pending', 3), at('on_hold', 2), false],
    [at('pending', 1), at('on_hold', 2), true],
    [at('failed', 1), at('succeeded', 2), true],
    [at('failed', 3), at('succeeded', 2), false],
    [at('succeeded', 3), at('failed', 2), false],
    [at('succeeded', 1), at('failed', 2), false],
    [at('partially_succeeded', 1), at('failed', 2), false],
    [at('partially_succeeded', 1), at('succeeded', 2), true],
    [at('partially_succeeded', 3), at('succeeded', 2), false],
    [at('succeeded', 1), at('reversed', 2), true],
    [at('succeeded', 3), at('reversed', 2), false],
    [at('failed', 1), at('expired', 2), false],
  ] as const)
    test(`${event.movement.status} of minute ${((event.occurredAt ?? 0) / 60_000) % 60} after ${seen.movement.status} of minute ${((seen.occurredAt ?? 0) / 60_000) % 60}: ${verdict}`, () =>
      assert.equal(isSuperseded(event, seen), verdict));

  test('nothing supersedes itself, nor its like, and no two supersede each other', () => {
    for (const one of statuses)
      for (const other of statuses)
        for (const [a, b] of [
          [1, 1],
          [1, 2],
          [2, 1],
        ] as const) {
          const [event, seen] = [at(one, a), at(other, b)];
          if (one === other) assert.equal(isSuperseded(event, seen), false);
          assert.ok(!(isSuperseded(event, seen) && isSuperseded(seen, event)), `${one} ${a}, ${other} ${b}`);
        }
  });

  test('where nobody gave a time only an end stops what came before it', () => {
    const untimed = (status: Status) => ({ ...at(status, 1), occurredAt: null });
    assert.equal(isSuperseded(untimed('pending'), untimed('succeeded')), true);
    assert.equal(isSuperseded(untimed('created'), untimed('pending')), false);
    assert.equal(isSuperseded(untimed('failed'), untimed('succeeded')), false);
  });
});
