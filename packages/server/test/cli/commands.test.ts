import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, paybell, cleanUp, startServer, temporaryFolder } from './paybell.ts';
import type { Server } from './paybell.ts';

let server: Server;
let source: { id: string; ingestPath: string };
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
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('paybell trigger', () => {
  it('sends signed webhooks to a source, by id and by name', async () => {
    for (const name of [source.id, 'shop']) {
      const { code, stdout, stderr } = await run(
        'trigger',
        'serixpay',
        'payment.completed',
        '--source',
        name,
        '--set',
        'amount=321.5',
        '--json',
      );
      assert.equal(code, 0, stderr);
      const [line] = lines(stdout);
      assert.equal(line?.['status'], 200);
      assert.equal(line?.['type'], 'payment.completed');
    }
    const { data } = await server.api<{ data: { amount: { value: string } }[] }>('GET', '/v1/transactions?provider=serixpay');
    assert.deepEqual(
      data.map(({ amount }) => amount.value),
      ['32150', '32150'],
    );
  });

  it('tells whole stories, and counts a refused bad signature as right', async () => {
    const bad = await run('trigger', 'serixpay', 'payment.completed', '--source', source.id, '--scenario', 'bad-signature', '--json');
    assert.equal(bad.code, 0, bad.stderr);
    assert.equal(lines(bad.stdout)[0]?.['status'], 401);
    const twice = await run('trigger', 'serixpay', '--source', source.id, '--scenario', 'duplicate', '--json');
    assert.deepEqual(
      lines(twice.stdout).map((line) => line['type']),
      ['payment.pending', 'payment.completed', 'payment.completed'],
    );
    const { data } = await server.api<{ data: { duplicates: number }[] }>('GET', '/v1/requests?verdict=accepted&limit=1');
    assert.equal(data[0]?.duplicates, 1);
  });

  it('sends as many as wanted at the rate wanted', async () => {
    const began = performance.now();
    const { code, stdout } = await run(
      'trigger',
      'serixpay',
      'payment.failed',
      '--source',
      source.id,
      '--count',
      '20',
      '--rate',
      '100',
      '--json',
    );
    assert.equal(code, 0);
    assert.equal(new Set(lines(stdout).map((line) => line['id'])).size, 20);
    assert.ok(performance.now() - began >= 190, 'faster than asked');
  });

  it('posts to any address, with a wrong secret too', async () => {
    const wrong = await paybell(['trigger', 'serixpay', 'payment.completed', '--to', server.url + source.ingestPath, '--secret', 'other'], {
      env,
    });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /^401 /);
  });

  const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['trigger', 'serixpya', 'x'], 2, /no provider "serixpya"\. Did you mean serixpay\?/],
    [
      ['trigger', 'serixpay', 'payment.complete', '--to', 'http://127.0.0.1:1', '--secret', 's'],
      2,
      /no event "payment.complete"\. Did you mean "payment.completed"\?/,
    ],
    [['trigger', 'serixpay', '--scenario', 'hapy'], 2, /no scenario "hapy"\. Did you mean happy\?/],
    [['trigger', 'serixpay', 'payment.completed'], 2, /Say where to send it/],
    [['trigger', 'serixpay', 'payment.completed', '--to', 'http://127.0.0.1:1'], 2, /--to needs --secret/],
    [['trigger', 'serixpay', 'payment.completed', '--to', 'ftp://x', '--secret', 's'], 2, /http:\/\/ or https:\/\//],
    [
      ['trigger', 'serixpay', 'payout.failed', '--scenario', 'late-success', '--to', 'http://127.0.0.1:1', '--secret', 's'],
      2,
      /payout.failed is no part of "late-success"/,
    ],
    [['trigger', 'serixpay', 'payment.completed', '--source', 'nothing'], 1, /No source of serixpay is called "nothing"/],
    [['trigger', 'makapay', 'payment.completed', '--source', 'src_0'], 1, /./],
  ];
  for (const [args, code, sentence] of refused) {
    it(`refuses ${args.slice(1).join(' ')}`, async () => {
      const result = await run(...args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, sentence);
      assert.equal(result.stdout, '');
    });
  }
});

