import assert from 'node:assert/strict';
import type { Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { attempt, bytes, claimAll, delivery, event, failedAttempt, inbound, published, request, settlement, T, text } from '../given.ts';
import { AGAIN, after, bodyOf, clean, contentOf, DAY, deliverAll, expireAll, LATER, livedIn } from './expire-steps.ts';

/** Attempts, and requests that brought no event: each expires by itself. */
export function expiringApart(it: It): void {
  attempts(it);
  aside(it);
}

function attempts(it: It): void {
  const made = async (storage: Storage, id: string) =>
    (await storage.getDelivery({ merchant: null, id }))?.attempts.map(
      ({ n, statusCode, cause, requestHeaders, responseBody, expiredAt }) =>
        `${n} ${statusCode} ${cause} ${requestHeaders === null ? '-' : 'headers'} ${text(responseBody) ?? '-'} ${expiredAt === LATER ? 'expired' : (expiredAt ?? '')}`,
    );

  it('attempts lose headers and answers, and keep when, how and why', async ({ storage }) => {
    await livedIn(storage);
    await storage.record([published(event('e1', { deliveries: [delivery('d1', 'end_1'), delivery('d2', 'end_2')] }))]);
    const [job] = await claimAll(storage, 'end_1');
    assert.ok(job);
    await storage.settle([settlement(job, { attempt: failedAttempt(1), next: { status: 'pending', at: T + 2000 } })]);
    await deliverAll(storage, 'end_1', T + 3000);
    const sum = await expireAll(storage, 'attempts');
    assert.ok(sum.expired > 0);
    assert.ok(sum.bytes > 20);
    assert.deepEqual(await made(storage, 'd1'), ['1 500 http_5xx - - expired', '2 200 ok - - expired']);
    assert.equal((await bodyOf(storage, 'd1')).body, 'body of d1');
    const { status, attemptCount, statusCode, finishedAt } = (await storage.getDelivery({ merchant: null, id: 'd1' }))?.delivery ?? {};
    assert.deepEqual([status, attemptCount, statusCode, finishedAt], ['succeeded', 2, 200, T + 50]);
    await clean(storage);
  });

  it('what is tried again by hand expires again, each attempt by its own age', async ({ storage }) => {
    await storage.record([published(event('e1', { deliveries: [delivery('d1', 'end_1')] }))]);
    await deliverAll(storage);
    await expireAll(storage, 'attempts');
    assert.deepEqual(await made(storage, 'd1'), ['1 200 ok - - expired']);
    await storage.retryDelivery({ merchant: null, id: 'd1', now: LATER });
    const [job] = await claimAll(storage, 'end_1', { now: LATER });
    assert.ok(job);
    await storage.settle([settlement(job, { attempt: attempt(2, { startedAt: LATER }), finishedAt: LATER })]);
    assert.equal((await expireAll(storage, 'attempts', { now: LATER })).expired, 0);
    assert.deepEqual(await made(storage, 'd1'), ['1 200 ok - - expired', '2 200 ok headers thanks ']);
    await expireAll(storage, 'attempts', { now: LATER + 2 * AGAIN, before: LATER + AGAIN });
    assert.deepEqual(await made(storage, 'd1'), ['1 200 ok - - expired', `2 200 ok - - ${LATER + 2 * AGAIN}`]);
    await clean(storage);
  });
}

function aside(it: It): void {
  it('repeats lose their bytes, the quarantine goes as a whole, each by its own age', async ({ storage }) => {
    await livedIn(storage);
    const rejected = (n: number) => ({
      request: request(`q${n}`, { verdict: 'rejected', receivedAt: T + n * 40 * DAY, body: bytes('forged') }),
      events: [],
    });
    const repeat = (n: number) => inbound(request(`r${n}`, { receivedAt: T + n * 40 * DAY }), event(`x${n}`, { dedupeKey: 'e1' }));
    await storage.record([inbound(request('first'), event('e1')), ...[0, 1, 2, 3].flatMap((n) => [rejected(n), repeat(n)])]);
    const left = async (): Promise<string[]> =>
      (await storage.listRequests({ merchant: null, limit: 50, cursor: null, oldestFirst: true })).rows.map(
        ({ id, expiredAt }) => `${id}${expiredAt === null ? '' : ' expired'}`,
      );
    const quarantine = await expireAll(storage, 'quarantine', { before: T + 100 * DAY, rows: 1 });
    assert.deepEqual([quarantine.expired, quarantine.bytes], [3, 18]);
    for (const what of ['duplicates', 'events'] as const) await expireAll(storage, what, { ...after(70), rows: 2 });
    assert.deepEqual(await left(), ['first expired', 'r0 expired', 'r1 expired', 'r2 expired', 'q3', 'r3']);
    assert.equal(text(await storage.getRequestBody({ merchant: null, id: 'q3' })), 'forged');
    assert.equal((await expireAll(storage, 'duplicates', after(70))).expired, 0);
    await clean(storage);
  });

  it('a quarantined request that passes later expires with its event', async ({ storage }) => {
    await storage.record([{ request: request('r1', { verdict: 'rejected' }), events: [] }]);
    await storage.record([inbound(request('r1', { known: true }), event('e1'), event('e2'))]);
    await clean(storage);
    assert.equal((await expireAll(storage, 'quarantine')).expired, 0);
    assert.equal((await expireAll(storage, 'events')).expired, 1);
    assert.deepEqual([(await contentOf(storage, 'e2')).expiredAt, (await contentOf(storage, 'e1')).expiredAt], [LATER, LATER]);
    await clean(storage);
  });
}
