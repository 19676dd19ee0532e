import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { claimAll, delivery, event, failedAttempt, inbound, payment, published, request, settlement, T, text } from '../given.ts';
import { expiringApart } from './expire-apart.ts';
import { AGAIN, after, bodyOf, clean, contentOf, DAY, deliverAll, expireAll, LATER, livedIn, STEP } from './expire-steps.ts';

export function expiring(it: It): void {
  describe('expire', () => {
    contents(it);
    steps(it);
    expiringApart(it);
  });
}

function contents(it: It): void {
  it('an event goes with its request and the bodies of its deliveries; what the ledger and dedupe need stays', async ({ storage }) => {
    await livedIn(storage);
    await storage.record([
      inbound(
        request('r1'),
        event('e1', {
          movement: payment('p1', { status: 'pending' }),
          deliveries: [delivery('d1', 'end_1'), delivery('d2', 'end_1', { format: 'request', body: null })],
        }),
      ),
      published(event('e2', { deliveries: [delivery('d3', 'end_1'), delivery('d4', 'end_1')] })),
    ]);
    await deliverAll(storage);
    const before = await storage.getTransaction({
      merchant: null,
      id: (await storage.getEvent({ merchant: null, id: 'e1' }))?.event.transaction ?? '',
    });
    const sum = await expireAll(storage, 'events');
    assert.ok(sum.expired >= 2, `${sum.expired} expired`);
    assert.equal(sum.keptBack, 0);
    assert.ok(sum.bytes > 30, `${sum.bytes} bytes`);
    assert.deepEqual(await contentOf(storage, 'e1'), { data: null, body: null, headers: '[]', expiredAt: LATER });
    assert.deepEqual(await contentOf(storage, 'e2'), { data: null, body: null, headers: null, expiredAt: LATER });
    for (const id of ['d1', 'd2', 'd3', 'd4']) assert.deepEqual(await bodyOf(storage, id), { body: null, expiredAt: LATER }, id);
    const row = await storage.getRequest({ merchant: null, id: 'r1' });
    assert.deepEqual([row?.headers, row?.size, row?.sha256, row?.expiredAt], ['[]', 11, 'r1'.padEnd(64, '0'), LATER]);
    assert.equal(await storage.getRequestBody({ merchant: null, id: 'r1' }), null);
    await clean(storage);

    const [again, variant] = await storage.record([
      inbound(request('r2'), event('e3', { dedupeKey: 'e1', movement: payment('p1', { status: 'pending' }) })),
      inbound(request('r3'), event('e4', { dedupeKey: 'e1', digest: 'other' })),
    ]);
    assert.deepEqual(
      [again?.events[0], variant?.events[0]?.outcome],
      [{ outcome: 'duplicate', id: 'e1', deliveries: 2, bodies: null }, 'variant'],
    );
    await storage.record([inbound(request('r5'), event('e5', { movement: payment('p1'), occurredAt: T + 5 }))]);
    const after = await storage.getTransaction({ merchant: null, id: before?.transaction.id ?? '' });
    assert.deepEqual([before?.transaction.status, after?.transaction.status], ['pending', 'succeeded']);
    assert.deepEqual(after?.events.map(({ id }) => id).sort(), ['e1', 'e5']);
    await clean(storage);
  });

  it('what is younger stays, also where a clock was wrong: row order is almost that of time', async ({ storage }) => {
    const times = [0, 1, 500, 2, 3, 530, 531];
    await storage.record(times.map((day, n) => published(event(`e${n}`, { recordedAt: T + day * DAY }))));
    assert.equal((await expireAll(storage, 'events')).expired, 4);
    const kept = async () => (await Promise.all(times.map((_day, n) => contentOf(storage, `e${n}`)))).map(({ data }) => data !== null);
    assert.deepEqual(await kept(), [false, false, true, false, false, true, true]);
    await clean(storage);
    await expireAll(storage, 'events', after(490));
    assert.deepEqual(await kept(), [false, false, false, false, false, true, true]);
    await clean(storage);
  });

  it('what is pending or leased keeps its body, its own, a shared one or that of its request, until it has ended', async ({ storage }) => {
    await livedIn(storage);
    const raw = { format: 'request', body: null };
    const four = (n: number) => [
      delivery(`f${n}`, 'end_fine'),
      delivery(`d${n}`, `end_${n}`),
      delivery(`q${n}`, `end_${n}`, raw),
      delivery(`p${n}`, 'end_fine', raw),
    ];
    await storage.record([1, 2].map((n) => inbound(request(`r${n}`), event(`e${n}`, { deliveries: four(n) }))));
    await deliverAll(storage, 'end_fine');
    const leased = await claimAll(storage, 'end_1');
    assert.equal(leased.length, 2);
    const pending = async (): Promise<(string | null)[]> =>
      Promise.all(['d1', 'q1', 'd2', 'q2'].map(async (id) => (await bodyOf(storage, id)).body));
    const whole = ['body of f1', '{"of":"r1"}', 'body of f2', '{"of":"r2"}'];
    assert.ok((await expireAll(storage, 'events')).keptBack > 0);
    assert.deepEqual(await pending(), whole);
    await clean(storage);
    await expireAll(storage, 'events', after(30));
    assert.deepEqual(await pending(), whole);
    const late = await claimAll(storage, 'end_2', { now: LATER + 30 * DAY });
    assert.deepEqual(
      late.map(({ id, body }) => `${id} ${text(body)}`),
      ['d2 body of f2', 'q2 {"of":"r2"}'],
    );
    assert.deepEqual(
      late.map(({ requestHeaders }) => requestHeaders === null),
      [true, false],
    );
    await storage.settle(leased.map((job) => settlement(job)));
    await expireAll(storage, 'events', after(60));
    assert.deepEqual(await pending(), [null, null, ...whole.slice(2)]);
    for (const id of ['e1', 'd1', 'q1', 'f1', 'p1'])
      assert.notEqual((await (id === 'e1' ? contentOf(storage, id) : bodyOf(storage, id))).expiredAt, null, id);
    await clean(storage);
    await storage.settle(late.map((job) => settlement(job)));
    await expireAll(storage, 'events', after(90));
    assert.deepEqual(await pending(), [null, null, null, null]);
    await clean(storage);
  });

  it('what is kept longer for a pending delivery may be sent again until it goes', async ({ storage }) => {
    await livedIn(storage);
    await storage.record([published(event('e1', { deliveries: [delivery('d1', 'end_1')] }))]);
    await expireAll(storage, 'events');
    const [job] = await claimAll(storage, 'end_1', { now: LATER });
    assert.ok(job);
    await storage.settle([settlement(job, { attempt: failedAttempt(1), next: { status: 'failed' } })]);
    const { body, expiredAt } = await bodyOf(storage, 'd1');
    assert.deepEqual([body, expiredAt], ['body of d1', null]);
    assert.equal((await storage.retryDelivery({ merchant: null, id: 'd1', now: LATER }))?.status, 'pending');
    await deliverAll(storage, 'end_1', LATER + 1000);
    await expireAll(storage, 'events', after(30));
    assert.equal((await storage.retryDelivery({ merchant: null, id: 'd1', now: LATER }))?.status, 'succeeded');
    assert.equal((await bodyOf(storage, 'd1')).body, null);
    await clean(storage);
  });

  it('the events of one request go together', async ({ storage }) => {
    await storage.record([
      inbound(
        request('r1'),
        event('e1', { deliveries: [delivery('d1', 'end_1')] }),
        event('e2', { deliveries: [delivery('d2', 'end_2', { format: 'request', body: null })] }),
        event('e3'),
      ),
    ]);
    await deliverAll(storage, 'end_1');
    assert.ok((await expireAll(storage, 'events', { rows: 2 })).keptBack > 0);
    assert.equal((await bodyOf(storage, 'd2')).body, '{"of":"r1"}');
    const since = async () => (await Promise.all(['e1', 'e2', 'e3'].map((id) => contentOf(storage, id)))).map(({ expiredAt }) => expiredAt);
    assert.equal(new Set(await since()).size, 1);
    await deliverAll(storage, 'end_2');
    await expireAll(storage, 'events', after(30));
    const gone = await since();
    assert.ok(gone[0] !== null && new Set(gone).size === 1, JSON.stringify(gone));
    assert.equal((await bodyOf(storage, 'd2')).body, null);
    await clean(storage);
  });

  it('what has expired is not sent again', async ({ storage }) => {
    await storage.record([
      inbound(
        request('r1'),
        event('e1', { deliveries: [delivery('d1', 'end_1'), delivery('d2', 'end_1', { format: 'request', body: null })] }),
      ),
      published(event('e2', { deliveries: [delivery('d3', 'end_1')] })),
    ]);
    await deliverAll(storage);
    await expireAll(storage, 'events');
    for (const id of ['d1', 'd2', 'd3'])
      assert.equal((await storage.retryDelivery({ merchant: null, id, now: LATER }))?.status, 'succeeded', id);
    const added = ['e1', 'e2'].map((id) => ({ ...delivery(`again_${id}`, 'end_1'), event: id, createdAt: LATER }));
    assert.deepEqual(await storage.addDeliveries(added), []);
    assert.equal((await claimAll(storage, 'end_1', { now: LATER + DAY })).length, 0);
    await clean(storage);
  });
}

