import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseJson } from '@paybell/sdk';
import { inbound, LOOK_MS, makeWorld } from '../support/world.ts';
import type { World } from '../support/world.ts';

const decoded = (body: Uint8Array): string => new TextDecoder().decode(body);

/** Endpoints that were called, by the last word of their address. */
const reached = (world: World): string[] => world.calls.map(({ request }) => request.url.split('/').at(-1) ?? '').sort();

describe('where an event goes', () => {
  test('selected by type: all, a family, one; never a neighbour, another merchant or a paused one', async () => {
    const world = await makeWorld();
    await world.engine.directory.createMerchant({ id: 'm2', name: 'Other' });
    const make = (name: string, events: string[], more = {}) => world.endpoint({ url: `https://shop.example/${name}`, events, ...more });
    await make('all', ['*']);
    await make('family', ['payment.*']);
    await make('one', ['payment.pending', 'payment.completed']);
    await make('refunds', ['refund.*', 'payment'], { customEvents: true });
    await make('similar', ['pay.*']);
    await make('paused', ['*'], { active: false });
    await make('foreign', ['*'], { merchant: 'm2' });
    const [published] = await world.engine.publish('default', [{ type: 'payment.completed', data: null }]);
    await world.advance(0);
    assert.equal(published?.deliveries, 3);
    assert.deepEqual(reached(world), ['all', 'family', 'one']);
    await world.stop();
  });

  test('an event that nobody selects is recorded and counted as not subscribed', async () => {
    const world = await makeWorld();
    await world.endpoint({ events: ['refund.*'] });
    await world.engine.publish('default', [{ type: 'payment.completed', data: null }]);
    const { accepted, notSubscribed } = await world.storage.facts();
    assert.deepEqual([accepted, notSubscribed], [1, 1]);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });

  test('content: the event in the endpoint’s format, the request untouched, or the transaction', async () => {
    const world = await makeWorld();
    for (const content of ['event', 'request', 'transaction'] as const)
      await world.endpoint({ url: `https://shop.example/${content}`, content });
    const source = await world.source('serixpay');
    const arriving = inbound(source, { type: 'payment.completed', now: world.clock.now() });
    const hop = { ...arriving, rawHeaders: [...arriving.rawHeaders, 'Host', 'paybell.example', 'X-Custom', 'kept', 'Cookie', 'no'] };
    await world.engine.accept(source.id, hop);
    await world.advance(0);
    const call = (name: string) => world.calls.find(({ request }) => request.url.endsWith(name))?.request;
    assert.deepEqual(call('request')?.body, arriving.body);
    assert.equal(call('request')?.headers['x-serixpay-signature'], arriving.headers['x-serixpay-signature']);
    assert.deepEqual(
      [call('request')?.headers['x-custom'], call('request')?.headers['host'], call('request')?.headers['cookie']],
      ['kept', undefined, undefined],
    );
    const event = JSON.parse(decoded(call('event')?.body ?? new Uint8Array())) as { type: string; data: { transactionId: string } };
    assert.equal(event.type, 'payment.completed');
    const transaction = JSON.parse(decoded(call('transaction')?.body ?? new Uint8Array())) as {
      id: string;
      status: string;
      providerReference: string;
    };
    assert.deepEqual([transaction.status, transaction.providerReference], ['succeeded', event.data.transactionId]);
    const kept = await world.storage.getTransaction({ merchant: null, id: transaction.id });
    assert.deepEqual(transaction, kept?.transaction);
    await world.stop();
  });

  test('what an event does not have is sent as the event: no request of a published one, no transaction of an unmapped one', async () => {
    const world = await makeWorld();
    await world.endpoint({ url: 'https://shop.example/request', content: 'request' });
    await world.endpoint({ url: 'https://shop.example/transaction', content: 'transaction' });
    await world.engine.publish('default', [{ type: 'order.packed', data: parseJson('{"box":1}') }]);
    await world.advance(0);
    assert.equal(world.calls.length, 2);
    for (const { request } of world.calls) assert.deepEqual((JSON.parse(decoded(request.body)) as { data: unknown }).data, { box: 1 });
    await world.stop();
  });

  test('a resent event of each content has the bytes that it had', async () => {
    const world = await makeWorld();
    for (const content of ['event', 'request', 'transaction'] as const)
      await world.endpoint({ url: `https://shop.example/${content}`, content });
    const source = await world.source('malipopay');
    await world.receive(source, { type: 'transaction.completed' });
    await world.advance(0);
    const [event] = (await world.storage.listEvents({ merchant: null, limit: 1, cursor: null })).rows;
    await world.engine.resendEvent(null, event?.event.id ?? '');
    await world.advance(1000);
    assert.equal(world.calls.length, 6);
    for (const name of ['event', 'request', 'transaction']) {
      const [first, second] = world.calls.filter(({ request }) => request.url.endsWith(name));
      assert.equal(decoded(second?.request.body ?? new Uint8Array()), decoded(first?.request.body ?? new Uint8Array()), name);
    }
    await world.stop();
  });

  test('the url of one event is called for that event alone, in the format and with the secret of the merchant’s endpoint', async () => {
    const world = await makeWorld();
    const endpoint = await world.endpoint({ provider: 'makapay', events: ['nothing.else'] });
    const item = { type: 'payment.completed', data: parseJson('{"paymentId":"p"}') };
    const url = 'https://order.example/hook/7';
    const [one, two] = await world.engine.publish('default', [{ ...item, url }, item]);
    await world.advance(LOOK_MS);
    assert.deepEqual([one?.deliveries, two?.deliveries], [1, 0]);
    assert.deepEqual(reached(world), ['7']);
    assert.match(decoded(world.calls[0]?.request.body ?? new Uint8Array()), /"event":"payment.completed","paymentId":"p"/);
    assert.match(world.calls[0]?.request.headers['x-signature'] ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(
      world.engine.directory.endpoints(null).map(({ id }) => id),
      [endpoint],
      'it is not listed among the endpoints',
    );
    await world.engine.publish('default', [{ ...item, url }]);
    const { endpoints } = await world.storage.loadDirectory({ since: 0 });
    assert.equal(endpoints.filter(({ perEvent }) => perEvent).length, 1, 'one address is one endpoint');
    await world.stop();
  });
});
