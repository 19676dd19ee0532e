/** Connections: when they are used again, when they must not be, and the race in which they break (A8). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from './fault-server.ts';
import { request, withServer } from './setup.ts';

test('A8 a reused connection that breaks before any answer: once more, on a fresh one, flagged', () =>
  withServer(
    {
      onRequest: ({ socket, nth }) => {
        if (nth === 1) answer(socket, '200 OK');
        else socket.destroy();
      },
    },
    async (server, sender) => {
      const url = `http://127.0.0.1:${server.port}/`;
      const first = await sender.send(request(url));
      const second = await sender.send(request(url));
      assert.deepEqual([first.cause, first.maybeDuplicate], ['ok', undefined]);
      assert.deepEqual([second.cause, second.maybeDuplicate], ['ok', true]);
      assert.deepEqual([server.heads.length, server.connections()], [3, 2]);
    },
  ));

test('A8 the same by reset; a fresh connection that breaks too is not tried a third time', () =>
  withServer(
    {
      onRequest: ({ socket, nth, connection }) => {
        if (nth === 1 && connection === 1) answer(socket, '200 OK');
        else socket.resetAndDestroy();
      },
    },
    async (server, sender) => {
      const url = `http://127.0.0.1:${server.port}/`;
      await sender.send(request(url));
      const second = await sender.send(request(url));
      assert.deepEqual([second.cause, second.maybeDuplicate], ['conn_reset', true]);
      assert.equal(server.heads.length, 3);
    },
  ));

test('A8 a reused connection that breaks after a byte of an answer is not tried again', () =>
  withServer(
    {
      onRequest: ({ socket, nth }) => {
        if (nth === 1) answer(socket, '200 OK');
        else socket.end('HTTP/1.1 ');
      },
    },
    async (server, sender) => {
      const url = `http://127.0.0.1:${server.port}/`;
      await sender.send(request(url));
      const second = await sender.send(request(url));
      assert.deepEqual([second.cause, second.maybeDuplicate, server.heads.length], ['protocol_error', undefined, 2]);
    },
  ));

const reusable: readonly (readonly [string, string, number])[] = [
  ['a plain answer', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi', 1],
  ['a chunked answer', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', 1],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 1],
  ['a server that keeps connections for 20 s', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=20\r\ncontent-length: 0\r\n\r\n', 1],
  ['connection: close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', 3],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', 3],
  ['a server that keeps connections for 1 s', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n', 3],
  ['bytes beyond the length', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 3],
  ['bytes beyond the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1', 3],
  ['204 with a body', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nhi', 3],
  ['bare LF line ends', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n', 3],
  ['chunked named twice', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n', 3],
];

for (const [name, text, connections] of reusable) {
  test(`three calls after ${name} use ${connections} connection${connections === 1 ? '' : 's'}`, () =>
    withServer({ onRequest: ({ socket }) => void socket.write(text) }, async (server, sender) => {
      for (let i = 0; i < 3; i++) {
        const result = await sender.send(request(`http://127.0.0.1:${server.port}/`));
        assert.deepEqual([result.cause, result.maybeDuplicate], ['ok', undefined]);
      }
      assert.equal(server.connections(), connections);
    }));
}

test('bytes on an idle connection are never taken for the next answer', async () => {
  let poison = (): void => undefined;
  await withServer(
    {
      onRequest: ({ socket, connection }) => {
        answer(socket, '200 OK', [], `from ${connection}`);
        poison = () => answer(socket, '200 OK', [], 'poison');
      },
    },
    async (server, sender) => {
      const url = `http://127.0.0.1:${server.port}/`;
      await sender.send(request(url));
      poison();
      const poisoned = performance.now();
      await server.allClosed();
      assert.ok(performance.now() - poisoned < 2_000, 'it was dropped at once, not when its idle time was over');
      const second = await sender.send(request(url));
      assert.equal(Buffer.from(second.body).toString(), 'from 2');
    },
  );
});

test('an idle connection is closed after about four seconds, and close() does so at once', () =>
  withServer({ onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
    const url = `http://127.0.0.1:${server.port}/`;
    await sender.send(request(url));
    const started = performance.now();
    await server.allClosed();
    const idleMs = performance.now() - started;
    assert.ok(idleMs > 3_000 && idleMs < 8_000, `${idleMs} ms`);
    await sender.send(request(url));
    await sender.close();
    await server.allClosed();
    assert.equal((await sender.send(request(url))).cause, 'interrupted');
  }));

test('close() lets calls in flight end', async () => {
  let release = (): void => undefined;
  const arrived = Promise.withResolvers<void>();
  await withServer(
    { onRequest: ({ socket }) => ((release = () => answer(socket, '200 OK')), arrived.resolve()) },
    async (server, sender) => {
      const call = sender.send(request(`http://127.0.0.1:${server.port}/`));
      await arrived.promise;
      const closing = sender.close();
      release();
      assert.equal((await call).cause, 'ok');
      await closing;
      await server.allClosed();
    },
  );
});
