/** Section A of the fault catalogue, A1-A3: host names, asked of a real name server on loopback. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuard } from '../../src/send/guard.ts';
import { createLookup } from '../../src/send/lookup.ts';
import { NXDOMAIN, SERVFAIL, startDnsServer, type DnsAnswer, type DnsServer } from './dns-server.ts';
import { answer } from './fault-server.ts';
import { assertInTime, LOOPBACK, makeSender, request, withServer, type Options } from './setup.ts';

const NAMES: Readonly<Record<string, DnsAnswer>> = {
  'gone.test': { rcode: NXDOMAIN },
  'broken.test': { rcode: SERVFAIL },
  'silent.test': 'silence',
  'empty.test': { addresses: [] },
  'good.test': { addresses: ['127.0.0.1'] },
  'mixed.test': { addresses: ['127.0.0.1', '169.254.169.254'] },
  'late-metadata.test': { addresses: [...Array<string>(40).fill('127.0.0.1'), '169.254.169.254'] },
  'many.test': { addresses: Array.from({ length: 1_000 }, (_, i) => `127.1.${i >> 8}.${i & 255}`) },
};

async function withDns(run: (dns: DnsServer, options: Options) => Promise<void>): Promise<void> {
  const dns = await startDnsServer((name) => NAMES[name] ?? { rcode: NXDOMAIN });
  try {
    await run(dns, { lookup: createLookup({ servers: [dns.address], system: false, timeoutMs: 600 }) });
  } finally {
    await dns.close();
  }
}

const cases = [
  ['A1 a name that does not exist', 'gone.test', 'dns_nxdomain'],
  ['A1 a name without addresses', 'empty.test', 'dns_no_address'],
  ['A2 SERVFAIL', 'broken.test', 'dns_error'],
  ['A2 no answer at all', 'silent.test', 'dns_error'],
  ['one metadata address among good ones', 'mixed.test', 'address_blocked'],
  ['a metadata address behind forty good ones, over TCP', 'late-metadata.test', 'address_blocked'],
] as const;

for (const [name, host, cause] of cases) {
  test(name, () =>
    withDns(async (_dns, options) => {
      const sender = makeSender(options);
      const result = await sender.send(request(`http://${host}:8080/`));
      assert.deepEqual([result.cause, result.status], [cause, null]);
      assertInTime(result, 600);
    }),
  );
}

test('A2 a silent name server is bounded by the deadline of the call and delays no other name', () =>
  withDns((_dns, options) =>
    withServer(
      { onRequest: ({ socket }) => answer(socket, '200 OK') },
      async (server, sender) => {
        const silent = sender.send(request(`http://silent.test:${server.port}/`, { deadlineMs: 200 }));
        const good = await sender.send(request(`http://good.test:${server.port}/`));
        assert.equal(good.cause, 'ok');
        const result = await silent;
        assert.equal(result.cause, 'dns_error');
        assert.ok(good.durationMs < result.durationMs, 'the good name did not wait for the silent one');
      },
      options,
    ),
  ));

test('A3 of a thousand addresses, the first eight are dialled', () =>
  withDns(async (_dns, options) => {
    assert.ok(options.lookup);
    const guard = createGuard({ allowPrivateCidrs: LOOPBACK, lookup: options.lookup });
    const target = guard.target('http://many.test:9999/');
    assert.ok('hostname' in target);
    assert.deepEqual(
      await guard.vet(target),
      Array.from({ length: 8 }, (_, i) => `127.1.0.${i}`),
    );
    const result = await makeSender(options).send(request('http://many.test:9999/'));
    assert.equal(result.cause, 'conn_refused');
  }));

test('names that only the machine knows are found where that is wanted', () =>
  withDns(async (dns) => {
    assert.ok((await createLookup({ servers: [dns.address], system: true })('localhost')).includes('127.0.0.1'));
    await assert.rejects(createLookup({ servers: [dns.address], system: false })('localhost'), { code: 'ENOTFOUND' });
  }));

test('answers are kept for a moment and shared; failures are not kept', () =>
  withDns(async (dns, options) => {
    const { lookup } = options;
    assert.ok(lookup);
    await Promise.all([lookup('good.test'), lookup('good.test')]);
    await lookup('good.test');
    assert.equal(dns.asked.filter((name) => name === 'good.test').length, 1);
    for (let i = 0; i < 2; i++) await assert.rejects(lookup('gone.test'), { code: 'ENOTFOUND' });
    assert.equal(dns.asked.filter((name) => name === 'gone.test').length, 2);
  }));
