/** A29, D2-D4: endpoints that are down, over real sockets, through the real engine and store. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { test } from 'node:test';
import { startServer } from '../support/server.ts';
import type { Answered, TestServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';
import { answer, startFaultServer } from './fault-server.ts';

const WITHIN_MS = 15_000;
const events = (count: number, type = 'a.b') => ({ events: Array.from({ length: count }, () => ({ type, data: {} })) });

/** Asks until it is so, in a bounded number of turns. */
async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!(await ask())) {
    if (performance.now() > end) assert.fail(`not within ${WITHIN_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const health = async (server: TestServer, id: string): Promise<Answered> => (await server.call('GET', `/v1/endpoints/${id}`)).body.health;

async function refusedPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('A29 an endpoint that answers 500 is taken for down, says so, and gets all of it when it is back', async () => {
  let status = '500 Oops';
  const got = new Set<string>();
  let calls = 0;
  const endpoint = await startFaultServer({
    onRequest: ({ socket, head }) => {
      calls += 1;
      if (status.startsWith('200')) got.add(/webhook-id: (\S+)/.exec(head)?.[1] ?? '');
      answer(socket, status);
    },
  });
  const server = await startServer();
  try {
    const made = await server.call('POST', '/v1/endpoints', {
      url: `http://127.0.0.1:${endpoint.port}/`,
      retry: { delays: ['0s', '1s', '1s', '1s'] },
    });
    const { id } = made.body;
    assert.deepEqual([made.body.health.breaker, made.body.health.failingSince], ['closed', null]);
    await server.call('POST', '/v1/events/batch', events(60));
    await until('the breaker opens', async () => (await health(server, id)).breaker === 'open');
    const down = await health(server, id);
    assert.deepEqual([down.backlog, down.lastFailureCause, down.successRate], [60, 'http_5xx', 0]);
    assert.ok(Date.parse(down.failingSince) > 0 && Date.parse(down.nextProbeAt) > 0);
    assert.match((await server.call('GET', '/metrics')).body, /^paybell_open_breakers 1$/m);
    assert.ok(calls < 30, `${calls} calls of 60`);
    status = '200 OK';
    await until('all have come', async () => got.size === 60);
    await until('it is well', async () => (await health(server, id)).breaker === 'closed' && (await health(server, id)).backlog === 0);
    assert.equal((await health(server, id)).failingSince, null);
    const { data } = (await server.call('GET', '/v1/deliveries?limit=100')).body;
    assert.ok(data.every((row: Answered) => row.status === 'succeeded'));
  } finally {
    await server.stop();
    await endpoint.close();
  }
});

test('D2-D4 endpoints that hang, refuse, reset or slam the door cost the others nothing', async () => {
  const hang = await startFaultServer({ onRequest: () => undefined });
  const reset = await startFaultServer({ onConnection: (socket) => socket.resetAndDestroy() });
  const empty = await startFaultServer({ onRequest: ({ socket }) => socket.end() });
  const refused = await refusedPort();
  const sink = await startSink();
  const server = await startServer();
  try {
    const ports = [hang.port, reset.port, empty.port, refused];
    const bad: string[] = [];
    for (const [n, port] of Array.from({ length: 20 }, () => ports)
      .flat()
      .entries()) {
      const made = await server.call('POST', '/v1/endpoints', {
        url: `http://127.0.0.1:${port}/${n}`,
        timeout: '2s',
        events: ['*'],
        customEvents: true,
      });
      bad.push(made.body.id);
    }
    await server.call('POST', '/v1/endpoints', { url: sink.url, events: ['fine.*'], customEvents: true });
    await server.call('POST', '/v1/events/batch', events(30));
    await server.call('POST', '/v1/events/batch', events(40, 'fine.one'));
    // Long before the first of those that hang is given up.
    await sink.reached(40, 10_000);
    await until('all of them are taken for down', async () => {
      const { data } = (await server.call('GET', '/v1/endpoints?limit=100')).body;
      const open = data.filter(({ id, health: { breaker } }: Answered) => bad.includes(id) && breaker !== 'closed');
      return open.length === bad.length;
    });
    const pending = (await server.call('GET', '/v1/deliveries?status=failed')).body.data;
    assert.deepEqual(pending, [], 'nothing has failed for it');
    sink.calls.length = 0;
    await server.call('POST', '/v1/events/batch', events(40, 'fine.two'));
    await sink.reached(40, 10_000);
  } finally {
    await server.stop();
    await Promise.all([hang, reset, empty, sink].map((each) => each.close()));
  }
});

test('429 makes it slower, one call at a time if need be, and everything arrives', async () => {
  let flying = 0;
  let most = 0;
  let refusals = 0;
  const got = new Set<string>();
  const endpoint = await startFaultServer({
    onRequest: ({ socket, head }) => {
      flying += 1;
      if (flying > 3) {
        refusals += 1;
        flying -= 1;
        answer(socket, '429 Slow down');
        return;
      }
      most = Math.max(most, flying);
      setTimeout(() => {
        flying -= 1;
        got.add(/webhook-id: (\S+)/.exec(head)?.[1] ?? '');
        answer(socket, '200 OK');
      }, 20);
    },
  });
  const server = await startServer();
  try {
    const { body } = await server.call('POST', '/v1/endpoints', {
      url: `http://127.0.0.1:${endpoint.port}/`,
      maxInFlight: 64,
      retry: { first: '1s', factor: 1, cap: '1s', window: '60s' },
    });
    await server.call('POST', '/v1/events/batch', events(150));
    await until('all have come', async () => got.size === 150);
    assert.ok((await health(server, body.id)).limit <= 16, 'it has found its pace');
    assert.ok(refusals < 150, `${refusals} refusals of 150`);
    assert.equal((await server.call('GET', '/v1/deliveries?status=failed')).body.data.length, 0);
  } finally {
    await server.stop();
    await endpoint.close();
  }
});
