import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Storage } from '../../../src/storage/contract.ts';
import type { It } from '../conformance.ts';
import { claimAll, delivery, event, inbound, payment, published, request, settlement, T } from '../given.ts';

/** One violation of each invariant, as SQL that any driver's tables understand. */
const FAULTS: readonly (readonly [invariant: string, what: string, sql: string])[] = [
  ['event_in_log', 'an acknowledged event is gone', `DELETE FROM events WHERE id = 'e3'`],
  ['event_in_log', 'one event of a request with two is gone', `DELETE FROM events WHERE id = 'e5'`],
  ['bytes_are_kept', 'the bytes of a request are gone', `UPDATE requests SET body = NULL WHERE id = 'r3'`],
  ['bytes_are_kept', 'the bytes of a request are cut', `UPDATE requests SET size = size + 1 WHERE id = 'r4'`],
  ['bytes_are_kept', 'the request of an event is gone', `DELETE FROM requests WHERE id = 'r1'`],
  ['bytes_are_kept', 'the data of a published event is gone', `UPDATE events SET data = NULL WHERE id = 'e6'`],
  ['bytes_are_kept', 'the body of a delivery is gone', `UPDATE payloads SET body = NULL`],
  ['bytes_are_kept', 'the headers of an attempt are gone', `UPDATE attempts SET response_headers = NULL`],
  ['pending_has_body', 'the body of a pending delivery expired', `UPDATE payloads SET body = NULL, expired_at = ${T}`],
  ['one_fact_once', 'one key stands twice in the log', `UPDATE events SET dedupe_key = 'e1' WHERE id = 'e2'`],
  ['event_in_ledger', 'a transaction is gone', `DELETE FROM transactions WHERE key = 'p1'`],
  ['event_in_ledger', 'an event is not part of its transaction', `UPDATE events SET previous = NULL WHERE id = 'e2'`],
  ['routed_has_delivery', 'a delivery is gone', `DELETE FROM deliveries WHERE id = 'd1'`],
  ['delivery_has_event', 'a delivery is of no event', `UPDATE deliveries SET event = 'no-such' WHERE id = 'd1'`],
  [
    'success_has_attempt',
    'a success was never tried',
    `UPDATE deliveries SET status = 'succeeded', due_at = NULL, finished_at = ${T} WHERE id = 'd1'`,
  ],
  ['finished_is_final', 'a pending delivery is never due', `UPDATE deliveries SET due_at = NULL WHERE id = 'd1'`],
  ['order_moves', 'a delivery waits for none', `UPDATE deliveries SET ordered = 2 WHERE id = 'd1'`],
  [
    'superseded_by',
    'a delivery was overtaken by none',
    `UPDATE deliveries SET status = 'failed', cause = 'superseded', due_at = NULL, finished_at = ${T} WHERE id = 'd1'`,
  ],
  ['lease_in_time', 'a lease ended long ago', `UPDATE deliveries SET owner = 'node_9', due_at = ${T - 3_600_000} WHERE id = 'd1'`],
  [
    'ledger_is_fold',
    'a status was changed by hand',
    `UPDATE transactions SET doc = replace(doc, '"succeeded"', '"failed"') WHERE key = 'p1'`,
  ],
  [
    'ledger_is_fold',
    'an event says something else now',
    `UPDATE events SET movement = replace(movement, '250000', '250001') WHERE id = 'e2'`,
  ],
  ['money_adds_up', 'a sum was changed by hand', `UPDATE tallies SET value = '1' WHERE slot = -1 AND name = 'money' AND count > 0`],
  ['books_balance', 'an event is gone, its delivery is not', `DELETE FROM events WHERE id = 'e2'`],
];

async function fill(storage: Storage): Promise<void> {
  await storage.record([
    inbound(request('r1'), event('e1', { movement: payment('p1', { status: 'pending' }) })),
    inbound(
      request('r2'),
      event('e2', { movement: payment('p1'), occurredAt: T + 1, deliveries: [delivery('d1', 'end_1'), delivery('d2', 'end_2')] }),
    ),
    inbound(request('r3'), event('e3', { state: 'unmapped' })),
    inbound(request('r5'), event('e4'), event('e5')),
    published(event('e6')),
    { request: request('r4', { verdict: 'rejected', reason: 'signature_missing' }), events: [] },
  ]);
  const [job] = await claimAll(storage, 'end_2');
  if (job === undefined) throw new Error('Nothing was due.');
  await storage.settle([settlement(job)]);
}

export function checks(it: It): void {
  describe('check', () => {
    it('finds nothing where all is right', async ({ storage }) => {
      assert.deepEqual(await storage.check({ now: T }), []);
      await fill(storage);
      assert.deepEqual(await storage.check({ now: T }), []);
    });

    for (const [invariant, what, sql] of FAULTS) {
      it(`${invariant}: ${what}`, async ({ storage, plant }) => {
        await fill(storage);
        await plant(sql);
        const findings = await storage.check({ now: T });
        const names = findings.map((finding) => finding.invariant);
        assert.ok(names.includes(invariant), `found ${names.join(', ') || 'nothing'}`);
        assert.ok(findings.every(({ sentence }) => /^\S.*\.$/.test(sentence)));
      });
    }

    it('what is written meanwhile is no contradiction', async ({ storage }) => {
      const write = (n: number, round: number) =>
        inbound(request(`r${n}_${round}`), event(`e${n}_${round}`, { movement: payment(`p${n}`), occurredAt: T + round }));
      await storage.record(Array.from({ length: 400 }, (_, n) => write(n, 0)));
      let writing = true;
      const writes = (async () => {
        for (let n = 0; n < 60; n++) await storage.record([write(1000 + n, 1), write(n, 1)]);
        writing = false;
      })();
      for (let n = 0; writing && n < 100; n++) assert.deepEqual(await storage.check({ now: T }), []);
      await writes;
      assert.deepEqual(await storage.check({ now: T }), []);
    });
  });
}