describe('paybell verify', () => {
  const body = '{"event":"payment.completed","data":{}}';
  const signature = createHmac('sha256', 's3cret').update(body).digest('hex');
  const verify = (...args: string[]) =>
    paybell(['verify', '--provider', 'serixpay', '--header', `X-SerixPay-Signature: ${signature}`, ...args], { stdin: body });

  it('passes the exact bytes from a file, from standard input and from the command line', async () => {
    const file = join(temporaryFolder(), 'body.json');
    writeFileSync(file, body);
    for (const given of [`@${file}`, '@-', body]) assert.equal((await verify('--secret', 's3cret', '--body', given)).code, 0, given);
  });

  it('takes several secrets and says which one it was', async () => {
    const { code, stdout } = await verify('--secret', 'new', '--secret', 's3cret', '--body', body, '--json');
    assert.equal(code, 0);
    assert.deepEqual(lines(stdout), [{ ok: true, authenticity: 'signed-body', secretIndex: 1 }]);
  });

  it('says why a signature does not match', async () => {
    const { code, stdout } = await verify('--secret', 's3cret', '--body', `${body}\n`);
    assert.equal(code, 1);
    assert.match(stdout, /^signature_mismatch: [\s\S]*Cause: A line break at the end of the body/);
    const spaced = await verify('--secret', 's3cret ', '--body', body, '--json');
    assert.equal(spaced.code, 1);
    const findings = lines(spaced.stdout)[0]?.['findings'] as { cause: string; certain: boolean }[];
    assert.deepEqual(
      findings.map(({ cause, certain }) => [cause, certain]),
      [['secret_whitespace', true]],
    );
    assert.ok(!spaced.stdout.includes(signature) && !spaced.stdout.includes('s3cret'), 'a secret or a signature is shown');
  });

  it('refuses what it does not understand', async () => {
    assert.equal((await verify('--secret', 's', '--body', '@/nowhere')).code, 2);
    assert.equal((await verify('--body', body)).code, 2);
    assert.equal((await verify('--secret', 's', '--body', body, '--header', 'no colon')).code, 2);
    assert.equal((await verify('--secret', 's', '--body', body, '--at', 'yesterday')).code, 2);
    assert.equal((await verify('--secret', 's', '--body', body, '--options', '{"reserialized":true}')).code, 2);
  });
});

