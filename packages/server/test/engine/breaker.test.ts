import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Breaker } from '../../src/engine/deliver/breaker.ts';
import type { Heard } from '../../src/engine/deliver/breaker.ts';
import { CAUSES } from '../../src/engine/deliver/causes.ts';
import type { Cause } from '../../src/engine/deliver/causes.ts';

const calm = { limit: 4, retryAfterMs: null, random: 0.5 };
let made = 0;
const heard = (cause: Cause, now: number, more: Partial<Heard> = {}): Heard => ({
  cause,
  delivery: `dlv_${(made += 1)}`,
  startedAt: now,
  now,
  ...calm,
  ...more,
});

function opened(at = 0): Breaker {
  const breaker = new Breaker();
  for (let n = 0; n < 5; n++) breaker.ended(heard('conn_refused', at));
  assert.equal(breaker.state(at), 'open');
  return breaker;
}

describe('breaker', () => {
  test('five deliveries that fail in a row open it; one success in between begins a new row', () => {
    const breaker = new Breaker();
    for (let n = 0; n < 4; n++) assert.equal(breaker.ended(heard('timeout', n)), null);
    assert.equal(breaker.ended(heard('ok', 4)), null);
    for (let n = 0; n < 4; n++) assert.equal(breaker.ended(heard('timeout', 5 + n)), null);
    assert.equal(breaker.state(9), 'closed');
    assert.equal(breaker.ended(heard('timeout', 9)), 'opened');
    assert.deepEqual([breaker.state(9), breaker.ceiling(9)], ['open', 0]);
  });

  test('one delivery that fails again and again says nothing about the others', () => {
    const breaker = new Breaker();
    for (let n = 0; n < 50; n++) assert.equal(breaker.ended(heard('http_5xx', n * 1000, { delivery: 'dlv_poison' })), null);
    assert.equal(breaker.state(50_000), 'closed');
  });

  test('a 4xx may lie in this one body: it never opens it, and ends a row of failures', () => {
    const breaker = new Breaker();
    for (let n = 0; n < 50; n++) assert.equal(breaker.ended(heard('http_4xx', n)), null);
    for (let n = 0; n < 4; n++) breaker.ended(heard('http_5xx', 60));
    breaker.ended(heard('http_4xx', 61));
    assert.equal(breaker.ended(heard('http_5xx', 62)), null);
  });

  test('our own faults say nothing', () => {
    const breaker = new Breaker();
    for (const cause of ['local_limit', 'interrupted', 'signing_failed', 'request_refused'] as const)
      for (let n = 0; n < 20; n++) assert.equal(breaker.ended(heard(cause, n)), null);
  });

  test('every cause that blames the endpoint or the network, but 4xx and 410, counts', () => {
    for (const [cause, { blames }] of Object.entries(CAUSES) as [Cause, (typeof CAUSES)[Cause]][]) {
      const breaker = new Breaker();
      for (let n = 0; n < 5; n++) breaker.ended(heard(cause, n));
      const counts = (blames === 'endpoint' || blames === 'network') && cause !== 'http_4xx' && cause !== 'gone';
      if (counts) assert.equal(breaker.state(5), 'open', cause);
      else if (blames !== 'config') assert.equal(breaker.state(5), 'closed', cause);
    }
  });

  test('where many calls go at once, as many failures in a row are needed, or ten seconds of nothing else', () => {
    const busy = new Breaker();
    for (let n = 0; n < 15; n++) assert.equal(busy.ended(heard('conn_reset', 0, { limit: 16 })), null);
    assert.equal(busy.ended(heard('conn_reset', 0, { limit: 16 })), 'opened');
    const quiet = new Breaker();
    for (let n = 0; n < 4; n++) assert.equal(quiet.ended(heard('conn_reset', n * 4_000, { limit: 16 })), null);
    assert.equal(quiet.ended(heard('conn_reset', 16_000, { limit: 16 })), 'opened');
  });

  test('one probe when its time has come; each that fails doubles the wait, up to a minute', () => {
    const breaker = opened();
    const waits: number[] = [];
    let now = 0;
    for (let n = 0; n < 8; n++) {
      waits.push(breaker.parkedUntil - now);
      assert.equal(breaker.state(breaker.parkedUntil - 1), 'open');
      now = breaker.parkedUntil;
      assert.deepEqual([breaker.state(now), breaker.ceiling(now)], ['half_open', 1]);
      assert.equal(breaker.ended(heard('timeout', now)), 'opened');
    }
    assert.deepEqual(waits, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('jitter is a fifth each way, and Retry-After makes the wait longer, by an hour at most, never shorter', () => {
    const wait = (more: Partial<Heard>): number => {
      const breaker = new Breaker();
      for (let n = 0; n < 5; n++) breaker.ended(heard('unavailable', 0, more));
      return breaker.parkedUntil;
    };
    assert.deepEqual([wait({ random: 0 }), wait({ random: 0.999_999 })], [1_600, 2_400]);
    assert.deepEqual(
      [wait({ retryAfterMs: 30_000 }), wait({ retryAfterMs: 1 }), wait({ retryAfterMs: 86_400_000 })],
      [30_000, 2_000, 3_600_000],
    );
  });

  test('only the probe decides: what was called before it opened is old news', () => {
    const breaker = opened(1_000);
    assert.equal(breaker.ended(heard('ok', 1_500, { startedAt: 900 })), null);
    assert.equal(breaker.ended(heard('timeout', 1_500, { startedAt: 900 })), null);
    assert.deepEqual([breaker.state(2_999), breaker.parkedUntil], ['open', 3_000]);
    assert.equal(breaker.ended(heard('ok', 3_010, { startedAt: 3_000 })), 'closed');
  });

  test('a probe that failed by our own fault is made again, and counts for nothing', () => {
    const breaker = opened();
    assert.equal(breaker.ended(heard('local_limit', 2_000)), null);
    assert.deepEqual([breaker.state(3_999), breaker.state(4_000)], ['open', 'half_open']);
  });

  test('after a recovery a ramp: from one call, doubling every five seconds; then no ceiling', () => {
    const breaker = opened();
    breaker.ended(heard('ok', 2_000));
    const at = [0, 4_999, 5_000, 10_000, 20_000, 39_999, 40_000].map((ms) => breaker.ceiling(2_000 + ms));
    assert.deepEqual(at, [1, 1, 2, 4, 16, 255, Infinity]);
  });

  test('on the ramp two failures open it again, and it waits longer; a ramp walked to its end forgives', () => {
    const breaker = opened();
    breaker.ended(heard('ok', 2_000));
    breaker.ended(heard('timeout', 3_000));
    assert.equal(breaker.ended(heard('timeout', 3_000)), 'opened');
    assert.equal(breaker.parkedUntil, 7_000);
    breaker.ended(heard('ok', 7_000));
    breaker.ended(heard('ok', 47_000));
    for (let n = 0; n < 4; n++) assert.equal(breaker.ended(heard('timeout', 48_000)), null);
    breaker.ended(heard('timeout', 48_000));
    assert.equal(breaker.parkedUntil, 50_000);
  });

  test('one that was down when the process began gets one probe at once', () => {
    const breaker = new Breaker();
    breaker.suspect(100);
    assert.deepEqual([breaker.state(100), breaker.ceiling(100)], ['half_open', 1]);
    assert.equal(breaker.ended(heard('timeout', 100)), 'opened');
    assert.equal(breaker.parkedUntil, 4_100);
  });

  test('whatever it hears, it always lets a call through again within an hour, and none while it is open', () => {
    const causes = fc.constantFrom(...(Object.keys(CAUSES) as Cause[]));
    const step = fc.record({
      cause: causes,
      wait: fc.integer({ min: 0, max: 100_000 }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e12 })),
      limit: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const breaker = new Breaker();
        let now = 0;
        for (const { wait, ...more } of steps) {
          now += wait;
          if (breaker.ceiling(now) === 0) assert.equal(breaker.state(now), 'open');
          else breaker.ended(heard(more.cause, now, more));
          assert.ok(breaker.parkedUntil <= now + 3_600_000);
          assert.ok(breaker.ceiling(Math.max(now, breaker.parkedUntil)) >= 1);
        }
      }),
    );
  });
});
