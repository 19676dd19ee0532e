import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toJson } from '@paybell/sdk';
import { parseDuration } from '../../src/engine/deliver/durations.ts';
import { LOOK_MS, makeWorld, profile } from '../support/world.ts';
import type { World } from '../support/world.ts';

/** The waits before each try, as the providers print them (or, where they print none, as their profile promises). */
const PRINTED: Record<string, readonly string[]> = {
  malipopay: ['0s', '5m', '30m', '4h', '19h'],
  echezona: ['0s', '5m', '30m', '2h'],
  makapay: ['0s', '5m', '10m'],
  serixpay: ['0s', '1m', '5m', '30m', '2h'],
  altafinex: ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'],
  stripe: profile('stripe').retry.delays,
  adyen: ['0s', '9s', '18s', '27s', '2m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', ...Array.from({ length: 88 }, () => '8h')],
  paybell: ['0s', '5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'],
};

const NEAR_MS = 10_000;

const ms = (text: string): number => parseDuration(text) ?? NaN;

async function inFormat(world: World, id: string): Promise<void> {
  const options = profile(id).exampleOptions;
  await world.endpoint({ provider: id, ...(options && { options }) });
}

/** Lets time pass; of a long stretch only its end is played timer by timer, and a try that came too early shows there. */
async function pass(world: World, wait: number): Promise<void> {
  const skipped = Math.max(0, wait - NEAR_MS);
  world.jump(skipped);
  await world.advance(wait - skipped + 100);
}

/** Publishes one event that an item of any provider can hold, and lets every try of it fail. */
async function triesOf(id: string): Promise<{ waits: number[]; status: string; attempts: number; deadlines: Set<number> }> {
  const world = await makeWorld();
  try {
    await inFormat(world, id);
    world.answer(500);
    const type = Object.keys(profile(id).events)[0] ?? '';
    const [published] = await world.engine.publish('default', [{ type, data: toJson(profile(id).events[type]?.example) }]);
    for (const delay of PRINTED[id] ?? []) await pass(world, ms(delay));
    const tries = world.calls.length;
    await pass(world, 48 * 3_600_000);
    assert.equal(world.calls.length, tries, 'nothing is tried after the last time');
    const [delivery] = (await world.storage.listDeliveries({ merchant: null, event: published?.id ?? '', limit: 2, cursor: null })).rows;
    assert.ok(delivery);
    return {
      waits: world.calls.map(({ at }, index) => at - (world.calls[index - 1]?.at ?? at)),
      status: delivery.status,
      attempts: (await world.storage.getDelivery({ merchant: null, id: delivery.id }))?.attempts.length ?? 0,
      deadlines: new Set(world.calls.map(({ request }) => request.deadlineMs)),
    };
  } finally {
    await world.stop();
  }
}

for (const [id, delays] of Object.entries(PRINTED)) {
  test(`${id}: every try at its printed time, failed after the last`, async () => {
    const { waits, status, attempts, deadlines } = await triesOf(id);
    assert.equal(waits.length, delays.length);
    for (const [index, wait] of waits.entries()) {
      const printed = ms(delays[index] ?? '');
      assert.ok(wait >= printed && wait <= printed + LOOK_MS, `try ${index + 1} came after ${wait} ms, printed is ${printed} ms`);
    }
    assert.equal(status, 'failed');
    assert.equal(attempts, delays.length);
    assert.deepEqual([...deadlines], [ms(profile(id).retry.timeout)]);
  });
}

test("MakaPay's payment.awaiting_gas is sent once and never again", async () => {
  const world = await makeWorld();
  await inFormat(world, 'makapay');
  world.answer(500);
  const source = await world.source('makapay');
  await world.receive(source, { type: 'payment.awaiting_gas' });
  await pass(world, 24 * 3_600_000);
  assert.equal(world.calls.length, 1);
  const { rows } = await world.storage.listDeliveries({ merchant: null, limit: 5, cursor: null });
  assert.deepEqual(
    rows.map(({ status, attemptCount }) => ({ status, attemptCount })),
    [{ status: 'failed', attemptCount: 1 }],
  );
  await world.stop();
});
