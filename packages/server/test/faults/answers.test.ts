/** Section A of the fault catalogue, A6-A40: what an endpoint can do once it is connected, against real sockets. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWERS, OK } from './answers.ts';
import { answer, flood } from './fault-server.ts';
import { assertInTime, request, withServer } from './setup.ts';

for (const { name, does, cause, ...expected } of ANSWERS) {
  test(name, { concurrency: true }, () =>
    withServer({ onRequest: ({ socket }) => does(socket) }, async (server, sender) => {
      const deadlineMs = expected.deadlineMs ?? 5_000;
      const result = await sender.send(request(`http://127.0.0.1:${server.port}/hook`, { deadlineMs }));
      assert.equal(result.cause, cause);
      if (expected.status !== undefined) assert.equal(result.status, expected.status);
      if (expected.truncated !== undefined) assert.equal(result.truncated, expected.truncated);
      if (expected.body !== undefined) assert.deepEqual(Buffer.from(result.body), Buffer.from(expected.body));
      if (expected.atMostMs !== undefined) assert.ok(result.durationMs <= expected.atMostMs, `${result.durationMs} ms`);
      if (expected.atLeastMs !== undefined) assert.ok(result.durationMs >= expected.atLeastMs, `only ${result.durationMs} ms`);
      for (const [header, value] of Object.entries(expected.headers ?? {})) assert.deepEqual(result.headers[header], value);
      assertInTime(result, deadlineMs);
      assert.equal(server.heads.length, 1, 'one request, never repeated on a fresh connection');
      assert.equal(result.maybeDuplicate, undefined);
    }),
  );
}

const endless: readonly (readonly [string, string, string])[] = [
  ['chunked', 'transfer-encoding: chunked\r\n\r\n', `1000\r\n${'a'.repeat(4_096)}\r\n`],
  ['with a vast length', 'content-length: 999999999999\r\n\r\n', 'a'],
  ['until the connection closes', '\r\n', 'a'],
];

for (const [name, head, text] of endless) {
  test(`A14 a body without end, ${name}: 16 KiB are kept, reading stops, the socket is dropped`, () => {
    let written = (): number => 0;
    return withServer(
      {
        onRequest: ({ socket }) => {
          written = () => socket.bytesWritten;
          socket.write(OK + head);
          flood(socket, text);
        },
      },
      async (server, sender) => {
        const result = await sender.send(request(`http://127.0.0.1:${server.port}/`));
        assert.deepEqual([result.cause, result.body.length, result.truncated], ['ok', 16_384, true]);
        assert.ok(result.durationMs < 1_900, 'it stops at a size, not at a time');
        await server.allClosed();
        assert.ok(written() < 16 * 1_048_576, `the server could write ${written()} bytes`);
      },
    );
  });
}

test('A14 a body longer than is kept, read to its end, leaves the connection usable', () =>
  withServer({ onRequest: ({ socket }) => answer(socket, '200 OK', [], 'b'.repeat(40_000)) }, async (server, sender) => {
    for (let i = 0; i < 3; i++) {
      const result = await sender.send(request(`http://127.0.0.1:${server.port}/`));
      assert.deepEqual([result.cause, result.body.length, result.truncated], ['ok', 16_384, true]);
    }
    assert.equal(server.connections(), 1);
  }));

test('A39 an answer before the request was read is taken', () =>
  withServer(
    {
      onConnection: (socket) => {
        socket.once('data', () => {
          socket.pause();
          answer(socket, '200 OK', [], 'early');
        });
      },
    },
    async (server, sender) => {
      const url = `http://127.0.0.1:${server.port}/`;
      const result = await sender.send(request(url, { body: Buffer.alloc(16 * 1_048_576, 'x') }));
      assert.deepEqual([result.cause, Buffer.from(result.body).toString()], ['ok', 'early']);
      const next = await sender.send(request(url));
      assert.deepEqual([next.cause, server.connections()], ['ok', 2], 'the rest of the first request is not in front of the second');
    },
  ));
