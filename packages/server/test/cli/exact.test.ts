import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, paybell, cleanUp, startServer } from './paybell.ts';
import type { Server } from './paybell.ts';

let server: Server;
let source: { id: string };
const env = { PAYBELL_ADMIN_KEY: ADMIN_KEY };

before(async () => {
  server = await startServer([], { env: { PAYBELL_LOG_LEVEL: 'warn' } });
  source = await server.api('POST', '/v1/sources', { provider: 'serixpay', secret: 'a-secret', name: 'shop' });
});
after(async () => {
  await server.stop();
  cleanUp();
});

const run = (...args: string[]) => paybell([...args, '--server', server.url], { env });

describe('paybell events get', () => {
  it('shows numbers as they were published, never rounded', async () => {
    const data = '{"amount":9007199254740993,"price":10.10,"vast":1e400,"small":3}';
    const answer = await fetch(`${server.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: `{"type":"order.created","data":${data}}`,
    });
    const { id } = (await answer.json()) as { id: string };
    assert.ok((await run('events', 'get', id, '--json')).stdout.includes(`"data":${data}`));
    assert.match((await run('events', 'get', id)).stdout, /"amount": 9007199254740993,\n {4}"price": 10.10,\n {4}"vast": 1e400,\n/);
    assert.ok((await run('events', 'list', '--type', 'order.created', '--json')).stdout.includes(`"data":${data}`));
  });
});

describe('paybell tx get', () => {
  it('finds a reference that is the beginning of another one', async () => {
    for (const id of ['ORDER-7', 'ORDER-77']) {
      const sent = await run('trigger', 'serixpay', 'payment.completed', '--source', source.id, '--set', `orderId=${id}`);
      assert.equal(sent.code, 0, sent.stderr);
    }
    const { code, stdout, stderr } = await run('tx', 'get', 'ORDER-7', '--json');
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { reference: string }).reference, 'ORDER-7');
    assert.equal((await run('tx', 'get', 'ORDER')).code, 1);
  });
});
