import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkSelection } from '../../src/engine/directory/selection.ts';
import { Refusal } from '../../src/engine/refusal.ts';
import { makeWorld, profile } from '../support/world.ts';

function refusalOf(pattern: string, { provider = 'paybell', customEvents = false } = {}): string | null {
  try {
    checkSelection({ events: [pattern], customEvents }, profile(provider));
    return null;
  } catch (error) {
    assert.ok(error instanceof Refusal && error.code === 'invalid_event_type', String(error));
    return error.message;
  }
}

describe('event selection', () => {
  test('what some provider sends is selected, in whatever format it goes out', () => {
    for (const good of [
      '*',
      'payment.*',
      'payment.succeeded',
      'charge.success',
      'payment_intent.*',
      'AUTHORISATION',
      'disbursement.completed',
    ])
      for (const provider of ['paybell', 'makapay', 'stripe']) assert.equal(refusalOf(good, { provider }), null, good);
  });

  for (const [wrong, meant] of [
    ['payment.suceeded', 'payment.succeeded'],
    ['payment.compleeted', 'payment.completed'],
    ['Payment.Succeeded', 'payment.succeeded'],
    ['paymnet.*', 'payment.*'],
    ['payments.*', 'payment.*'],
    ['Refund.*', 'refund.*'],
    ['paymnt.succeeded', 'payment.succeeded'],
    ['refund.sent', 'refund.'],
  ] as const)
    test(`"${wrong}" is a slip of "${meant}"`, () => {
      const sentence = refusalOf(wrong) ?? '';
      assert.match(sentence, new RegExp(`Did you mean "${meant.replaceAll(/[.*]/g, String.raw`\$&`)}`));
      assert.match(sentence, /"customEvents": true/);
      assert.equal(refusalOf(wrong, { customEvents: true }), null);
    });

  test('a name in the family of a provider that is near none is refused with those there are', () => {
    assert.match(refusalOf('payout.quarantined_by_compliance_team') ?? '', /(There are|Did you mean) "payout\./);
    assert.match(refusalOf('payment.deep.*') ?? '', /No provider has events "payment\.deep\.\*"/);
  });

  test('the nearest name is looked for in the own format first', () => {
    assert.match(refusalOf('payment.complete', { provider: 'makapay' }) ?? '', /"payment\.completed"/);
  });

  test('events of your own pass: no provider has their first word', () => {
    for (const own of ['order.created', 'order.*', 'user.signed_up', 'kyc.document.*', 'shipment']) assert.equal(refusalOf(own), null, own);
  });

  test('what can match nothing at all is refused, with customEvents as well', () => {
    for (const odd of ['*.succeeded', 'pay*', 'payment.', '.x', 'a b', '', 'payment.**', 'x'.repeat(129)])
      for (const customEvents of [false, true]) assert.match(refusalOf(odd, { customEvents }) ?? '', /selects nothing/, odd);
  });

  test('a list is checked when it is set; another change of the endpoint asks nothing', async () => {
    const world = await makeWorld();
    const { directory } = world.engine;
    const id = await world.endpoint({ events: ['payment.settled_twice'], customEvents: true });
    assert.equal((await directory.changeEndpoint(null, id, { maxInFlight: 3 })).customEvents, true);
    await assert.rejects(directory.changeEndpoint(null, id, { customEvents: false }), { code: 'invalid_event_type' });
    await assert.rejects(directory.changeEndpoint(null, id, { events: [] }), { code: 'invalid_event_type' });
    await directory.changeEndpoint(null, id, { customEvents: false, events: ['payment.*'] });
    await world.stop();
  });
});
