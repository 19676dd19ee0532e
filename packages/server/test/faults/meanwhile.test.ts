/** A50, A52, A53: what happens to an endpoint, or what it does itself, while a call to it is on its way. Real sockets, engine and store. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../support/server.ts';
import type { Answered, TestServer } from '../support/server.ts';

const WITHIN_MS = 15_000;

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

type Handler = (id: string, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** An app that does so with every webhook, and is gone afterwards. */
async function withApp(handler: Handler, run: (url: string, ids: readonly string[]) => Promise<void>): Promise<void> {
  const ids: string[] = [];
  const app = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      ids.push(id);
      void handler(id, response, request);
    });
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  try {
    await run(`http://127.0.0.1:${(app.address() as AddressInfo).port}/`, ids);
  } finally {
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
  }
}

async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!(await ask())) {
    if (performance.now() > end) assert.fail(`not within ${WITHIN_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const create = async (body: Record<string, unknown>): Promise<string> => (await server.call('POST', '/v1/endpoints', body)).body.id;
const publish = async (type: string): Promise<string> => (await server.call('POST', '/v1/events', { type, data: {} })).body.id;

async function deliveriesOf(endpoint: string): Promise<Answered[]> {
  const { data } = (await server.call('GET', `/v1/deliveries?endpoint=${endpoint}`)).body;
  return Promise.all(
    (data as { id: string }[]).map(async ({ id }): Promise<Answered> => (await server.call('GET', `/v1/deliveries/${id}`)).body),
  );
}

describe('meanwhile', { timeout: 60_000 }, () => {
  for (const [how, away] of [
    ['disabled', (id: string) => server.call('PATCH', `/v1/endpoints/${id}`, { active: false })],
    ['deleted', (id: string) => server.call('DELETE', `/v1/endpoints/${id}`)],
  ] as const) {
    it(`A50 an endpoint that is ${how} in flight: the result is written, nothing is tried any more`, async () => {
      let finish: (status: number) => void = () => assert.fail('nothing is in flight');
      const handler: Handler = (_id, response) => {
        finish = (status) => response.writeHead(status).end();
      };
      await withApp(handler, async (url, ids) => {
        const endpoint = await create({ url, events: [`fly.${how}`], retry: { delays: ['0s', '1ms', '1ms'] } });
        await publish(`fly.${how}`);
        await until('it is called', () => ids.length === 1);
        await away(endpoint);
        finish(500);
        await until('its result is written', async () => (await deliveriesOf(endpoint))[0].attempts.length === 1);
        const [delivery] = await deliveriesOf(endpoint);
        assert.deepEqual([delivery.attempts[0].cause, delivery.attempts[0].statusCode], ['http_5xx', 500]);
        assert.equal(delivery.status, how === 'deleted' ? 'failed' : 'pending');
        assert.equal(ids.length, 1);
      });
    });
  }

  it('A52 a 200 after the deadline: timeout, and once more with the same id', async () => {
    let late: NodeJS.Timeout | undefined;
    const handler: Handler = (_id, response) => {
      if (late !== undefined) return void response.end();
      late = setTimeout(() => response.end(), 1_300);
    };
    await withApp(handler, async (url, ids) => {
      const endpoint = await create({ url, events: ['late.one'], timeout: '1s', retry: { delays: ['0s', '500ms'] } });
      const event = await publish('late.one');
      await until('it is delivered', async () => (await deliveriesOf(endpoint))[0].status === 'succeeded');
      const [delivery] = await deliveriesOf(endpoint);
      assert.deepEqual(
        delivery.attempts.map(({ outcome, cause }: Answered) => [outcome, cause]),
        [
          ['failed', 'timeout'],
          ['succeeded', 'ok'],
        ],
      );
      assert.deepEqual(ids, [event, event]);
    });
    clearTimeout(late);
  });

  it('A53 an endpoint that calls the API back before it answers holds up nothing, itself included', async () => {
    const seen: string[] = [];
    const handler: Handler = async (id, response) => {
      const asked = await server.call('GET', `/v1/events/${id}`);
      const listed = await server.call('GET', `/v1/deliveries?event=${id}`);
      seen.push(`${asked.body.type} ${listed.body.data[0].status}`);
      if (asked.body.type === 'callback.first') await publish('callback.second');
      response.end();
    };
    await withApp(handler, async (url, ids) => {
      const endpoint = await create({ url, events: ['callback.*'], maxInFlight: 1 });
      for (let n = 0; n < 5; n += 1) await publish('callback.first');
      await until('all are taken', async () => {
        const all = await deliveriesOf(endpoint);
        return all.length === 10 && all.every(({ status }) => status === 'succeeded');
      });
      assert.equal(ids.length, 10);
      assert.deepEqual([...new Set(seen)].sort(), ['callback.first pending', 'callback.second pending']);
    });
  });
});
