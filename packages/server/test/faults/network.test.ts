/** Section A of the fault catalogue, A4, A5, A49: before a byte can be sent. */

import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { answer } from './fault-server.ts';
import { assertInTime, HOST, makeSender, request, withServer } from './setup.ts';

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('A4 refused', async () => {
  const result = await makeSender().send(request(`http://127.0.0.1:${await closedPort()}/`));
  assert.deepEqual([result.cause, result.status], ['conn_refused', null]);
});

/** A listener whose thread sleeps: once its queue is full, the kernel drops connection requests without a word. */
async function blackHole(host = '127.0.0.1', wantedPort = 0): Promise<{ port: number; close: () => Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: ${wantedPort}, host: '${host}', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  for (let full = false; !full && fillers.length < 64;) {
    const filler = connect(port, host);
    filler.on('error', () => undefined);
    fillers.push(filler);
    full = await new Promise<boolean>((resolve) => {
      filler.once('connect', () => resolve(false));
      setTimeout(() => resolve(true), 250);
    });
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

test('A5 a black hole: the connection has its own limit, and the deadline is above it', async () => {
  const hole = await blackHole();
  try {
    const url = `http://127.0.0.1:${hole.port}/`;
    const own = await makeSender({ connectTimeoutMs: 300 }).send(request(url));
    assert.equal(own.cause, 'connect_timeout');
    assertInTime(own, 300);
    const deadline = await makeSender().send(request(url, { deadlineMs: 300 }));
    assert.equal(deadline.cause, 'connect_timeout');
    assertInTime(deadline, 300);
  } finally {
    await hole.close();
  }
});

test('A5 an address that swallows everything leaves time for the next one', () =>
  withServer(
    { onRequest: ({ socket }) => answer(socket, '200 OK') },
    async (server, sender) => {
      const hole = await blackHole('127.0.0.2', server.port);
      try {
        const result = await sender.send(request(`http://${HOST}:${server.port}/`));
        assert.equal(result.cause, 'ok');
        const { connectMs } = result.timings;
        assert.ok(
          connectMs !== null && connectMs >= 990 && connectMs < 1_900,
          `half of the time went to the first address, not ${connectMs} ms`,
        );
      } finally {
        await hole.close();
      }
    },
    { lookup: async () => ['127.0.0.2', '127.0.0.1'], connectTimeoutMs: 2_000 },
  ));

test('an address that refuses does not hide a live one', () =>
  withServer(
    { onRequest: ({ socket }) => answer(socket, '200 OK') },
    async (server, sender) => {
      const result = await sender.send(request(`http://${HOST}:${server.port}/`));
      assert.equal(result.cause, 'ok');
    },
    { lookup: async () => ['127.0.0.9', '127.0.0.1'] },
  ));

test('A49 http to a public name is refused before anything is sent', async () => {
  const result = await makeSender({ lookup: async () => ['93.184.215.14'] }).send(request(`http://${HOST}/`));
  assert.equal(result.cause, 'https_required');
});

test('a name that leads to one public and one private address is refused', async () => {
  const result = await makeSender({ lookup: async () => ['127.0.0.1', '10.0.0.8'] }).send(request(`http://${HOST}/`));
  assert.equal(result.cause, 'address_blocked');
});

test('proxy variables change nothing', async (t) => {
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY'];
  for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : 'http://127.0.0.1:9';
  t.after(() => names.forEach((name) => delete process.env[name]));
  await withServer({ onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
    assert.equal((await sender.send(request(`http://127.0.0.1:${server.port}/`))).cause, 'ok');
  });
});

test('headers that could break out of their line, or that frame the message, are refused', async () => {
  await withServer({ onRequest: ({ socket }) => answer(socket, '200 OK') }, async (server, sender) => {
    const bad: readonly Record<string, string>[] = [
      { 'x-a': 'b\r\nx-c: d' },
      { 'x-a': 'b\0' },
      { 'x a': 'b' },
      { 'x-a': 'ключ' },
      { Host: 'evil' },
      { 'transfer-encoding': 'chunked' },
      { '': 'b' },
    ];
    for (const headers of bad) {
      assert.equal((await sender.send(request(`http://127.0.0.1:${server.port}/`, { headers }))).cause, 'request_refused');
    }
    assert.equal(server.connections(), 0);
  });
});

test('the request on the wire: exact bytes, host with port, path and query as given', () =>
  withServer(
    { onRequest: ({ socket, head, body }) => answer(socket, '200 OK', [], JSON.stringify([head, body.toString('hex')])) },
    async (server, sender) => {
      const body = Buffer.from([0, 255, 13, 10, 13, 10, 200]);
      const result = await sender.send(
        request(`http://${HOST}:${server.port}/a%20b/ü?x=1&y=%0d`, { body, headers: { 'x-signature': 'abc' } }),
      );
      const [head, hex] = JSON.parse(Buffer.from(result.body).toString()) as [string, string];
      assert.equal(hex, body.toString('hex'));
      assert.equal(
        head,
        `POST /a%20b/%C3%BC?x=1&y=%0d HTTP/1.1\r\nhost: ${HOST}:${server.port}\r\nx-signature: abc\r\ncontent-length: 7\r\n`,
      );
    },
  ));
