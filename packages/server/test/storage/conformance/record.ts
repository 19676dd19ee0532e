import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Movement, Transaction } from '@paybell/sdk';
import type { It } from '../conformance.ts';
import { bytes, delivery, event, inbound, lease, ME, payment, published, request, T, text } from '../given.ts';

const one = { merchant: null, id: 'evt_1' };

export function recording(it: It): void {
  describe('record', () => {
    it('a request is kept with its exact bytes, its events and the transaction they make', async ({ storage }) => {
      const body = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
      const movement = payment('p1');
      const [answer] = await storage.record([inbound(request('req_1', { body }), event('evt_1', { movement }))]);
      assert.equal(answer?.requestVerdict, 'accepted');
      assert.deepEqual(answer?.events, [{ outcome: 'stored', id: 'evt_1', deliveries: 0, bodies: null }]);
      assert.deepEqual(new Uint8Array((await storage.getRequestBody({ merchant: 'm1', id: 'req_1' })) ?? []), body);
      const [json] = answer?.transactions ?? [];
      const row = JSON.parse(json ?? '{}') as Transaction;
      assert.equal(row.status, 'succeeded');
      const detail = await storage.getTransaction({ merchant: 'm1', id: row.id });
      assert.equal(JSON.stringify(detail?.transaction), json);
      assert.deepEqual(
        detail?.events.map(({ id }) => id),
        ['evt_1'],
      );
    });

    it('an empty body is bytes too', async ({ storage }) => {
      await storage.record([inbound(request('req_1', { body: new Uint8Array(0) }), event('evt_1', { state: 'unmapped' }))]);
      assert.equal((await storage.getRequestBody({ merchant: null, id: 'req_1' }))?.byteLength, 0);
    });

    it('the same fact again is a duplicate: counted, kept as evidence, folded and routed once', async ({ storage }) => {
      const first = inbound(
        request('req_1'),
        event('evt_1', { dedupeKey: 'k', movement: payment('p1'), deliveries: [delivery('dlv_1', 'end_1')] }),
      );
      const again = inbound(
        request('req_2'),
        event('evt_2', { dedupeKey: 'k', movement: payment('p1'), deliveries: [delivery('dlv_2', 'end_1')] }),
      );
      await storage.record([first]);
      const [answer] = await storage.record([again]);
      assert.equal(answer?.requestVerdict, 'duplicate');
      assert.deepEqual(answer?.events, [{ outcome: 'duplicate', id: 'evt_1', deliveries: 1, bodies: null }]);
      assert.deepEqual(answer?.transactions, []);
      assert.equal((await storage.getEvent(one))?.event.duplicates, 1);
      assert.equal((await storage.getRequest({ merchant: null, id: 'req_1' }))?.duplicates, 1);
      assert.equal((await storage.getRequest({ merchant: null, id: 'req_2' }))?.verdict, 'duplicate');
      assert.equal(await storage.getEvent({ merchant: null, id: 'evt_2' }), null);
      assert.equal(await storage.getDelivery({ merchant: null, id: 'dlv_2' }), null);
    });

    it('two of the same fact in one batch are one event', async ({ storage }) => {
      const answers = await storage.record(
        [1, 2].map((n) => inbound(request(`req_${n}`), event(`evt_${n}`, { dedupeKey: 'k', movement: payment('p1') }))),
      );
      assert.deepEqual(
        answers.map(({ events }) => events[0]?.outcome),
        ['stored', 'duplicate'],
      );
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('a storm of duplicates is counted and does not fill the disk', async ({ storage }) => {
      await storage.record(Array.from({ length: 60 }, (_, n) => inbound(request(`req_${n}`), event(`evt_${n}`, { dedupeKey: 'k' }))));
      assert.equal((await storage.getEvent({ merchant: null, id: 'evt_0' }))?.event.duplicates, 59);
      const kept = await storage.listRequests({ merchant: null, verdict: 'duplicate', limit: 100, cursor: null });
      assert.ok(kept.rows.length >= 10 && kept.rows.length <= 30, `${kept.rows.length} are kept`);
    });

    it('the same key with other content is a variant: flagged, its bytes kept, not folded', async ({ storage }) => {
      await storage.record([inbound(request('req_1'), event('evt_1', { dedupeKey: 'k', movement: payment('p1') }))]);
      const other = payment('p1', { amount: { value: '1', exponent: 2, currency: 'KES', text: '0.01' } });
      const [answer] = await storage.record([
        inbound(request('req_2'), event('evt_2', { dedupeKey: 'k', digest: 'other', movement: other })),
      ]);
      assert.equal(answer?.events[0]?.outcome, 'variant');
      assert.equal((await storage.getEvent(one))?.event.variants, 1);
      assert.equal((await storage.getRequest({ merchant: null, id: 'req_2' }))?.reason, 'variant');
      assert.equal(text(await storage.getRequestBody({ merchant: null, id: 'req_2' })), '{"of":"req_2"}');
      const { rows } = await storage.listTransactions({ merchant: null, limit: 5, cursor: null });
      assert.deepEqual(
        rows.map(({ amount }) => amount?.value),
        ['250000'],
      );
    });

    it('keys are told apart by source, and published ones by merchant', async ({ storage }) => {
      const same = { dedupeKey: 'k' };
      const answers = await storage.record([
        inbound(request('req_1'), event('e1', same)),
        inbound(request('req_2', { source: 'src_b' }), event('e2', { ...same, source: 'src_b' })),
        published(event('e3', same)),
        published(event('e4', { ...same, merchant: 'm2' })),
      ]);
      assert.deepEqual(
        answers.map(({ events }) => events[0]?.outcome),
        ['stored', 'stored', 'stored', 'stored'],
      );
    });

    it('several events in one request: each is new or known by itself', async ({ storage }) => {
      await storage.record([inbound(request('req_1'), event('e1', { movement: payment('p1') }))]);
      const mixed = inbound(
        request('req_2'),
        event('x1', { dedupeKey: 'e1', movement: payment('p1') }),
        event('e2', { movement: payment('p2') }),
        event('e3', { movement: payment('p3') }),
      );
      const [answer] = await storage.record([mixed]);
      assert.equal(answer?.requestVerdict, 'accepted');
      assert.deepEqual(
        answer?.events.map(({ outcome }) => outcome),
        ['duplicate', 'stored', 'stored'],
      );
      assert.equal(answer?.transactions.length, 2);
      assert.equal((await storage.getEvent({ merchant: null, id: 'e3' }))?.event.item, 2);
    });

    it('a rejected request is kept in quarantine and passes later, counted once', async ({ storage }) => {
      const rejected = request('req_1', { verdict: 'rejected', reason: 'signature_mismatch', diagnosis: '{"detail":"no"}' });
      await storage.record([{ request: rejected, events: [] }]);
      assert.deepEqual(await storage.check({ now: T }), []);
      assert.equal((await storage.getRequest({ merchant: null, id: 'req_1' }))?.reason, 'signature_mismatch');
      const passed = request('req_1', { known: true, body: rejected.body });
      await storage.record([inbound(passed, event('evt_1', { movement: payment('p1') }))]);
      const row = await storage.getRequest({ merchant: null, id: 'req_1' });
      assert.deepEqual([row?.verdict, row?.reason, row?.diagnosis], ['accepted', null, null]);
      const [provider] = (await storage.stats({ merchant: null, from: T, to: T, bucketMs: 60_000 })).providers;
      assert.deepEqual([provider?.requests, provider?.rejected], [1, 0]);
    });

    it('a quarantined request that was pruned while it was judged again does not lose its bytes', async ({ storage }) => {
      await storage.record([inbound(request('req_gone', { known: true }), event('evt_1', { movement: payment('p1') }))]);
      assert.equal(text((await storage.getEvent(one))?.body ?? null), '{"of":"req_gone"}');
    });

    it('an event that cannot be folded harms no other, not even of its own transaction', async ({ storage }) => {
      const broken = { ...payment('p1'), status: 'no-such-status' } as unknown as Movement;
      const answers = await storage.record([
        inbound(request('r1'), event('e1', { movement: payment('p1', { status: 'pending' }) })),
        inbound(request('r2'), event('e2', { movement: broken })),
        inbound(request('r3'), event('e3', { movement: payment('p2') })),
        inbound(request('r4'), event('e4', { movement: payment('p1'), occurredAt: T + 1 })),
      ]);
      assert.deepEqual(
        answers.map(({ events }) => events[0]?.outcome),
        ['stored', 'stored', 'stored', 'stored'],
      );
      const bad = await storage.getEvent({ merchant: null, id: 'e2' });
      assert.equal(bad?.event.state, 'fold_failed');
      assert.notEqual(bad?.event.note, null);
      const { rows } = await storage.listTransactions({ merchant: null, limit: 5, cursor: null });
      assert.deepEqual(
        rows.map(({ status, version }) => [status, version]),
        [
          ['succeeded', 1],
          ['succeeded', 2],
        ],
      );
      await storage.record([inbound(request('r5'), event('e5', { movement: payment('p1'), occurredAt: T - 1 }))]);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('an arrival that the store cannot take fails alone with its commit, and leaves nothing behind', async ({ storage }) => {
      await storage.record([inbound(request('r1'), event('e1', { movement: payment('p1') }))]);
      const poison = inbound(request('r1'), event('e2', { dedupeKey: 'k2', movement: payment('p2') }));
      await assert.rejects(storage.record([inbound(request('r3'), event('e3', { movement: payment('p3') })), poison]));
      assert.equal(await storage.getRequest({ merchant: null, id: 'r3' }), null);
      const [after] = await storage.record([inbound(request('r4'), event('e4', { dedupeKey: 'k2', movement: payment('p2') }))]);
      assert.equal(after?.events[0]?.outcome, 'stored');
      assert.equal(after?.transactions.length, 1);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    it('deliveries: leased ones are attempt 1, others wait; a transaction body is the row of this commit', async ({ storage }) => {
      const deliveries = [
        delivery('d1', 'end_1', { lease: lease(T + 60_000) }),
        delivery('d2', 'end_2'),
        delivery('d3', 'end_3', { format: 'transaction', body: null, lease: lease(T + 60_000) }),
        delivery('d4', 'end_4', { format: 'request', body: null }),
      ];
      const [answer] = await storage.record([inbound(request('req_1'), event('evt_1', { movement: payment('p1'), deliveries }))]);
      assert.equal(answer?.events[0]?.deliveries, 4);
      assert.deepEqual(Object.keys(answer?.events[0]?.bodies ?? {}), ['d3']);
      assert.equal(answer?.events[0]?.bodies?.['d3'], answer?.transactions[0]);
      const read = async (id: string) => await storage.getDelivery({ merchant: 'm1', id });
      assert.deepEqual([(await read('d1'))?.delivery.attemptCount, (await read('d2'))?.delivery.attemptCount], [1, 0]);
      assert.equal(text((await read('d3'))?.body ?? null), answer?.transactions[0]);
      assert.equal(text((await read('d4'))?.body ?? null), '{"of":"req_1"}');
      assert.equal(
        (await storage.claim({ owner: ME, now: T, until: T + 1, wants: [{ endpoint: 'end_1', turn: 0, max: 9 }] })).deliveries.length,
        0,
      );
    });

    it('a child in the same commit: each row is told once, as it stands at the end', async ({ storage }) => {
      const refund = payment('r1', { kind: 'refund', parent: { kind: 'payment', key: 'p1' } });
      const [, second] = [event('e1', { movement: payment('p1') }), event('e2', { movement: refund })];
      const answers = await storage.record([published(event('e1', { movement: payment('p1') })), published(second)]);
      const told = answers.flatMap(({ transactions }) => transactions.map((json) => JSON.parse(json) as Transaction));
      assert.deepEqual(told.map(({ kind }) => kind).sort(), ['payment', 'refund']);
      const parent = told.find(({ kind }) => kind === 'payment');
      assert.equal(parent?.refundState, 'full');
      const kept = await storage.getTransaction({ merchant: null, id: parent?.id ?? '' });
      assert.deepEqual(kept?.transaction, parent);
      assert.deepEqual(
        kept?.children.map(({ kind }) => kind),
        ['refund'],
      );
    });

    it('other tenants see nothing of it', async ({ storage }) => {
      await storage.record([
        inbound(request('req_1'), event('evt_1', { movement: payment('p1'), deliveries: [delivery('d1', 'end_1', { body: bytes('x') })] })),
      ]);
      const row = (await storage.listTransactions({ merchant: 'm1', limit: 1, cursor: null })).rows[0];
      const seen = await Promise.all([
        storage.getRequest({ merchant: 'm2', id: 'req_1' }),
        storage.getRequestBody({ merchant: 'm2', id: 'req_1' }),
        storage.getEvent({ merchant: 'm2', id: 'evt_1' }),
        storage.getDelivery({ merchant: 'm2', id: 'd1' }),
        storage.getTransaction({ merchant: 'm2', id: row?.id ?? '' }),
        storage.retryDelivery({ merchant: 'm2', id: 'd1', now: T }),
      ]);
      assert.deepEqual(seen, [null, null, null, null, null, null]);
    });
  });
}
