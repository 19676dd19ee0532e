import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signBody, stringifyJson } from '@paybell/sdk';
import { arriving, makeWorld, profile } from '../support/world.ts';
import type { World } from '../support/world.ts';

const body = (data: string): string => `{"event":"payment.completed","timestamp":"2026-11-22T09:00:00Z","data":${data}}`;
const paid = (amount: string, more = ''): string =>
  body(`{"transactionId":"txn_1","orderId":"o1","amount":${amount},"currency":"KES"${more}}`);

/** Takes in these bytes as a rightly signed SerixPay webhook; answers with what stands in log and ledger. */
async function taken(bytes: string | Uint8Array, { endpoint = false } = {}) {
  const world = await makeWorld();
  try {
    if (endpoint) await world.endpoint();
    const source = await world.source('serixpay');
    const signed = signBody('serixpay', { body: bytes, id: 'evt_1', now: world.clock.now(), secret: source.secrets });
    const answer = await world.engine.accept(source.id, arriving(signed.headers, signed.body));
    await world.advance(1000);
    return { answer, ...(await standing(world)), calls: [...world.calls] };
  } finally {
    await world.stop();
  }
}

async function standing(world: World) {
  const [found] = (await world.storage.listEvents({ merchant: null, limit: 5, cursor: null })).rows;
  const [transaction] = (await world.storage.listTransactions({ merchant: null, limit: 5, cursor: null })).rows;
  const findings = await world.storage.check({ now: world.clock.now() });
  assert.deepEqual(findings, []);
  return { event: found?.event, kept: found?.body, transaction, data: found === undefined ? null : world.engine.dataOf(found) };
}

describe('what cannot be read is kept and passed on, never guessed', () => {
  const unreadable: Record<string, string | Uint8Array> = {
    'invalid JSON': '{"event":"payment.completed",',
    'an empty body': '',
    'bytes that are no text': Uint8Array.from([0xff, 0xfe, 0x00, 0x80]),
    'nested beyond reason': '['.repeat(200_000),
    'nested beyond reason inside': body(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    'a bare word': 'payment.completed',
  };
  for (const [what, bytes] of Object.entries(unreadable)) {
    test(`${what}, rightly signed`, async () => {
      const { answer, event, kept, transaction, calls } = await taken(bytes, { endpoint: true });
      assert.equal(answer.kind, 'accepted');
      assert.deepEqual([event?.state, event?.type, transaction], ['unmapped', 'unreadable', undefined]);
      assert.ok((event?.note ?? '') !== '');
      assert.equal(Buffer.compare(Buffer.from(kept ?? []), Buffer.from(bytes)), 0, 'its bytes are kept as they came');
      assert.equal(calls.length, 1, 'it is passed on');
    });
  }

  test('an event that the provider does not document, or without an identity', async () => {
    for (const text of [
      '{"event":"payment.exploded","data":{"transactionId":"t"}}',
      '{"event":"payment.completed","data":{}}',
      '[]',
      'null',
      '7',
      '"x"',
      '{}',
    ]) {
      const { answer, event, transaction, calls } = await taken(text, { endpoint: true });
      assert.deepEqual([answer.kind, event?.state, transaction, calls.length], ['accepted', 'unmapped', undefined, 1], text);
    }
  });
});

describe('money is exact or it is not there', () => {
  const exact: Record<string, string> = {
    '2500': '250000',
    '2500.5': '250050',
    '"2500.50"': '250050',
    '9007199254740993': '900719925474099300',
    '"9007199254740993.01"': '900719925474099301',
    '0': '0',
  };
  for (const [written, value] of Object.entries(exact)) {
    test(`${written} is ${value} base units`, async () => {
      const { transaction } = await taken(paid(written));
      assert.deepEqual([transaction?.amount?.value, transaction?.amount?.exponent, transaction?.amount?.currency], [value, 2, 'KES']);
    });
  }

  for (const written of [
    '-5',
    '-0.01',
    '1.005',
    '1e400',
    '"1,00"',
    '"NaN"',
    '"Infinity"',
    '"0x10"',
    'true',
    'null',
    '[]',
    '{}',
    '""',
    '" 5"',
    '"٥"',
    `"${'9'.repeat(300)}"`,
    '1e-7',
  ]) {
    test(`${written.slice(0, 20)} is no amount: the event counts, the money does not`, async () => {
      const { answer, event, transaction } = await taken(paid(written));
      assert.equal(answer.kind, 'accepted');
      assert.equal(event?.state, 'recorded');
      assert.deepEqual([transaction?.status, transaction?.amount], ['succeeded', null]);
    });
  }

  test('a body that names one key twice: its money is not trusted', async () => {
    const { transaction } = await taken(paid('1', ',"amount":1000000'));
    assert.equal(transaction?.status, 'succeeded');
    assert.equal(transaction?.amount, null);
    assert.ok((transaction?.flags ?? []).length > 0, 'it is flagged');
  });
});

describe('names are data', () => {
  test('__proto__, constructor and the like change nothing and come back as they were', async () => {
    const text = paid('10', ',"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"hasOwnProperty":1,"toString":"x"');
    const { transaction, data, event } = await taken(text);
    assert.equal(({} as { admin?: unknown }).admin, undefined);
    assert.equal(transaction?.amount?.value, '1000');
    assert.equal((transaction as unknown as { admin?: unknown }).admin, undefined);
    assert.match(stringifyJson(data), /"__proto__":\{"admin":true\}/);
    assert.equal(event?.state, 'recorded');
  });

  test('an event or a key named like a built-in is like any other', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const { event, transaction } = await taken(`{"event":"${name}","data":{"transactionId":"t"}}`);
      assert.deepEqual([event?.type, event?.state, transaction], [name, 'unmapped', undefined]);
      const named = await taken(body(`{"transactionId":"${name}","amount":10,"currency":"KES"}`));
      assert.equal(named.transaction?.providerReference, name);
    }
  });

  test('several events in one request are recorded each by itself, and sent each by itself', async () => {
    const world = await makeWorld();
    await world.endpoint();
    const source = await world.source('adyen');
    const item = (n: number): string =>
      `{"NotificationRequestItem":{"pspReference":"P${n}","merchantAccountCode":"A","merchantReference":"R${n}","amount":{"value":${n},"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true","eventDate":"2026-11-22T09:00:00Z"}}`;
    const call = (count: number) => {
      const raw = `{"live":"true","notificationItems":[${Array.from({ length: count }, (_, n) => item(n)).join()}]}`;
      const signed = profile('adyen').sign({ body: Buffer.from(raw), secrets: source.secrets, id: 'x', now: world.clock.now() });
      return arriving({ 'content-type': 'application/json' }, signed.body ?? new Uint8Array());
    };
    assert.equal((await world.engine.accept(source.id, call(5))).kind, 'accepted');
    assert.equal((await world.engine.accept(source.id, call(5))).kind, 'duplicate');
    assert.equal((await world.engine.accept(source.id, call(16))).kind, 'accepted');
    assert.equal((await world.engine.accept(source.id, call(17))).kind, 'rejected', 'each item costs a signature: their number is bounded');
    await world.advance(1000);
    assert.deepEqual([(await world.storage.facts()).accepted, world.calls.length], [16, 16]);
    assert.deepEqual(await world.storage.check({ now: world.clock.now() }), []);
    await world.stop();
  });
});
