/** When a delivery is tried again: pure rules, under any clock and any dice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CAUSES, type Cause } from '../../src/engine/deliver/causes.ts';
import { parseDuration } from '../../src/engine/deliver/durations.ts';
import { judge } from '../../src/engine/deliver/judge.ts';
import { parseRetryAfter } from '../../src/engine/deliver/retry-after.ts';
import { nextTry, planRetries, type RetrySchedule } from '../../src/engine/deliver/schedule.ts';
import type { RetryPolicy } from '../../src/storage/contract.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22);

function plan(policy: RetryPolicy): RetrySchedule {
  const planned = planRetries(policy);
  assert.ok(planned.ok, planned.ok ? '' : planned.problem);
  return planned.schedule;
}

test('durations: what is read and what is refused', () => {
  const good = { '0s': 0, '500ms': 500, '30s': 30_000, '5m': 300_000, '20h': 72_000_000, '3d': 3 * DAY };
  for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms, text);
  for (const text of [
    '',
    '30',
    's',
    '-1s',
    '+1s',
    '1.5h',
    '1e3s',
    ' 1s',
    '1s ',
    '1 s',
    '1S',
    '1w',
    '1h30m',
    'NaNs',
    '٣s',
    '367d',
    '999999999h',
  ])
    assert.equal(parseDuration(text), null, text);
});

test('a list of delays is kept to the millisecond and ends after its last try', () => {
  const schedule = plan({ delays: ['0s', '1m', '5m', '30m', '2h'] });
  const waits = [0, 1, 2, 3, 4, 5].map((failures) => nextTry({ schedule, failures, now: NOW, random: Math.random() }));
  assert.deepEqual(waits, [...[0, 60_000, 300_000, 1_800_000, 7_200_000].map((ms) => ({ at: NOW + ms })), 'exhausted']);
});

test('a formula doubles up to its cap and stays in its window', () => {
  const { delaysMs, jitter } = plan({ first: '10s', factor: 2, cap: '60s', window: '5m' });
  assert.deepEqual(delaysMs, [0, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  assert.equal(jitter, 0.2);
  assert.deepEqual(
    plan({ first: '1m', factor: 1, cap: '1m', window: '3m' }).delaysMs,
    [0, 60_000, 60_000, 60_000],
    'a try at the very end of the window counts',
  );
});

test('policies that make no sense are refused with a sentence', () => {
  const bad: readonly RetryPolicy[] = [
    { delays: [] },
    { delays: ['1m', '5m'] },
    { delays: ['0s', 'soon'] },
    { delays: ['0s'], jitter: 2 },
    { delays: ['0s'], jitter: Number.NaN },
    { delays: Array<string>(101).fill('0s') },
    { first: '0s', factor: 1, cap: '1m', window: '1h' },
    { first: '1s', factor: 1, cap: '1s', window: '30d' },
    { first: '1s', factor: 0.5, cap: '1m', window: '1h' },
    { first: '1s', factor: Number.NaN, cap: '1m', window: '1h' },
    { first: '1m', factor: 2, cap: '30s', window: '1h' },
    { first: '1m', factor: 2, cap: 'x', window: '1h' },
  ];
  for (const policy of bad) {
    const planned = planRetries(policy);
    assert.ok(!planned.ok && planned.problem.endsWith('.'), JSON.stringify(policy));
  }
});

const anyDelays = fc.array(fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('s', 'm', 'h')), { maxLength: 20 });

test('whatever the endpoint says, the next try is a whole number between the jittered delay and 24 hours', () => {
  const header = fc.option(
    fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(
      anyDelays,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(30),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      header,
      (tail, jitter, failures, random, retryAfter) => {
        const schedule = plan({ delays: ['0s', ...tail.map(([n, unit]) => `${n}${unit}`)], jitter });
        const next = nextTry({ schedule, failures, now: NOW, random, retryAfter });
        const nominal = schedule.delaysMs[failures];
        if (nominal === undefined) return assert.equal(next, 'exhausted');
        assert.ok(next !== 'exhausted' && Number.isInteger(next.at));
        const wait = next.at - NOW;
        assert.ok(wait >= Math.floor(nominal * (1 - jitter)), `${wait} is too early`);
        assert.ok(wait <= Math.max(Math.ceil(nominal * (1 + jitter)), DAY), `${wait} is too late`);
        return undefined;
      },
    ),
  );
});

test('HTTP dates read as the platform reads them, in all three forms', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('2000-01-01'), max: new Date('2069-12-31'), noInvalidDate: true }), (date) => {
      const seconds = Math.floor(date.getTime() / 1_000) * 1_000;
      const imf = new Date(seconds).toUTCString();
      const [, day = '', month = '', year = '', time = ''] = imf.replace(',', '').split(' ');
      const long = new Date(seconds).toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
      const wait = Math.max(0, seconds - NOW);
      assert.equal(parseRetryAfter(imf, NOW), wait);
      assert.equal(parseRetryAfter(`${long}, ${day}-${month}-${year.slice(2)} ${time} GMT`, NOW), wait);
      assert.equal(parseRetryAfter(`${imf.slice(0, 3)} ${month} ${String(Number(day)).padStart(2, ' ')} ${time} ${year}`, NOW), wait);
    }),
  );
});

test('a two-digit year more than fifty years ahead is a past one', () => {
  assert.equal(parseRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', NOW), 0);
});

test('only ok succeeds, only gone disables the endpoint, and everything else ends with its tries', () => {
  for (const cause of Object.keys(CAUSES) as Cause[]) {
    const withTries = judge(cause, true);
    const without = judge(cause, false);
    assert.equal(withTries.verdict, cause === 'ok' ? 'succeeded' : 'retry', cause);
    assert.equal('disableEndpoint' in withTries && withTries.disableEndpoint, cause === 'gone', cause);
    assert.deepEqual(without, cause === 'ok' ? { verdict: 'succeeded' } : { verdict: 'failed', disableEndpoint: cause === 'gone' }, cause);
  }
});
