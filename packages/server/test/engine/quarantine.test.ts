import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/engine/refusal.ts';
import { inbound, makeWorld, profile, secretOf } from '../support/world.ts';
import type { World } from '../support/world.ts';

const HOUR = 3_600_000;

async function requests(world: World) {
  return (await world.storage.listRequests({ merchant: null, limit: 100, cursor: null, oldestFirst: true })).rows;
}

describe('quarantine', () => {
  test('a request that does not verify is kept with its bytes and why; it is neither folded nor sent', async () => {
    const world = await makeWorld();
    await world.endpoint();
    const source = await world.source('serixpay');
    for (const fault of ['bad-signature', 'no-signature', 'changed-body'] as const) {
      const answer = await world.receive(source, { type: 'payment.completed', fault });
      assert.equal(answer.kind, 'rejected');
    }
    await world.advance(10_000);
    const rows = await requests(world);
    assert.deepEqual(
      rows.map(({ verdict, reason }) => `${verdict} ${reason}`),
      ['rejected signature_mismatch', 'rejected signature_missing', 'rejected signature_mismatch'],
    );
    assert.ok(rows.every(({ diagnosis }) => typeof (JSON.parse(diagnosis ?? '{}') as { detail?: unknown }).detail === 'string'));
    assert.ok(
      rows.every(({ diagnosis }) => !(diagnosis ?? '').includes(source.secrets[0] ?? '-')),
      'no secret in it',
    );
    assert.ok(((await world.storage.getRequestBody({ merchant: null, id: rows[0]?.id ?? '' }))?.byteLength ?? 0) > 0);
    assert.deepEqual([world.calls.length, (await world.storage.facts()).accepted], [0, 0]);
    await world.stop();
  });

  test('judged again by two at once: each request passes once, and none is taken for a repeat of itself', async () => {
    const world = await makeWorld();
    const right = secretOf(profile('stripe'), 11);
    const source = await world.source('stripe');
    await world.receive(source, { type: 'payment_intent.succeeded', secret: right, id: 'evt_1' });
    await world.engine.directory.changeSource(null, source.id, { addSecret: right });
    const sums = await Promise.all([world.engine.reverify(null, source.id), world.engine.reverify(null, source.id)]);
    assert.deepEqual(sums, [
      { checked: 1, accepted: 1, rejected: 0 },
      { checked: 0, accepted: 0, rejected: 0 },
    ]);
    assert.deepEqual(
      (await requests(world)).map(({ verdict }) => verdict),
      ['accepted'],
    );
    await world.stop();
  });

  test('the secret is fixed: what passes now is recorded in order of arrival, folded and sent; what does not stays', async () => {
    const world = await makeWorld();
    await world.endpoint();
    const right = secretOf(profile('stripe'), 11);
    const source = await world.source('stripe');
    const arrived: number[] = [];
    for (const [n, type] of ['payment_intent.created', 'payment_intent.processing', 'payment_intent.succeeded'].entries()) {
      arrived.push(world.clock.now());
      await world.receive(source, { type, secret: right, id: `evt_${n}`, series: 'one', occurredAt: world.clock.now() });
      await world.advance(60_000);
    }
    await world.receive(source, {
      type: 'payment_intent.succeeded',
      secret: secretOf(profile('stripe'), 12),
      id: 'evt_forged',
      series: 'forged',
    });
    // Far outside the tolerance of their timestamps: they are judged as of their arrival.
    world.jump(48 * HOUR);
    await world.engine.directory.changeSource(null, source.id, { addSecret: right });
    const sum = await world.engine.reverify(null, source.id);
    assert.deepEqual(sum, { checked: 4, accepted: 3, rejected: 1 });
    const events = (await world.storage.listEvents({ merchant: null, limit: 9, cursor: null, oldestFirst: true })).rows;
    assert.deepEqual(
      events.map(({ event }) => event.type),
      ['payment_intent.created', 'payment_intent.processing', 'payment_intent.succeeded'],
    );
    assert.deepEqual(
      events.map(({ event }) => event.recordedAt),
      arrived,
    );
    const [row] = (await world.storage.listTransactions({ merchant: null, limit: 9, cursor: null })).rows;
    assert.deepEqual([row?.status, row?.version], ['succeeded', 3]);
    assert.deepEqual(
      (await requests(world)).map(({ verdict }) => verdict),
      ['accepted', 'accepted', 'accepted', 'rejected'],
    );
    await world.advance(1000);
    assert.equal(world.calls.length, 3);
    assert.deepEqual(await world.engine.reverify(null, source.id), { checked: 1, accepted: 0, rejected: 1 });
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('a quarantined repeat of what came rightly is a duplicate, and counts nothing twice', async () => {
    const world = await makeWorld();
    const source = await world.source('serixpay');
    const good = await world.receive(source, { type: 'payment.completed', secret: secretOf(profile('serixpay'), 4), id: 'evt_1' });
    assert.equal(good.kind, 'rejected');
    await world.engine.directory.changeSource(null, source.id, { secrets: [secretOf(profile('serixpay'), 4)] });
    const again = world.engine.directory.source(null, source.id);
    assert.equal((await world.receive(again, { type: 'payment.completed', id: 'evt_1' })).kind, 'accepted');
    await world.engine.reverify(null, source.id);
    assert.deepEqual(
      (await requests(world)).map(({ verdict }) => verdict),
      ['duplicate', 'accepted'],
    );
    assert.equal((await world.storage.facts()).accepted, 1);
    await world.stop();
  });

  test('during a change of secrets both pass; a signature of another source does not', async () => {
    const world = await makeWorld();
    const source = await world.source('altafinex');
    const other = await world.source('altafinex', { secret: secretOf(profile('altafinex'), 8) });
    const changed = await world.engine.directory.changeSource(null, source.id, { addSecret: secretOf(profile('altafinex'), 21) });
    for (const [n, secret] of changed.secrets.entries())
      assert.equal((await world.receive(source, { type: 'payment.pending', id: `evt_${n}`, secret })).kind, 'accepted');
    const stolen = inbound(source, { type: 'payment.pending', now: world.clock.now() });
    assert.equal((await world.engine.accept(other.id, stolen)).kind, 'rejected');
    await world.stop();
  });

  test('an unknown source, and one that is paused, take nothing', async () => {
    const world = await makeWorld();
    const source = await world.source('makapay');
    const call = inbound(source, { type: 'payment.completed', now: world.clock.now() });
    const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
    await assert.rejects(world.engine.accept('src_none', call), refused('unknown_source'));
    await world.engine.directory.changeSource(null, source.id, { active: false });
    await assert.rejects(world.engine.accept(source.id, call), refused('source_paused'));
    await world.engine.directory.deleteSource(null, source.id);
    await assert.rejects(world.engine.accept(source.id, call), refused('unknown_source'));
    assert.equal((await requests(world)).length, 0);
    await world.stop();
  });

  test('a flood of forged requests is kept within bounds', async () => {
    const world = await makeWorld();
    let pruned = 0;
    const real = world.storage.prune.bind(world.storage);
    Object.assign(world.storage, { prune: (bounds: Parameters<typeof real>[0]) => (pruned++, real({ ...bounds, maxCount: 50 })) });
    const source = await world.source('serixpay');
    const call = inbound(source, { type: 'payment.completed', now: world.clock.now(), fault: 'bad-signature' });
    await Promise.all(Array.from({ length: 400 }, () => world.engine.accept(source.id, call)));
    await world.advance(0);
    assert.ok(pruned >= 2);
    assert.ok((await requests(world)).length <= 100);
    await world.stop();
  });
});
