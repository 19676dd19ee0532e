/** Where webhooks may go: every spelling of every address that must not be reached, and who may open what. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressJudge } from '../../src/send/address.ts';
import { createGuard } from '../../src/send/guard.ts';

const strict = createGuard({ allowPrivateCidrs: [] });
const local = createGuard({
  allowPrivateCidrs: ['127.0.0.0/8', '10.0.0.0/8', '169.254.0.0/16', '100.64.0.0/10', 'fd00::/8', '::1/128', '64:ff9b::/96'],
});

const blocked = [
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.0.0.1./',
  'https://１２７.0.0.1/',
  'https://0/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:53aa:64c:0:0:80ff:fffe]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[5f00::1]/',
  'https://[4000::1]/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://240.0.0.1/',
  'https://168.63.129.16/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://app.localhost/',
  'https://metadata.google.internal/',
];

test('addresses that are not public are refused at once, however they are spelt', () => {
  for (const url of blocked) assert.equal(strict.judgeUrl(url)?.code, 'address_blocked', url);
});

test('metadata services stay closed even inside a range that is allowed', () => {
  const urls = [
    'http://169.254.169.254/',
    'http://169.254.170.2/',
    'https://100.100.100.200/',
    'https://[fd00:ec2::254]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'http://metadata.google.internal/',
  ];
  for (const url of urls) assert.equal(local.judgeUrl(url)?.code, 'address_blocked', url);
});

test('public addresses and names pass; private ones where they are allowed, by http too', () => {
  for (const url of [
    'https://example.com/hook',
    'https://example.com:8443/hook?x=1',
    'https://93.184.215.14/',
    'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
  ]) {
    assert.equal(strict.judgeUrl(url), null, url);
  }
  for (const url of [
    'http://127.0.0.1:3000/',
    'http://localhost:3000/',
    'http://10.1.2.3/',
    'https://10.1.2.3/',
    'http://[::1]:3000/',
    'http://shop.internal:3000/',
  ]) {
    assert.equal(local.judgeUrl(url), null, url);
  }
});

test('plain http is refused: to public addresses always, to names unless some range is allowed', () => {
  for (const [guard, url] of [
    [strict, 'http://example.com/'],
    [strict, 'http://93.184.215.14/'],
    [local, 'http://93.184.215.14/'],
  ] as const) {
    assert.equal(guard.judgeUrl(url)?.code, 'https_required', url);
  }
});

test('URLs that are no webhook addresses are refused with a sentence', () => {
  const urls = [
    '',
    'example.com',
    '/hook',
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://:pass@example.com/',
    'https://example.com:0/',
    'https://example.com:25/',
    'https://example.com:6379/',
    'https://example.com:99999/',
    'https://[fe80::1%25eth0]/',
    'https://[::1/',
    'https://exa mple.com/',
    `https://example.com/${'a'.repeat(2_048)}`,
  ];
  for (const url of urls) {
    const refusal = strict.judgeUrl(url);
    assert.equal(refusal?.code, 'url_refused', url);
    assert.match(refusal?.sentence ?? '', /\.$/);
    assert.ok(!/user:pass|secret/.test(refusal?.sentence ?? ''), 'nothing of a secret is repeated');
  }
});

test('names are judged by all addresses they lead to, at every dial', async () => {
  const cases: readonly (readonly [string, readonly string[], string | null])[] = [
    ['https://a.test/', ['93.184.215.14'], null],
    ['https://a.test/', ['93.184.215.14', '127.0.0.1'], 'address_blocked'],
    ['https://a.test/', ['93.184.215.14', 'fe80::1'], 'address_blocked'],
    ['https://a.test/', ['not an address'], 'address_blocked'],
    ['https://a.test/', [], 'dns_no_address'],
  ];
  for (const [url, addresses, code] of cases) {
    const guard = createGuard({ allowPrivateCidrs: [], lookup: async () => addresses });
    const target = guard.target(url);
    assert.ok('hostname' in target);
    if (code === null) assert.deepEqual(await guard.vet(target), addresses);
    else await assert.rejects(guard.vet(target), { code });
  }
});

test('localhost is the loopback addresses that are allowed, without asking anyone', async () => {
  const guard = createGuard({ allowPrivateCidrs: ['127.0.0.0/8'], lookup: () => Promise.reject(new Error('asked')) });
  const target = guard.target('http://localhost:3000/');
  assert.ok('hostname' in target);
  assert.deepEqual(await guard.vet(target), ['127.0.0.1']);
});

test('a range that cannot be read is refused at start', () => {
  for (const text of ['10.0.0.0', 'private', '10.0.0.0/33', '']) assert.throws(() => addressJudge([text]), /is not an address range/);
});
