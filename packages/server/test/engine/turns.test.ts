import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Lane } from '../../src/engine/deliver/lane.ts';
import type { LeasedDelivery, NewDelivery, Turn } from '../../src/storage/contract.ts';
import { held, LOOK_MS, makeWorld, START } from '../support/world.ts';
import type { World } from '../support/world.ts';

const job = (turn: Turn, n = 0): LeasedDelivery => ({
  id: `${turn}.${n}`,
  merchant: 'm',
  endpoint: 'e',
  event: 'x',
  eventType: 'a.b',
  transaction: null,
  format: 'request',
  body: new Uint8Array(0),
  requestHeaders: null,
  attempt: 1,
  failures: 0,
  leasedAt: 0,
  leaseUntil: 0,
  turn,
  createdAt: 0,
});

function laneWith(counts: readonly [number, number, number]): Lane {
  const lane = new Lane('e', 'm');
  for (const turn of [0, 1, 2] as const) for (let n = 0; n < counts[turn]; n++) lane.push(job(turn, n));
  return lane;
}

/** The turns of the next calls, one in flight at a time. */
const order = (lane: Lane, calls: number): Turn[] =>
  Array.from({ length: calls }, () => lane.next(1)?.turn).filter((turn): turn is Turn => turn !== undefined);

/** How many calls of each turn are under way when as many as may have started. */
function fill(lane: Lane, cap: number): number[] {
  const flying = [0, 0, 0];
  for (let next = lane.next(cap); next !== undefined; next = lane.next(cap)) {
    lane.started(next, 0);
    flying[next.turn]! += 1;
  }
  return flying;
}