describe('paybell on a running server', () => {
  it('lists, finds and explains transactions', async () => {
    await run('trigger', 'serixpay', '--source', source.id, '--scenario', 'out-of-order', '--set', 'orderId=ORD-WHY');
    const list = await run('tx', 'list', '--q', 'ORD-WHY', '--json');
    const [row] = lines(list.stdout);
    assert.equal(row?.['status'], 'succeeded');
    const get = await run('tx', 'get', 'ORD-WHY', '--json');
    assert.equal(lines(get.stdout)[0]?.['id'], row?.['id']);
    const why = await run('tx', 'why', String(row?.['id']));
    assert.match(
      why.stdout,
      /is succeeded\.\n[\s\S]*payment\.completed {2}applied[\s\S]*payment\.pending|payment\.pending[\s\S]*payment\.completed {2}applied/,
    );
    assert.equal((await run('tx', 'why', 'no-such-reference')).code, 1);
  });

  it('pages through lists up to the limit', async () => {
    const { stdout } = await run('events', 'list', '--limit', '7', '--json');
    const rows = lines(stdout);
    assert.equal(rows.length, 7);
    const shown = await run('events', 'get', String(rows[0]?.['id']), '--json');
    assert.equal(lines(shown.stdout)[0]?.['id'], rows[0]?.['id']);
    assert.equal((await run('events', 'get', 'evt_0')).code, 1);
  });

  it('resends an event to the endpoints that match it', async () => {
    const heard: string[] = [];
    const sink = createServer((request, response) => {
      heard.push(request.url ?? '');
      request.resume().on('end', () => response.end('ok'));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => sink.once('listening', resolve));
    const local = await startServer([], { env: { PAYBELL_ALLOW_PRIVATE_CIDRS: '127.0.0.0/8', PAYBELL_LOG_LEVEL: 'warn' } });
    await local.api('POST', '/v1/endpoints', { url: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/hook` });
    const { id } = await local.api<{ id: string }>('POST', '/v1/events', { type: 'payment.succeeded', data: { id: 'p1' } });
    const again = await paybell(['events', 'resend', id, '--server', local.url, '--json'], { env });
    assert.equal(again.code, 0, again.stderr);
    const until = Date.now() + 5000;
    while (heard.length < 2 && Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(heard, ['/hook', '/hook']);
    const many = (...more: string[]) =>
      paybell(['events', 'resend', '--since', '2020-01-01T00:00:00Z', '--server', local.url, '--json', ...more], { env });
    const dry = await many('--dry-run');
    assert.deepEqual([dry.code, lines(dry.stdout)[0]?.['deliveries'], heard.length], [0, 1, 2], dry.stderr);
    const all = await many('--status', 'succeeded', '--type', 'payment.*');
    const [row] = lines(all.stdout);
    assert.deepEqual([all.code, row?.['state'], row?.['made']], [0, 'done', 1], all.stderr);
    assert.match(all.stderr, /1 events, 1 deliveries\n(.*\n)*.* done: 1 of 1 made/);
    const list = await paybell(['resends', 'list', '--server', local.url, '--json'], { env });
    assert.deepEqual(
      lines(list.stdout).map((one) => one['id']),
      [row?.['id']],
    );
    const late = await paybell(['resends', 'cancel', String(row?.['id']), '--server', local.url, '--json'], { env });
    assert.equal(lines(late.stdout)[0]?.['state'], 'done', 'what is done stays done');
    assert.equal((await run('events', 'resend')).code, 2);
    assert.equal((await run('events', 'resend', id, '--since', '2020-01-01T00:00:00Z')).code, 2);
    await local.stop();
    sink.close();
  });

  it('makes keys that work, shown on stdout alone', async () => {
    const { code, stdout, stderr } = await run('keys', 'create', '--name', 'cli test');
    assert.equal(code, 0, stderr);
    const key = stdout.trim();
    assert.equal((await fetch(`${server.url}/v1/sources`, { headers: { authorization: `Bearer ${key}` } })).status, 200);
    assert.ok(!stderr.includes(key));
  });

  it('follows what happens, filtered, and stops after the count', async () => {
    const tail = run(
      'tail',
      '--topics',
      'transactions',
      '--filter',
      'provider=serixpay',
      '--filter',
      'reference=TAIL-*',
      '--count',
      '1',
      '--json',
    );
    let done = false;
    const ended = tail.finally(() => (done = true));
    for (let n = 0; !done && n < 20; n += 1)
      await run('trigger', 'serixpay', 'payment.completed', '--source', source.id, '--set', `orderId=TAIL-${n}`);
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    const [row] = lines(stdout);
    assert.equal(row?.['topic'], 'transaction');
    assert.match(String(row?.['reference']), /^TAIL-/);
  });

  it('checks the promises while the server runs', async () => {
    const { code, stdout, stderr } = await paybell(['doctor', '--data', server.dataDir, '--json']);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(lines(stdout).at(-1)?.['findings'], 0);
    assert.equal((await paybell(['doctor', '--data', temporaryFolder()])).code, 1);
  });

  it('ends with 3 where no server or no key is', async () => {
    const nobody = await paybell(['tx', 'list', '--server', 'http://127.0.0.1:1'], { env });
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /No server answers at http:\/\/127\.0\.0\.1:1\. Start one/);
    const keyless = await paybell(['tx', 'list', '--server', server.url, '--data', temporaryFolder()]);
    assert.equal(keyless.code, 3);
    const wrong = await paybell(['tx', 'list', '--server', server.url], { env: { PAYBELL_ADMIN_KEY: 'wrong' } });
    assert.equal(wrong.code, 3);
  });
});
