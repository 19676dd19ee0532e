import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import Fastify from 'fastify';
import { answerErrors } from '../../src/http/errors.ts';
import type { Api, RouteParts } from '../../src/http/parts.ts';
import { live } from '../../src/http/routes/live.ts';
import { validatorCompiler } from '../../src/http/validate.ts';
import { Hub } from '../../src/live/hub.ts';
import { openStream } from '../../src/live/sse.ts';
import { ADMIN, codeOf, paymentBody, startServer } from '../http/setup.ts';
import type { TestServer } from '../http/setup.ts';
import { Stream } from '../support/stream.ts';
import type { Frame } from '../support/stream.ts';

const open = (url: string, headers: Record<string, string> = {}): Promise<Stream> =>
  Stream.open(url, { authorization: `Bearer ${ADMIN}`, ...headers });

describe('live streams of a server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  it('send the rows as the API shows them', async () => {
    const source = await server.source();
    const stream = await open(`${server.url}/v1/live`);
    await source.post(paymentBody());
    await stream.until(
      () => stream.frames.some(({ event }) => event === 'request') && stream.frames.some(({ event }) => event === 'transaction'),
    );
    for (const kind of ['request', 'transaction']) {
      const { data } = stream.frames.find(({ event }) => event === kind)!;
      assert.deepEqual((await server.call('GET', `/v1/${kind}s`)).json.data[0], data);
    }
    stream.close();
  });

  it('resume with Last-Event-ID or since, without loss or repeat, however often they break', async () => {
    const source = await server.source();
    const path = `${server.url}/v1/live?topics=requests`;
    const whole = await open(path);
    const pieces: Frame[] = [];
    let piece = await open(path);
    for (let round = 0; round < 6; round++) {
      const before = pieces.length;
      await Promise.all([source.post(paymentBody()), source.post(paymentBody())]);
      await piece.until(() => piece.frames.length > 0);
      const { lastId } = piece;
      piece.close();
      pieces.push(...piece.frames);
      assert.ok(pieces.length > before);
      await source.post(paymentBody());
      piece = round % 2 === 0 ? await open(path, { 'last-event-id': lastId }) : await open(`${path}&since=${lastId}`);
    }
    const all = (): string[] => [...pieces, ...piece.frames].map(({ id }) => id);
    await whole.until(() => whole.frames.length === 18);
    await piece.until(() => all().length >= 18);
    assert.deepEqual(
      all(),
      whole.frames.map(({ id }) => id),
    );
    assert.equal(new Set(all()).size, 18);
    whole.close();
    piece.close();
  });

  it('answer reset to what cannot be resumed', async () => {
    const stream = await open(`${server.url}/v1/live?since=other-12`);
    await stream.until(() => stream.frames.length > 0);
    assert.equal(stream.frames[0]!.event, 'reset');
    stream.close();
  });

  it('show a merchant only its own, and refuse unknown topics', async () => {
    const [mine, theirs] = [await server.merchant('live-mine'), await server.merchant('live-theirs')];
    const [own, other] = [await server.source(mine), await server.source(theirs)];
    const stream = await open(`${server.url}/v1/live`, { authorization: `Bearer ${mine}` });
    await other.post(paymentBody());
    await own.post(paymentBody());
    await stream.until(() => stream.frames.some(({ event }) => event === 'transaction'));
    assert.deepEqual([...new Set(stream.frames.map(({ data }) => data.merchant))], ['live-mine']);
    stream.close();
    assert.equal(codeOf(await server.call('GET', '/v1/live?topics=requets')), 'invalid_query');
    assert.equal(codeOf(await server.call('GET', '/v1/live?merchant=live-theirs', { key: mine })), 'forbidden');
    assert.equal(codeOf(await server.call('GET', '/v1/live', { key: null })), 'unauthorized');
  });
});

describe('live streams on sockets', () => {
  it('answer 503 when as many are open as may be', async () => {
    const hub = new Hub('e1', { maxReaders: 1 });
    const app = Fastify();
    app.setValidatorCompiler(validatorCompiler);
    app.decorateRequest('caller', { getter: () => ({ key: 'key_1', merchant: null }) });
    answerErrors(app, { info() {}, warn() {}, error() {} }, () => null);
    // The route asks its parts for the hub alone.
    live(app as unknown as Api, { hub } as RouteParts);
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const stream = await open(`${url}/live`);
    const second = await fetch(`${url}/live`);
    assert.deepEqual([second.status, ((await second.json()) as { code: string }).code], [503, 'too_many_streams']);
    stream.close();
    hub.close();
    await app.close();
  });

  it('drop a reader that stops reading, keep little for it, and go on with the others', async () => {
    const hub = new Hub('e1', { maxBacklogBytes: 65_536 });
    const http = createServer((_request, response) => {
      response.once('close', hub.subscribe({ merchant: null, topics: new Set(['request'] as const), since: null }, openStream(response)));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    const [stuck] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
    stuck.on('error', () => {});
    stuck.pause();
    const quick = await open(url);
    const row = JSON.stringify('x'.repeat(16_000));
    // What the kernel buffers on loopback is a few megabytes; far more is sent.
    let sent = 0;
    while (hub.readers === 2 && sent < 4_000) {
      hub.publish({ topic: 'request', merchant: 'default', weight: row.length, json: () => row });
      sent++;
      await quick.until(() => quick.frames.length === sent);
    }
    assert.equal(hub.readers, 1, `still there after ${sent} messages`);
    assert.equal(hub.dropped, 1);
    hub.publish({ topic: 'request', merchant: 'default', weight: 1, json: () => '1' });
    await quick.until(() => quick.frames.length === sent + 1);
    quick.close();
    hub.close();
    http.close();
    http.closeAllConnections();
  });
});
