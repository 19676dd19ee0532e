import assert from 'node:assert/strict';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { providerOutside } from './provider-calls.ts';

const WEBHOOKS = 300;
/** The reader goes away each time that it has got this many more. */
const DROP_AFTER = 40;
const AT_ONCE = 12;

interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

describe('the live stream', { timeout: 30_000 }, () => {
  it('loses and repeats nothing for a reader that goes away in the middle of a burst, again and again', async () => {
    const outside = await providerOutside(server, { id: 'serixpay', merchant: 'default' });
    const got: Message[] = [];
    const first = await open('/v1/live?topics=requests');
    let last = (await first.next()).id;
    first.drop();
    const burst = sendAll(outside, WEBHOOKS);
    let connections = 0;
    while (got.length < WEBHOOKS) {
      const reader = await open('/v1/live?topics=requests', last);
      connections += 1;
      for (let n = 0; n < DROP_AFTER && got.length < WEBHOOKS;) {
        const message = await reader.next();
        last = message.id;
        if (message.data === '') continue;
        got.push(message);
        n += 1;
      }
      reader.drop();
    }
    await burst;
    assert.ok(connections >= WEBHOOKS / DROP_AFTER - 1, `${connections} connections`);
    assert.deepEqual(new Set(got.map(({ event }) => event)), new Set(['request']));
    assert.equal(new Set(got.map(({ id }) => id)).size, WEBHOOKS, 'no message came twice');
    const rows = new Set(got.map(({ data }) => (JSON.parse(data) as { id: string }).id));
    assert.deepEqual(rows, await requestIds(), 'each request came, once');
    const rest = await open('/v1/live?topics=requests', last);
    assert.equal((await rest.next()).data, '', 'nothing is left to tell');
    rest.drop();
  });

  it('answers an id that it cannot resume from with reset', async () => {
    for (const id of ['another-7', 'nonsense', '999999999999']) {
      const reader = await open('/v1/live', id);
      assert.equal((await reader.next()).event, 'reset', id);
      reader.drop();
    }
  });
});

async function sendAll(outside: Awaited<ReturnType<typeof providerOutside>>, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n).values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const n of numbers) {
        const data = { transactionId: `txn_live_${n}`, amount: 100 + n, currency: 'KES' };
        const { status } = await outside.send({
          type: 'payment.completed',
          id: `evt_live_${n}`,
          data: data as never,
          occurredAt: Date.now(),
          delayMs: 0,
        });
        assert.equal(status, 200);
      }
    }),
  );
}

async function requestIds(): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body } = await server.call('GET', `/v1/requests?limit=200${page}`);
    for (const { id } of body.data as { id: string }[]) ids.add(id);
    cursor = body.nextCursor as string | null;
  } while (cursor !== null);
  return ids;
}

interface Reader {
  /** The next message that has an id or data, in order. */
  next(): Promise<Message>;
  /** Cuts the connection; what was not read yet is forgotten, as it is for a browser that goes away. */
  drop(): void;
}

async function open(path: string, last?: string): Promise<Reader> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, ...(last === undefined ? {} : { 'last-event-id': last }) };
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(server.url + path, { headers, agent: false }, resolve).on('error', reject),
  );
  assert.equal(response.statusCode, 200);
  const messages = parse(response);
  return {
    async next() {
      const { value, done } = await messages.next();
      if (done === true) throw new Error('The stream ended.');
      return value;
    },
    drop: () => response.destroy(),
  };
}

async function* parse(response: IncomingMessage): AsyncGenerator<Message> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string): string => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (field('id') !== '' || field('data') !== '') yield { id: field('id'), event: field('event'), data: field('data') };
    }
  }
}
