/** Section A of the fault catalogue, A40-A48: TLS that must not be trusted, each with its own cause, and no byte of the webhook sent. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import type { SendResult } from '../../src/engine/ports.ts';
import { Authority } from './certificates.ts';
import { answer, startFaultServer } from './fault-server.ts';
import { assertInTime, HOST, makeSender, request, withServer } from './setup.ts';

const authority = new Authority();
after(() => authority.remove());

const root = authority.issue({ name: 'Test Root' });
const otherRoot = authority.issue({ name: 'Other Root' });
const intermediate = authority.issue({ name: 'Test Intermediate', by: root });
const san = `DNS:${HOST}`;
const good = authority.issue({ name: 'good', san, by: root });
const below = authority.issue({ name: 'below', san, by: intermediate });
const withChain = (leaf: { cert: string; key: string }, ...chain: string[]): TlsOptions => ({
  key: leaf.key,
  cert: [leaf.cert, ...chain].join(''),
});

interface Case {
  readonly name: string;
  readonly tls: TlsOptions;
  readonly cause: SendResult['cause'];
  readonly caPin?: string;
}

const cases: readonly Case[] = [
  { name: 'A41 expired', tls: authority.issue({ name: 'old', san, by: root, days: [-10, -1] }), cause: 'tls_expired' },
  { name: 'A41 not yet valid', tls: authority.issue({ name: 'new', san, by: root, days: [2, 10] }), cause: 'tls_not_yet_valid' },
  { name: 'A42 self-signed', tls: authority.issue({ name: 'self', san }), cause: 'tls_self_signed' },
  { name: 'A43 wrong host', tls: authority.issue({ name: HOST, san: 'DNS:other.test', by: root }), cause: 'tls_wrong_host' },
  {
    name: 'A44 unknown authority',
    tls: withChain(authority.issue({ name: 'x', san, by: otherRoot }), otherRoot.cert),
    cause: 'tls_unknown_ca',
  },
  { name: 'A45 incomplete chain', tls: withChain(below), cause: 'tls_incomplete_chain' },
  {
    name: 'A46 TLS 1.0 and 1.1 only',
    tls: { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    cause: 'tls_version',
  },
  {
    name: 'A48 client certificate demanded, TLS 1.3',
    tls: { ...good, requestCert: true, rejectUnauthorized: true, ca: root.cert },
    cause: 'tls_client_cert',
  },
  {
    name: 'A48 client certificate demanded, TLS 1.2',
    tls: { ...good, requestCert: true, rejectUnauthorized: true, ca: root.cert, maxVersion: 'TLSv1.2' },
    cause: 'tls_handshake_failed',
  },
  { name: 'A40 HTTP/2 only', tls: { ...good, ALPNProtocols: ['h2'] }, cause: 'http2_only' },
  {
    name: 'a pin that is no certificate',
    tls: good,
    caPin: '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n',
    cause: 'tls_bad_pin',
  },
];

for (const { name, tls, cause, caPin = root.cert } of cases) {
  test(name, () =>
    withServer({ tls, onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
      const result = await sender.send(request(`https://${HOST}:${server.port}/`, { caPin }));
      assert.deepEqual([result.cause, result.status], [cause, null]);
      assert.equal(server.heads.length, 0, 'nothing of the webhook arrived');
      assertInTime(result, 5_000);
    }),
  );
}

test('A44 without a pin, the public authorities count and this one is none of them', () =>
  withServer({ tls: withChain(good, root.cert), onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
    const result = await sender.send(request(`https://${HOST}:${server.port}/`));
    assert.equal(result.cause, 'tls_unknown_ca');
  }));

test('NODE_TLS_REJECT_UNAUTHORIZED=0 switches nothing off', async (t) => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  await withServer(
    { tls: authority.issue({ name: 'self', san }), onRequest: ({ socket }) => answer(socket, '200 OK') },
    async (server, sender) => {
      assert.equal((await sender.send(request(`https://${HOST}:${server.port}/`))).cause, 'tls_self_signed');
      assert.equal(server.heads.length, 0);
    },
  );
});

test('A47 the handshake stalls', () =>
  withServer(
    { onConnection: () => undefined },
    async (server, sender) => {
      const result = await sender.send(request(`https://${HOST}:${server.port}/`, { caPin: root.cert }));
      assert.equal(result.cause, 'tls_handshake_timeout');
      assertInTime(result, 300);
      const url = `https://${HOST}:${server.port}/`;
      const deadline = await makeSender().send(request(url, { caPin: root.cert, deadlineMs: 300 }));
      assert.equal(deadline.cause, 'tls_handshake_timeout');
      assertInTime(deadline, 300);
    },
    { tlsTimeoutMs: 300 },
  ));

test('A47 cut during the handshake', () =>
  withServer({ onConnection: (socket) => socket.once('data', () => socket.resetAndDestroy()) }, async (server, sender) => {
    assert.equal((await sender.send(request(`https://${HOST}:${server.port}/`, { caPin: root.cert }))).cause, 'tls_handshake_failed');
  }));

test('plain http on the port of an https URL', () =>
  withServer(
    { onConnection: (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')) },
    async (server, sender) => {
      assert.equal((await sender.send(request(`https://${HOST}:${server.port}/`, { caPin: root.cert }))).cause, 'tls_not_spoken');
    },
  ));

test('trusted: by root, through an intermediate, or with the certificate itself pinned; the connection is used again', async () => {
  const trusted: readonly (readonly [TlsOptions, string])[] = [
    [withChain(good), root.cert],
    [withChain(below, intermediate.cert), root.cert],
    [withChain(below), intermediate.cert],
    [withChain(good), good.cert],
  ];
  for (const [tls, caPin] of trusted) {
    await withServer({ tls, onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
      const url = `https://${HOST}:${server.port}/`;
      const first = await sender.send(request(url, { caPin }));
      const second = await sender.send(request(url, { caPin }));
      assert.deepEqual([first.cause, second.cause, server.connections()], ['ok', 'ok', 1]);
      assert.ok(first.timings.tlsMs !== null && second.timings.tlsMs === null);
    });
  }
});

test('a connection trusted under one pin is not lent to calls with another pin or none', () =>
  withServer({ tls: withChain(good, root.cert), onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
    const url = `https://${HOST}:${server.port}/`;
    assert.equal((await sender.send(request(url, { caPin: root.cert }))).cause, 'ok');
    assert.equal((await sender.send(request(url, { caPin: otherRoot.cert }))).cause, 'tls_unknown_ca');
    assert.equal((await sender.send(request(url))).cause, 'tls_unknown_ca');
  }));

test('an address as host is checked against the addresses that the certificate names', async () => {
  const named = authority.issue({ name: 'ip', san: 'IP:127.0.0.1', by: root });
  for (const [tls, cause] of [
    [named, 'ok'],
    [good, 'tls_wrong_host'],
  ] as const) {
    const server = await startFaultServer({ tls, onRequest: ({ socket }) => answer(socket, '200 OK') });
    const sender = makeSender();
    assert.equal((await sender.send(request(`https://127.0.0.1:${server.port}/`, { caPin: root.cert }))).cause, cause);
    await server.close();
    await sender.close();
  }
});