describe('turns within a lane', () => {
  test('first tries go before retries, those before bulk; of each turn the oldest first', () => {
    const lane = laneWith([3, 3, 3]);
    const ids = Array.from({ length: 10 }, () => lane.next(1)?.id);
    assert.deepEqual(ids, ['0.0', '0.1', '0.2', '1.0', '1.1', '1.2', '2.0', '2.1', '2.2', undefined]);
  });

  test('none starves: while all wait, one call in nine is a retry and one in 33 is bulk', () => {
    const first = order(laneWith([1_000, 1_000, 1_000]), 330);
    assert.deepEqual(first.slice(0, 9), [0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert.equal(first.indexOf(2), 32);
    const count = (turn: Turn) => first.filter((one) => one === turn).length;
    assert.deepEqual([count(2), count(0) > 270, count(1) > 30], [10, true, true]);
  });

  test('a turn that has waited for nothing has no patience saved up', () => {
    const lane = laneWith([100, 0, 0]);
    order(lane, 50);
    lane.push(job(1));
    assert.deepEqual(order(lane, 9), [0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('retries leave an eighth of the cap free and bulk half of it, and every turn may use a cap of one', () => {
    assert.deepEqual(fill(laneWith([0, 0, 50]), 16), [0, 0, 8]);
    assert.deepEqual(fill(laneWith([0, 50, 50]), 16), [0, 14, 0]);
    assert.deepEqual(fill(laneWith([50, 50, 50]), 16), [15, 1, 0]);
    for (const turn of [0, 1, 2] as const) {
      const lane = new Lane('e', 'm');
      lane.push(job(turn));
      assert.equal(fill(lane, 1)[turn], 1);
    }
    const lane = laneWith([0, 0, 50]);
    fill(lane, 16);
    assert.equal(lane.ready(16), false);
    lane.push(job(0));
    assert.deepEqual([lane.ready(16), lane.next(16)?.turn], [true, 0]);
  });

  test('late work holds few leases ahead and takes no room from first tries', () => {
    const lane = new Lane('e', 'm');
    // 2,000 calls a second for a while.
    for (let now = 1; now < 5_000; now++) {
      for (let n = 0; n < 2; n++) {
        lane.started(job(0), now);
        lane.ended(job(0), now);
      }
    }
    const room = ([0, 1, 2] as const).map((turn) => lane.room(turn, 16));
    const [first = 0, retries = 0, bulk = 0] = room;
    assert.ok(first > 7_000 && first <= 8_016, `first tries ${first}`);
    assert.ok(retries <= 1_014 && bulk <= 1_014, `late ${retries} ${bulk}`);
    for (let n = 0; n < retries; n++) lane.push(job(1, n));
    for (let n = 0; n < bulk; n++) lane.push(job(2, n));
    assert.deepEqual(
      ([0, 1, 2] as const).map((turn) => lane.room(turn, 16)),
      [first, 0, 0],
    );
    assert.equal(lane.wants(2, 16), 0);
  });

  test('of an endpoint whose speed nobody knows thousands are held ahead, of one that is known to be slow few', () => {
    const lane = new Lane('e', 'm');
    assert.deepEqual([lane.room(0, 4), lane.room(1, 4), lane.room(2, 4)], [4_004, 7, 6]);
    // Four calls a second.
    for (let now = 250; now < 5_000; now += 250) {
      lane.started(job(0), now);
      lane.ended(job(0), now);
    }
    assert.equal(lane.room(0, 4), 4 + 16);
    lane.slowDown();
    assert.equal(lane.room(0, 4), 4 + 4);
  });

  test('large bodies fill the room of all lanes of a process; what is sent or given back makes room again', () => {
    const held = { bytes: 0 };
    const [lane, other] = [new Lane('e', 'm', held), new Lane('f', 'm', held)];
    const large = { ...job(0), body: new Uint8Array(1024 * 1024) };
    for (let n = 0; n < 65; n++) lane.push(large);
    assert.deepEqual([lane.room(0, 16), other.room(0, 16)], [16 - 65, 16]);
    assert.equal(lane.next(16), large);
    assert.equal(other.room(0, 16), 4_016);
    assert.equal(lane.drain().length, 64);
    assert.equal(held.bytes, 0);
  });
});

const kind = (world: World, index: number): string =>
  (JSON.parse(Buffer.from(world.calls[index]?.request.body ?? []).toString()) as { type: string }).type;
const many = (type: string, count: number) => Array.from({ length: count }, () => ({ type, data: null }));

/** Counts the deliveries that were recorded with a lease and without. */
function counting(counts: { leased: number; stored: number }) {
  return (storage: World['storage']): World['storage'] =>
    new Proxy(storage, {
      get(target, name) {
        if (name !== 'record') return Reflect.get(target, name);
        return (arrivals: Parameters<typeof storage.record>[0]) => {
          for (const { events } of arrivals)
            for (const { deliveries } of events)
              for (const { lease } of deliveries as readonly NewDelivery[]) counts[lease === null ? 'stored' : 'leased'] += 1;
          return target.record(arrivals);
        };
      },
    });
}

describe('turns at an endpoint', () => {
  test('new events go before 300 retries that are due; the retries are not starved by them', async () => {
    const counts = { leased: 0, stored: 0 };
    const world = await makeWorld({ wrap: counting(counts) });
    await world.endpoint({ retry: { delays: ['0s', '5m'] }, maxInFlight: 2 });
    world.answer(400);
    await world.engine.publish('default', many('old.one', 300));
    await world.advance(10_000);
    assert.equal(world.calls.length, 300);
    counts.leased = counts.stored = 0;
    const open: ReturnType<typeof held>[] = [];
    world.answer(() => {
      const call = held();
      open.push(call);
      return call.result;
    });
    // The retries are due, and as many as may be are under way.
    await world.advance(300_000);
    const retrying = world.calls.length - 300;
    assert.equal(retrying, 1, 'a retry leaves a call free');
    await world.engine.publish('default', many('new.one', 40));
    await world.advance(0);
    assert.equal(kind(world, 301), 'new.one', 'sent at once');
    assert.ok(counts.leased > 0, 'leased with its commit, though retries wait in the store');
    for (let n = 0; n < 44; n++) {
      open.shift()?.end(200);
      await world.advance(LOOK_MS);
    }
    const sent = Array.from({ length: 44 }, (_, n) => kind(world, 302 + n));
    const waited = sent.lastIndexOf('new.one');
    assert.equal(sent.filter((type) => type === 'new.one').length, 39);
    assert.ok(waited <= 44, `the last new one went at ${waited}`);
    assert.ok(sent.slice(0, waited).filter((type) => type === 'old.one').length >= 3, 'retries have their share');
    await world.stop();
  });

  test('a live event goes before what is sent again in bulk, leased or not', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ maxInFlight: 4 });
    const [old] = await world.engine.publish('default', many('old.one', 1));
    await world.advance(100);
    const lease = { owner: 'node_1', until: START + 60_000 };
    const filter = { since: 0, until: START, endpoint, status: null, types: null, source: null, transaction: null };
    const resend = { id: 'rsd_1', merchant: 'default', filter, perSecond: 100, events: 1, deliveries: 500, createdAt: START, lease };
    await world.storage.saveResend(resend);
    const bulk = Array.from({ length: 500 }, (_, n) => ({
      id: `dlv_bulk${n}`,
      endpoint,
      format: 'provider:paybell',
      body: Buffer.from('{"type":"bulk.one"}'),
      lease: null,
      event: old?.id ?? '',
      createdAt: START,
    }));
    await world.storage.stepResend({ id: 'rsd_1', lease, from: null, cursor: null, deliveries: bulk, now: START });
    const open: ReturnType<typeof held>[] = [];
    world.answer(() => {
      const call = held();
      open.push(call);
      return call.result;
    });
    await world.advance(6_000);
    assert.equal(world.calls.length, 3, 'bulk takes half of the calls at most');
    await world.engine.publish('default', many('new.one', 2));
    await world.advance(0);
    assert.deepEqual([kind(world, 3), kind(world, 4)], ['new.one', 'new.one']);
    world.answer(200);
    for (const call of open) call.end(200);
    await world.advance(60_000);
    assert.equal((await world.storage.facts()).pending, 0);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
