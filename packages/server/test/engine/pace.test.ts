import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../src/engine/deliver/pace.ts';

const CAP = 256;

/** An endpoint that answers in `latency(calls at once)` ms, sent to with as many calls as allowed. Answers with the limits, round by round. */
function run(pace: Pace, rounds: number, latency: (calls: number) => number, { cap = CAP, from = 0 } = {}): number[] {
  let now = from;
  const limits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const calls = pace.limit(cap, now, null);
    const startedAt = now;
    const durationMs = latency(calls);
    now += durationMs;
    for (let n = 0; n < calls; n++) pace.ended({ startedAt, now, durationMs, how: 'ok', full: true, cap });
    limits.push(pace.limit(cap, now, null));
  }
  return limits;
}

describe('pace', () => {
  test('it begins with four calls and doubles while answers come, up to the cap', () => {
    assert.deepEqual(
      run(new Pace(), 8, () => 20),
      [8, 16, 32, 64, 128, 256, 256, 256],
    );
    assert.deepEqual(
      run(new Pace(), 3, () => 20, { cap: 10 }),
      [8, 10, 10],
    );
    assert.deepEqual(
      run(new Pace(), 3, () => 20, { cap: 1 }),
      [1, 1, 1],
    );
  });

  test('a fast endpoint is never slowed down, though its answers take longer under load', () => {
    assert.equal(run(new Pace(), 40, (calls) => 1 + calls / 2).at(-1), CAP);
  });

  test('an endpoint that is slow by nature gets its calls all the same', () => {
    assert.equal(run(new Pace(), 40, () => 8_000).at(-1), CAP);
  });

  test('where more calls only make answers slower, it stops growing', () => {
    for (const alone of [20, 100, 400, 2_000]) {
      const latency = (calls: number): number => alone * Math.max(1, calls / 8);
      const limits = run(new Pace(), 100, latency);
      const last = limits.at(-1) ?? 0;
      assert.ok(last >= 8, `${alone} ms: too few, ${last}`);
      assert.ok(latency(last) <= 1.5 * Math.max(1_000, 4 * alone), `${alone} ms: ${last} calls at once take ${latency(last)} ms`);
    }
  });

  test('an endpoint that became slow for good gets few calls for a while, and then all of them again', () => {
    const pace = new Pace();
    run(pace, 10, () => 50);
    const limits = run(pace, 400, () => 3_000, { from: 10_000 });
    assert.equal(Math.min(...limits), 4);
    assert.ok((limits.at(-1) ?? 0) > 200, `after 400 rounds ${limits.at(-1)}`);
  });

  test('429, 503 and timeouts halve it, once a round; it grows by one a round from there', () => {
    const pace = new Pace();
    run(pace, 10, () => 20);
    const slower = { durationMs: 20, how: 'slower', full: true, cap: CAP } as const;
    for (let n = 0; n < 256; n++) pace.ended({ ...slower, startedAt: 1_000, now: 1_020 });
    assert.equal(pace.limit(CAP, 1_020, null), 128, 'all of them were in flight at the same time');
    pace.ended({ ...slower, startedAt: 1_030, now: 1_050 });
    assert.equal(pace.limit(CAP, 1_050, null), 64);
    assert.deepEqual(
      run(pace, 4, () => 20, { from: 2_000 }),
      [64, 65, 66, 67],
    );
  });

  test('never below one, and back from there', () => {
    const pace = new Pace();
    for (let n = 0; n < 50; n++) pace.ended({ startedAt: n * 10, now: n * 10 + 5, durationMs: 5, how: 'slower', full: true, cap: CAP });
    assert.equal(pace.limit(CAP, 500, null), 1);
    assert.ok((run(pace, 30, () => 20, { from: 600 }).at(-1) ?? 0) >= 7);
  });

  test('answers of an endpoint with little to do say nothing about more', () => {
    const pace = new Pace();
    for (let n = 0; n < 500; n++) pace.ended({ startedAt: n, now: n + 1, durationMs: 1, how: 'ok', full: false, cap: CAP });
    assert.equal(pace.limit(CAP, 500, null), 4);
  });

  test('one that falls silent gets no more than four calls until it answers', () => {
    const pace = new Pace();
    run(pace, 10, () => 20);
    assert.equal(pace.limit(CAP, 5_000, 4_500), CAP, 'for half a second it may think');
    assert.equal(pace.limit(CAP, 5_600, 4_500), 4);
    assert.equal(pace.limit(2, 5_600, 4_500), 2);
    pace.ended({ startedAt: 4_500, now: 5_700, durationMs: 1_200, how: 'ok', full: false, cap: CAP });
    assert.equal(pace.limit(CAP, 5_710, 4_500), CAP);
  });

  test('always a whole number from one to the cap', () => {
    const step = fc.record({
      how: fc.constantFrom('ok' as const, 'slower' as const, 'failed' as const),
      durationMs: fc.integer({ min: 0, max: 60_000 }),
      wait: fc.integer({ min: 0, max: 20_000 }),
      full: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 256 }), (steps, cap) => {
        const pace = new Pace();
        let now = 0;
        for (const { wait, ...answer } of steps) {
          now += wait;
          pace.ended({ ...answer, startedAt: Math.max(0, now - answer.durationMs), now, cap });
          const limit = pace.limit(cap, now, now - wait);
          assert.ok(Number.isInteger(limit) && limit >= 1 && limit <= cap, `limit ${limit} of ${cap}`);
        }
      }),
    );
  });
});
