import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { createDoor } from '../../src/http/door.ts';
import type { Arrived } from '../../src/http/door.ts';
import { createListener, LIMITS } from '../../src/http/listener.ts';
import { readPlain } from '../../src/http/plain.ts';
import { paymentBody, SECRET, startServer } from './setup.ts';

const HEAD = ['POST /in/src_1 HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Content-Length: 5'];
const bytes = (lines: readonly string[], body = 'hello'): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
const withLine = (line: string): Buffer => bytes([...HEAD, line]);

describe('a plain webhook', () => {
  it('is read as it is, with what comes behind it', () => {
    const read = readPlain(Buffer.concat([bytes([...HEAD, 'X-A:  b c\t', 'x-a: d']), Buffer.from('POST')]));
    assert.deepEqual(
      { ...read, body: read?.body.toString(), rest: read?.rest?.toString() },
      {
        source: 'src_1',
        path: '/in/src_1',
        host: 'x',
        rawHeaders: ['Host', 'x', 'Content-Type', 'application/json', 'Content-Length', '5', 'X-A', 'b c', 'x-a', 'd'],
        body: 'hello',
        rest: 'POST',
      },
    );
    assert.equal(readPlain(withLine('Connection: Keep-Alive'))?.rest, null);
    assert.equal(readPlain(bytes(['POST /in/s HTTP/1.1', 'Host: x', 'Content-Length: 0'], ''))?.body.length, 0);
  });

  const first = (line: string): Buffer => bytes([line, ...HEAD.slice(1)]);
  const others: Readonly<Record<string, Buffer>> = {
    'not whole': bytes(HEAD, 'hell'),
    'no end of its head': Buffer.from(HEAD.join('\r\n')),
    'another method': first('GET /in/src_1 HTTP/1.1'),
    'a method in small letters': first('post /in/src_1 HTTP/1.1'),
    'another version': first('POST /in/src_1 HTTP/1.0'),
    'another path': first('POST /v1/events HTTP/1.1'),
    'a query': first('POST /in/src_1?a=1 HTTP/1.1'),
    'a deeper path': first('POST /in/src_1/x HTTP/1.1'),
    'no source': first('POST /in/ HTTP/1.1'),
    'two lengths': withLine('content-length: 5'),
    'a list of lengths': bytes([...HEAD.slice(0, 3), 'Content-Length: 5, 5']),
    'a signed length': bytes([...HEAD.slice(0, 3), 'Content-Length: +5']),
    'no length': bytes(HEAD.slice(0, 3)),
    'a length above all bounds': bytes([...HEAD.slice(0, 3), 'Content-Length: 99999999999999999999']),
    chunks: withLine('Transfer-Encoding: chunked'),
    'chunks in odd letters': withLine('transfer-encodinG: identity'),
    'two hosts': withLine('host: y'),
    'no host': bytes([HEAD[0] ?? '', ...HEAD.slice(2)]),
    'an encoding': withLine('Content-Encoding: gzip'),
    'an expectation': withLine('Expect: 100-continue'),
    'an upgrade': withLine('Upgrade: h2c'),
    'a connection that ends': withLine('Connection: close'),
    'a folded line': withLine(' folded: x'),
    'a blank before the colon': withLine('X-A : b'),
    'a name with a blank': withLine('X A: b'),
    'no name': withLine(': b'),
    'no colon': withLine('nothing'),
    'a bare line feed': withLine('X-A: b\nContent-Length: 0'),
    'a bare carriage return': withLine('X-A: b\rc'),
    'a null byte': withLine('X-A: \0'),
    'bytes above ASCII': withLine('X-A: \xff'),
    'more headers than anybody sends': bytes([...HEAD, ...Array.from({ length: 70 }, (_, n) => `X-${n}: 1`)]),
    'a head above all bounds': withLine(`X-A: ${'a'.repeat(9_000)}`),
    'an empty line before it': Buffer.concat([Buffer.from('\r\n'), bytes(HEAD)]),
    'lines that end without CR': Buffer.from(`${HEAD.join('\n')}\n\nhello`),
  };
  for (const [what, request] of Object.entries(others)) it(`is not one with ${what}`, () => assert.equal(readPlain(request), null));
});

/** What comes back for pieces that are sent one after the other, each when the one before was answered. */
async function converse(port: number, pieces: readonly (string | Buffer)[], done: (answers: string) => boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answers = '';
  for (const piece of pieces) {
    socket.write(piece);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    answers += chunk.toString();
  }
  while (!done(answers)) answers += String(((await once(socket, 'data')) as [Buffer])[0]);
  socket.destroy();
  return answers;
}

const statuses = (answers: string): string[] => [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '');

