/** Section A of the fault catalogue, A18-A28: what each status means, and what is never done about it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSES } from '../../src/engine/deliver/causes.ts';
import { judge } from '../../src/engine/deliver/judge.ts';
import { nextTry, planRetries } from '../../src/engine/deliver/schedule.ts';
import type { SendResult } from '../../src/engine/ports.ts';
import { answer } from './fault-server.ts';
import { request, withServer } from './setup.ts';

const SUCCESS = { verdict: 'succeeded' };
const RETRY = { verdict: 'retry', slowDown: false, disableEndpoint: false };
const SLOWER = { ...RETRY, slowDown: true };
const DISABLE = { ...RETRY, disableEndpoint: true };

const statuses: readonly (readonly [number, SendResult['cause'], object])[] = [
  [200, 'ok', SUCCESS],
  [201, 'ok', SUCCESS],
  [202, 'ok', SUCCESS],
  [204, 'ok', SUCCESS],
  [299, 'ok', SUCCESS],
  [300, 'redirect_not_followed', RETRY],
  [304, 'redirect_not_followed', RETRY],
  [400, 'http_4xx', RETRY],
  [401, 'http_4xx', RETRY],
  [403, 'http_4xx', RETRY],
  [404, 'http_4xx', RETRY],
  [422, 'http_4xx', RETRY],
  [410, 'gone', DISABLE],
  [429, 'rate_limited', SLOWER],
  [500, 'http_5xx', RETRY],
  [501, 'http_5xx', RETRY],
  [502, 'bad_gateway', SLOWER],
  [503, 'unavailable', SLOWER],
  [504, 'bad_gateway', SLOWER],
  [599, 'http_5xx', RETRY],
  [600, 'bad_status', RETRY],
];

test('A19, A24-A28 each status has its cause and its consequence', () =>
  withServer({ onRequest: ({ socket, head }) => answer(socket, /status=(\d+)/.exec(head)?.[1] ?? '') }, async (server, sender) => {
    for (const [status, cause, judgement] of statuses) {
      const result = await sender.send(request(`http://127.0.0.1:${server.port}/hook?status=${status}`));
      assert.deepEqual([result.status, result.cause], [status, cause]);
      assert.deepEqual(judge(result.cause, true), judgement, `status ${status}`);
      assert.equal(judge(result.cause, false).verdict, cause === 'ok' ? 'succeeded' : 'failed');
    }
  }));

for (const status of [301, 302, 303, 307, 308]) {
  test(`A21-A23 ${status} is shown and never followed`, () =>
    withServer(
      {
        onRequest: ({ socket, head }) =>
          answer(socket, `${status} Moved`, [
            head.startsWith('POST /loop') ? 'location: /loop' : 'location: http://169.254.169.254/latest/meta-data',
          ]),
      },
      async (server, sender) => {
        for (const path of ['/loop', '/away']) {
          const result = await sender.send(request(`http://127.0.0.1:${server.port}${path}`));
          assert.deepEqual([result.cause, result.status], ['redirect_not_followed', status]);
          assert.equal(typeof result.headers['location'], 'string');
        }
        assert.equal(server.heads.length, 2, 'one request each');
      },
    ));
}

test('A18 cookies are not kept', () =>
  withServer({ onRequest: ({ socket }) => answer(socket, '200 OK', ['set-cookie: a=1', 'set-cookie: b=2']) }, async (server, sender) => {
    const url = `http://127.0.0.1:${server.port}/`;
    const first = await sender.send(request(url));
    await sender.send(request(url));
    assert.deepEqual(first.headers['set-cookie'], ['a=1', 'b=2']);
    assert.ok(server.heads.every((head) => !/cookie/i.test(head)));
  }));

test('A26-A28 Retry-After reaches the schedule, which is never made shorter or NaN by it', () =>
  withServer(
    {
      onRequest: ({ socket, head }) =>
        answer(socket, '503 Busy', [`retry-after: ${decodeURIComponent(/after=(\S*)/.exec(head)?.[1] ?? '')}`]),
    },
    async (server, sender) => {
      const plan = planRetries({ delays: ['0s', '1m', '5m'] });
      assert.ok(plan.ok);
      const now = Date.UTC(2026, 10, 22, 12, 0, 0);
      const waits: readonly (readonly [string, number])[] = [
        ['120', 120],
        ['5', 60],
        ['999999999999', 86_400],
        ['Sun, 22 Nov 2026 12:10:00 GMT', 600],
        ['Sunday, 22-Nov-26 12:10:00 GMT', 600],
        ['Sun Nov 22 12:10:00 2026', 600],
        ['Sat, 21 Nov 2026 12:00:00 GMT', 60],
        ['-5', 60],
        ['1e9', 60],
        ['soon', 60],
        ['Sun, 31 Feb 2027 12:00:00 GMT', 60],
      ];
      for (const [retryAfter, seconds] of waits) {
        const result = await sender.send(request(`http://127.0.0.1:${server.port}/?after=${encodeURIComponent(retryAfter)}`));
        assert.equal(result.retryAfter, retryAfter);
        assert.deepEqual(
          nextTry({ schedule: plan.schedule, failures: 1, now, retryAfter: result.retryAfter, random: 0.5 }),
          { at: now + seconds * 1_000 },
          retryAfter,
        );
      }
    },
  ));

test('every cause has a sentence, and a hint wherever something can be done', () => {
  for (const [code, { sentence, hint, blames }] of Object.entries(CAUSES)) {
    assert.match(sentence, /^[A-Z].*\.$/, code);
    assert.ok(hint !== '' || blames === 'nobody' || blames === 'paybell', code);
  }
});
