import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { headersOf, MAX_WEBHOOK_BYTES } from '../../src/http/door.ts';
import { answerBrokenRequest, createListener, LIMITS } from '../../src/http/listener.ts';
import { codeOf, paymentBody, signed, startServer } from './setup.ts';
import type { TestServer } from './setup.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

/** Everything that a server answers to these bytes, until it closes. */
async function talk(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('the door for webhooks', () => {
  it('answers what the provider expects, and keeps the exact bytes', async () => {
    const source = await server.source();
    const body = `\ufeff${paymentBody({ note: '\u00e9 "\\u00e9" 1.00 <script>' })}\r\n `;
    const answer = await source.post(body);
    assert.deepEqual([answer.status, answer.json], [200, { received: true }]);
    const { data } = (await server.call('GET', `/v1/requests?source=${source.id}`)).json;
    const kept = await fetch(`${server.url}/v1/requests/${data[0].id}/body`, {
      headers: { authorization: 'Bearer admin-key-of-the-http-tests' },
    });
    assert.deepEqual(Buffer.from(await kept.arrayBuffer()), Buffer.from(body));
    assert.equal(kept.headers.get('content-type'), 'application/octet-stream');
    assert.equal(kept.headers.get('x-content-type-options'), 'nosniff');
    assert.match(kept.headers.get('content-disposition')!, /^attachment/);
  });

  it('keeps bytes that are no text', async () => {
    const source = await server.source();
    const body = Buffer.from([0xff, 0x00, 0xfe, 0x0a, 0xc3, 0x28]);
    assert.equal((await source.post(body)).status, 200, 'a right signature over what cannot be read is kept as unmapped');
    const { data } = (await server.call('GET', `/v1/requests?source=${source.id}`)).json;
    const kept = await fetch(`${server.url}/v1/requests/${data[0].id}/body`, {
      headers: { authorization: 'Bearer admin-key-of-the-http-tests' },
    });
    assert.deepEqual(Buffer.from(await kept.arrayBuffer()), body);
  });

  it('takes every content type, also one that is none, and no content type', async () => {
    const source = await server.source();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'garbage', 'application/json; charset=latin1']) {
      assert.equal((await source.post(paymentBody(), { 'content-type': type })).status, 200, type);
    }
    const body = paymentBody();
    const head = [
      `POST /in/${source.id}?a=1 HTTP/1.1`,
      'Host: x',
      'Connection: close',
      `Content-Length: ${body.length}`,
      `X-SerixPay-Signature: ${signed(body)['x-serixpay-signature']}`,
    ];
    assert.match(await talk(server.url, `${head.join('\r\n')}\r\n\r\n${body}`), /^HTTP\/1\.1 200/);
  });

  it('keeps a rejected request with its diagnosis, and says how to look further', async () => {
    const source = await server.source();
    const answer = await source.post(paymentBody(), { 'x-serixpay-signature': 'zz' });
    assert.equal(codeOf(answer), 'signature_rejected');
    assert.match(answer.json.request, /^req_/);
    assert.match(answer.json.hint, /npx paybell verify/);
    const request = (await server.call('GET', `/v1/requests/${answer.json.request}`)).json;
    assert.equal(request.verdict, 'rejected');
    assert.equal(request.reason, answer.json.reason);
    assert.ok(request.diagnosis);
  });

  it('hides credentials in what is shown of a request', async () => {
    const source = await server.source();
    await source.post(paymentBody(), { authorization: 'Bearer hidden-1', cookie: 'a=hidden-2', 'x-callback-token': 'hidden-3' });
    const list = await server.call('GET', `/v1/requests?source=${source.id}`);
    const one = await server.call('GET', `/v1/requests/${list.json.data[0].id}`);
    for (const { text } of [list, one]) assert.doesNotMatch(text, /hidden-\d/);
    assert.match(one.text, /x-serixpay-signature/i);
  });

  it('answers 413 to a body over the limit, with and without its length, and keeps nothing of it', async () => {
    const source = await server.source();
    const path = `/in/${source.id}`;
    const big = Buffer.alloc(MAX_WEBHOOK_BYTES + 1, 0x20);
    assert.equal(codeOf(await server.call('POST', path, { raw: big })), 'payload_too_large');
    const chunked = Buffer.concat([
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n`),
      big,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    assert.match(await talk(server.url, chunked), /^HTTP\/1\.1 413 /);
    assert.deepEqual((await server.call('GET', `/v1/requests?source=${source.id}`)).json.data, []);
    assert.notEqual((await source.post(Buffer.alloc(MAX_WEBHOOK_BYTES, 0x20))).status, 413, 'the limit itself is not over it');
  });

  it('answers 415 to a content encoding, 404 to a stranger, 405 to other methods', async () => {
    const source = await server.source();
    assert.equal(codeOf(await source.post(paymentBody(), { 'content-encoding': 'gzip' })), 'unsupported_encoding');
    assert.equal((await source.post(paymentBody(), { 'content-encoding': 'identity' })).status, 200);
    for (const id of ['src_none', '', '..%2f..', '__proto__', 'x'.repeat(500)]) {
      const answer = await server.call('POST', `/in/${id}`, { raw: '{}' });
      assert.equal(codeOf(answer), 'unknown_source', id);
    }
    const get = await server.call('GET', `/in/${source.id}`);
    assert.deepEqual([codeOf(get), get.headers.get('allow')], ['method_not_allowed', 'POST']);
  });

  it('sees a header that came twice as two', () => {
    assert.deepEqual({ ...headersOf(['X-Sig', 'a', 'Host', 'h', 'x-sig', 'b', 'X-SIG', 'c']) }, { 'x-sig': ['a', 'b', 'c'], host: 'h' });
    assert.equal(headersOf(['__proto__', 'a'])['__proto__'], 'a');
  });
});

describe('what is not HTTP, or comes too slowly', () => {
  it('answers a problem document to broken requests and to headers over the limit', async () => {
    assert.match(await talk(server.url, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"code":"bad_request"/);
    assert.match(
      await talk(server.url, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(LIMITS.headerBytes)}\r\n\r\n`),
      /^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/,
    );
    assert.match(
      await talk(server.url, 'POST /in/src_1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      /^HTTP\/1\.1 400 /,
    );
  });

  it('gives up on a body that drips, and answers 503 while it stops', async () => {
    let closing = false;
    const listener = createListener(
      {
        door: { open: (request) => void request.resume(), take: () => Promise.reject(new Error('unused')) },
        fastify: (_request, response) => response.end('ok'),
        isClosing: () => closing,
      },
      { ...LIMITS, headersTimeoutMs: 100, requestTimeoutMs: 200, checkEveryMs: 50 },
    );
    listener.on('clientError', answerBrokenRequest);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    try {
      assert.match(
        await talk(url, 'POST /in/src_1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc'),
        /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/,
      );
      assert.match(await talk(url, 'POST /in/src_1 HTTP/1.1\r\nHost:'), /^HTTP\/1\.1 408 /);
      closing = true;
      const answer = await fetch(`${url}/v1/sources`);
      assert.deepEqual(
        [answer.status, answer.headers.get('retry-after'), ((await answer.json()) as { code: string }).code],
        [503, '2', 'closing'],
      );
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
    } finally {
      listener.close();
      listener.closeAllConnections();
    }
  });
});
