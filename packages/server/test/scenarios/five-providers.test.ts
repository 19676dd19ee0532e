import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { receive } from '@paybell/sdk';
import type { ScenarioName } from '@paybell/sdk';
import { ADMIN_KEY, startServer } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';
import type { Sink } from '../support/sink.ts';
import { providerOutside } from './provider-calls.ts';
import type { Told } from './provider-calls.ts';

const USDC_ON_BASE = 'eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913';
/** The payment of each provider's stories: base units, exponent, currency; and where the money stood before it came late. */
const PROVIDERS = {
  malipopay: { money: ['4500000', 2, 'TZS'], ack: '{"received":true}', before: 'failed' },
  echezona: { money: ['500000', 2, 'NGN'], ack: '{"received":true}', before: 'failed' },
  makapay: { money: ['25500000', 6, USDC_ON_BASE], ack: '{"received":true}', before: 'partially_succeeded' },
  serixpay: { money: ['100000', 2, 'KES'], ack: '{"received":true}', before: 'expired' },
  altafinex: { money: ['10000', 2, 'THB'], ack: '{"received":true}', before: 'failed' },
  stripe: { money: ['4200', 2, 'USD'], ack: '{"received":true}', before: 'failed' },
  adyen: { money: ['1130', 2, 'EUR'], ack: '[accepted]', before: 'canceled' },
} as const;
const STORIES: readonly ScenarioName[] = ['happy', 'duplicate', 'out-of-order', 'late-success', 'bad-signature'];

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

for (const [id, expected] of Object.entries(PROVIDERS)) {
  describe(`${id}, from its webhook to the merchant's app`, () => {
    const told = new Map<ScenarioName, readonly Told[]>();
    let sink: Sink;
    let endpoint: { id: string; secret: string };
    let outside: Awaited<ReturnType<typeof providerOutside>>;
    const every = (): Told[] => [...told.values()].flat();
    const list = async (path: string): Promise<Row[]> =>
      (await server.call('GET', `${path}${path.includes('?') ? '&' : '?'}merchant=${id}&limit=200`)).body.data;

    before(async () => {
      sink = await startSink();
      await server.call('POST', '/v1/merchants', { id, name: id });
      outside = await providerOutside(server, { id, merchant: id });
      const options = outside.provider.exampleOptions;
      const made = await server.call('POST', '/v1/endpoints', { url: sink.url, provider: id, merchant: id, ...(options && { options }) });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      endpoint = made.body;
      for (const name of STORIES) told.set(name, await outside.tell(name, `${id}-${name}`));
    });
    after(() => sink.close());

    it('is answered as it expects, and refused where the signature is wrong', () => {
      for (const { step, status, contentType, answer } of every()) {
        if (step.fault === undefined) assert.deepEqual([status, answer], [200, expected.ack]);
        else
          assert.deepEqual(
            [status, contentType.split(';')[0], (JSON.parse(answer) as Row).code],
            [401, 'application/problem+json', 'signature_rejected'],
          );
      }
    });

    it('is kept byte by byte with the right verdict', async () => {
      const requests = await list('/v1/requests');
      assert.equal(requests.length, every().length);
      const wanted = { accepted: 0, duplicate: 0, rejected: 0 };
      const seen = new Set<string>();
      for (const { step, body } of every()) {
        const sha256 = createHash('sha256').update(body).digest('hex');
        wanted[step.fault ? 'rejected' : seen.has(step.id) ? 'duplicate' : 'accepted'] += 1;
        seen.add(step.id);
        const row = requests.find((one) => one.sha256 === sha256);
        assert.ok(row, `no request with the bytes of ${step.type}`);
        const kept = await fetch(`${server.url}/v1/requests/${row.id}/body`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
        assert.deepEqual(Buffer.from(await kept.arrayBuffer()), body);
      }
      const counted = { accepted: 0, duplicate: 0, rejected: 0 };
      for (const { verdict } of requests) counted[verdict as keyof typeof counted] += 1;
      assert.deepEqual(counted, wanted);
      assert.equal(requests.find(({ verdict }) => verdict === 'rejected')?.reason, 'signature_mismatch');
    });

    it('is one payment in the ledger, whatever the order and number of its webhooks', async () => {
      for (const name of STORIES) {
        const story = told.get(name) ?? [];
        const ids = await transactionsOf(story, list);
        if (name === 'bad-signature') {
          assert.deepEqual(ids, [], 'a forged webhook touches no money');
          continue;
        }
        const payments = (await list('/v1/transactions?kind=payment')).filter((row) => ids.includes(row.id));
        assert.equal(payments.length, 1, name);
        const { body: payment } = await server.call('GET', `/v1/transactions/${payments[0]?.id}`);
        assert.equal(payment.status, 'succeeded', name);
        assert.deepEqual([payment.amount.value, payment.amount.exponent, payment.amount.currency], expected.money, name);
        const distinct = new Set(story.map(({ step }) => step.id)).size;
        assert.equal(payment.timeline.length + payment.children.length, distinct, `${name}: each fact once`);
        if (name === 'late-success') assert.equal(payment.timeline.at(-1).from, expected.before);
      }
    });

    it('is passed on in the same format, signed so that the SDK verifies it', async () => {
      const facts = new Map(
        every()
          .filter(({ step }) => step.fault === undefined)
          .map((one) => [one.step.id, one.step.type]),
      );
      await sink.reached(facts.size);
      const options = outside.provider.exampleOptions;
      const types = sink.calls.map(({ headers, body }) => {
        const got = receive(id, { body, headers, secret: endpoint.secret, now: Date.now(), ...(options && { options }) });
        assert.ok(got.ok, JSON.stringify(got));
        return got.facts[0]?.type;
      });
      assert.deepEqual(types.map(String).toSorted(), [...facts.values()].toSorted());
      assert.deepEqual(await list('/v1/deliveries?status=failed'), []);
    });
  });
}

// oxlint-disable-next-line typescript/no-explicit-any -- rows of every list
type Row = any;

/** Ids of the transactions that the requests of a story touch. */
async function transactionsOf(story: readonly Told[], list: (path: string) => Promise<Row[]>): Promise<string[]> {
  const hashes = new Set(story.map(({ body }) => createHash('sha256').update(body).digest('hex')));
  const requests = new Set((await list('/v1/requests')).filter(({ sha256 }) => hashes.has(sha256)).map(({ id }) => id));
  const events = (await list('/v1/events')).filter(({ request }) => requests.has(request));
  return [...new Set(events.map(({ transaction }) => String(transaction)))];
}