function steps(it: It): void {
  it('a step is bounded by rows and by bytes; the next one goes on, also in another process', async ({ storage, reopen }) => {
    await livedIn(storage);
    await storage.record(Array.from({ length: 25 }, (_, n) => inbound(request(`r${n}`, { body: new Uint8Array(1000) }), event(`e${n}`))));
    const gone = async (from: Storage): Promise<number> =>
      (await from.listRequests({ merchant: null, limit: 100, cursor: null })).rows.filter(({ expiredAt }) => expiredAt !== null).length;
    if (!storage.shared) {
      const one = await storage.expire({ ...STEP, what: 'events', rows: 10 });
      assert.deepEqual([one.expired, one.more, await gone(storage)], [10, true, 10]);
      const two = await storage.expire({ ...STEP, what: 'events', bytes: 2500 });
      assert.deepEqual([two.expired, two.more, await gone(storage)], [3, true, 13]);
    }
    let next = storage;
    let steps = 0;
    for (let more = true; more; steps++) {
      assert.ok(steps < 10, `${steps} steps`);
      next = await reopen();
      ({ more } = await next.expire({ ...STEP, what: 'events', rows: 5 }));
    }
    assert.ok(steps > 2, `${steps} steps`);
    assert.equal(await gone(next), 25);
    assert.equal((await next.expire({ ...STEP, what: 'events', rows: 10 })).expired, 0);
    await clean(next);
  });

  it('while it goes on, everything is recorded, sent and expired once; several at once do no harm', async ({ storage }) => {
    const write = (n: number, at: number) =>
      inbound(
        request(`r${n}`, { receivedAt: at }),
        event(`e${n}`, { recordedAt: at, movement: payment(`p${n % 20}`), occurredAt: at, deliveries: [delivery(`d${n}`, 'end_1')] }),
      );
    await livedIn(storage);
    await storage.record(Array.from({ length: 200 }, (_, n) => write(n, T + n)));
    for (let left = 2; left > 0; left--) await deliverAll(storage);
    const writing = (async () => {
      for (let n = 200; n < 240; n++) {
        await storage.record([
          write(n, LATER + n),
          inbound(request(`again${n}`, { receivedAt: LATER }), event(`again${n}`, { dedupeKey: `e${n - 200}` })),
        ]);
        const jobs = await claimAll(storage, 'end_1', { now: LATER + DAY, max: 5 });
        assert.ok(jobs.every((job) => text(job.body) === `body of ${job.id}`));
        await storage.settle(jobs.map((job) => settlement(job)));
      }
    })();
    const expiring = [1, 2].map(() => expireAll(storage, 'events', { rows: 7, now: LATER }));
    const sums = await Promise.all(expiring);
    await writing;
    const last = await expireAll(storage, 'events', { now: LATER + AGAIN });
    const all = sums.reduce((sum, { expired }) => sum + expired, 0) + last.expired;
    assert.equal(all, storage.shared ? 400 : 200);
    assert.deepEqual([(await contentOf(storage, 'e0')).expiredAt === null, (await contentOf(storage, 'e239')).expiredAt], [false, null]);
    assert.equal((await storage.facts()).accepted, 240);
    await clean(storage);
  });

  it('what is sent again while it expires either goes out whole or not at all', async ({ storage }) => {
    const ids = Array.from({ length: 60 }, (_, n) => `${n}`);
    const raw = { format: 'request', body: null };
    await livedIn(storage);
    await storage.record(ids.map((n) => inbound(request(`r${n}`), event(`e${n}`, { deliveries: [delivery(`d${n}`, 'end_1', raw)] }))));
    await deliverAll(storage);
    const again = ids.map(async (n) => {
      if (Number(n) % 2 === 0) await storage.retryDelivery({ merchant: null, id: `d${n}`, now: LATER });
      else await storage.addDeliveries([{ ...delivery(`again${n}`, 'end_1', raw), event: `e${n}`, createdAt: LATER }]);
    });
    await Promise.all([expireAll(storage, 'events', { rows: 5 }), ...again]);
    await expireAll(storage, 'events', { rows: 50 });
    await clean(storage);
    const jobs = await claimAll(storage, 'end_1', { now: LATER + DAY });
    for (const { event: of, body } of jobs) assert.equal(text(body), `{"of":"r${of.slice(1)}"}`);
    const sent = new Set(jobs.map(({ event: of }) => of));
    assert.equal(sent.size, jobs.length);
    for (const n of ids) if (!sent.has(`e${n}`)) assert.notEqual((await contentOf(storage, `e${n}`)).expiredAt, null, `e${n}`);
  });
}
