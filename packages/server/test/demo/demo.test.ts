import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ADMIN_KEY, cleanUp, paybell, startServer } from '../cli/paybell.ts';
import type { Server } from '../cli/paybell.ts';

after(cleanUp);

interface Transaction {
  readonly provider: string;
  readonly kind: string;
  readonly status: string;
  readonly flags: readonly string[];
  readonly amount: { readonly currency: string } | null;
}

/** Looks again until it is so; the demo has its own pace. */
async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 25_000;
  while (!(await isSo())) {
    if (Date.now() > until) assert.fail(`never came: ${what}`);
    await wait(100);
  }
}

async function transactions(server: Server, query: string): Promise<readonly Transaction[]> {
  return (await server.api<{ data: Transaction[] }>('GET', `/v1/transactions?limit=100&${query}`)).data;
}

describe('the demo', () => {
  it('shows within seconds what five providers, a merchant and their bad days look like', async () => {
    const server = await startServer(['--demo'], { env: { PAYBELL_LOG_LEVEL: 'warn' } });
    await eventually(
      'payments of all five providers',
      async () => new Set((await transactions(server, 'kind=payment')).map(({ provider }) => provider)).size === 5,
    );
    await eventually('a refund, a payout and a settlement', async () => {
      const counts = await Promise.all(
        ['refund', 'payout', 'settlement'].map(async (kind) => (await transactions(server, `kind=${kind}`)).length),
      );
      return counts.every((count) => count > 0);
    });
    await eventually('a partial withdrawal', async () => (await transactions(server, 'status=partially_succeeded')).length > 0);
    await eventually('a failure', async () => (await transactions(server, 'status=failed')).length > 0);
    await eventually('a duplicate', async () =>
      (await server.api<{ data: { duplicates: number }[] }>('GET', '/v1/requests?verdict=accepted&limit=100')).data.some(
        ({ duplicates }) => duplicates > 0,
      ),
    );
    await eventually(
      'a bad signature',
      async () => (await server.api<{ data: unknown[] }>('GET', '/v1/requests?verdict=rejected&limit=10')).data.length > 0,
    );
    await eventually('deliveries in all formats', async () => {
      const { data } = await server.api<{ data: { endpoint: string; status: string }[] }>(
        'GET',
        '/v1/deliveries?status=succeeded&limit=100',
      );
      return new Set(data.map(({ endpoint }) => endpoint)).size === 3;
    });
    // The merchant app checks every signature: a wrong one would show as 401.
    const { data } = await server.api<{ data: { statusCode: number | null }[] }>('GET', '/v1/deliveries?limit=100');
    assert.deepEqual(
      data.filter(({ statusCode }) => statusCode === 401 || statusCode === 404),
      [],
    );
    const doctor = await paybell(['doctor', '--data', server.dataDir]);
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
    assert.ok(!server.stderr().includes('Demo: the server has not answered'));
    assert.equal(await server.stop(), 0);
  });

  it('takes up its sources and endpoints again at the next start', async () => {
    const first = await startServer(['--demo'], { env: { PAYBELL_LOG_LEVEL: 'warn' } });
    await eventually('a payment', async () => (await transactions(first, 'kind=payment')).length > 0);
    await first.stop();
    const again = await startServer(['--demo'], { dataDir: first.dataDir, env: { PAYBELL_LOG_LEVEL: 'warn' } });
    const before = (await transactions(again, '')).length;
    await eventually('more payments', async () => (await transactions(again, '')).length > before + 3);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    for (const [path, count] of [
      ['/v1/sources', 5],
      ['/v1/endpoints', 3],
    ] as const) {
      const { data } = (await (await fetch(again.url + path, { headers })).json()) as { data: unknown[] };
      assert.equal(data.length, count, path);
    }
    assert.equal(await again.stop(), 0);
  });
});