/** A listener whose door answers with the body it got, slowly for `slow`. */
async function echo(test: TestContext): Promise<{
  port: number;
  sockets: Socket[];
  arrived: Arrived[];
  free: (() => void)[];
  close: () => Promise<void>;
  closing: () => void;
}> {
  const arrived: Arrived[] = [];
  const free: (() => void)[] = [];
  let closing = false;
  const take = async (webhook: Arrived) => {
    arrived.push(webhook);
    const text = Buffer.from(webhook.body).toString();
    if (text === 'slow!') await new Promise<void>((resolve) => free.push(resolve));
    return { status: 200, headers: { 'content-type': 'text/plain' }, text };
  };
  const door = {
    ...createDoor({} as never),
    take,
    open: (_: unknown, response: { end(text: string): void }) => response.end('by node:http'),
  };
  const server = createListener(
    { door, fastify: (_request, response) => response.end('fastify'), isClosing: () => closing },
    { ...LIMITS, headersTimeoutMs: 150, keepAliveMs: 150 },
  );
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    sockets,
    port: (server.address() as AddressInfo).port,
    arrived,
    free,
    closing: () => {
      closing = true;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

describe('a connection', () => {
  it('is answered in order, however its requests fall into packets', async (test) => {
    const { port, arrived, close } = await echo(test);
    const three = Buffer.concat([bytes(HEAD, 'aaaaa'), bytes(HEAD, 'bbbbb'), bytes(HEAD, 'ccccc')]);
    const answers = await converse(port, [three], (text) => text.endsWith('ccccc'));
    assert.deepEqual(answers.match(/[abc]{5}/g), ['aaaaa', 'bbbbb', 'ccccc']);
    assert.match(answers, /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\ndate: \w{3}, .* GMT\r\nconnection: keep-alive\r\n/);
    assert.equal(arrived.length, 3);
    await close();
  });

  it('goes to node:http with the first thing that is not plain, and stays there', async (test) => {
    const { port, arrived, sockets, close } = await echo(test);
    const odd = bytes([...HEAD, 'Connection: keep-alive, x']);
    const answers = await converse(port, [bytes(HEAD), odd, bytes(HEAD)], () => true);
    assert.deepEqual([arrived.length, answers.match(/hello|by node:http/g)], [1, ['hello', 'by node:http', 'by node:http']]);
    const api = await converse(port, ['GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n'], () => true);
    assert.match(api, /fastify$/);
    const torn = connect(port, '127.0.0.1');
    torn.setNoDelay(true);
    const whole = bytes(HEAD);
    torn.write(whole.subarray(0, 30));
    while (sockets.at(-1)?.bytesRead !== 30) await new Promise<void>((resolve) => setImmediate(resolve));
    torn.write(whole.subarray(30));
    assert.match(String(((await once(torn, 'data')) as [Buffer])[0]), /by node:http$/);
    torn.destroy();
    await close();
  });

  it('takes what is behind an unanswered request, odd or not, when its turn comes', async (test) => {
    const { port, arrived, free, close } = await echo(test);
    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.concat([bytes(HEAD, 'slow!'), Buffer.from('GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n')]));
    while (free.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    assert.equal(arrived.length, 1);
    free[0]?.();
    let text = '';
    while (!text.endsWith('fastify')) text += String(((await once(socket, 'data')) as [Buffer])[0]);
    assert.deepEqual(statuses(text), ['200', '200']);
    socket.destroy();
    await close();
  });

  it('that ends its side is answered and closed', async (test) => {
    const { port, close } = await echo(test);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(bytes(HEAD));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, 'end');
    assert.match(text, /hello$/);
    socket.destroy();
    await close();
  });

  it('that says nothing, or nothing more, is closed in time', async (test) => {
    const { port, close } = await echo(test);
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'close');
    const spoken = connect(port, '127.0.0.1');
    spoken.write(bytes(HEAD));
    spoken.resume();
    await once(spoken, 'close');
    await close();
  });

  it('in use while the server closes gets its answer, with the end announced; an idle one is closed', async (test) => {
    const { port, free, close, closing } = await echo(test);
    const idle = connect(port, '127.0.0.1');
    idle.write(bytes(HEAD));
    await once(idle, 'data');
    const used = connect(port, '127.0.0.1');
    used.write(bytes(HEAD, 'slow!'));
    while (free.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    closing();
    const closed = close();
    await once(idle, 'close');
    free[0]?.();
    const [answer] = (await once(used, 'data')) as [Buffer];
    assert.match(String(answer), /connection: close[\s\S]*slow!$/);
    await closed;
  });
});

describe('both ways through the door', () => {
  it('give the same answers and keep the same', async () => {
    const server = await startServer();
    const source = await server.source();
    const port = Number(new URL(server.url).port);
    const rows: Record<string, unknown>[] = [];
    const answers: string[] = [];
    // `Connection: Keep-alive` is plain; the same with a second word is not.
    for (const connection of ['Keep-alive', 'Keep-alive, x-nothing']) {
      for (const secret of [SECRET, 'wrong']) {
        const body = paymentBody();
        const signature = createHmac('sha256', secret).update(body).digest('hex');
        const head = [`POST /in/${source.id} HTTP/1.1`, 'Host: x', `Content-Length: ${Buffer.byteLength(body)}`];
        const request = bytes([...head, `X-SerixPay-Signature: ${signature}`, `Connection: ${connection}`], body);
        const text = await converse(port, [request], (all) => all.includes('}'));
        answers.push(`${statuses(text)[0]} ${text.slice(text.indexOf('\r\n\r\n') + 4).replaceAll(/req_\w+/g, 'req')}`);
        const { data } = (await server.call('GET', `/v1/requests?source=${source.id}`)).json;
        const { verdict, reason, size, headers } = data[0];
        rows.push({ verdict, reason, size: size > 0, headers: Object.keys(headers) });
      }
    }
    assert.deepEqual(answers.slice(0, 2), answers.slice(2));
    assert.deepEqual(rows.slice(0, 2), rows.slice(2));
    assert.deepEqual(statuses(answers.map((text) => `HTTP/1.1 ${text}`).join(' ')), ['200', '401', '200', '401']);
    await server.stop();
  });
});
