import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ADMIN_KEY, paybell, PROGRAM, cleanUp, startServer, temporaryFolder } from './paybell.ts';

after(cleanUp);

describe('paybell', () => {
  it('runs from a clone under plain node, as npx calls it', () => {
    const { status, stdout } = spawnSync(process.execPath, [PROGRAM, '--help'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /^paybell: the webhook platform for payments\.[\s\S]*doctor/);
  });
});

describe('paybell start', () => {
  it('says ready once it serves, keeps all other words off stdout, and ends with 0 on SIGTERM', async () => {
    const server = await startServer();
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    assert.equal(server.stdout(), `ready ${server.url}\n`);
    assert.match(server.stderr(), /Data folder: /);
    assert.ok(!server.stderr().includes(ADMIN_KEY), 'the admin key from the environment is in the output');
    assert.equal(await server.stop(), 0);
    assert.equal(existsSync(join(server.dataDir, 'server.json')), false);
  });

  it('makes an admin key at the first start, shows it that once, and the CLI finds it', async () => {
    const dataDir = temporaryFolder();
    const first = await startServer([], { dataDir, env: { PAYBELL_ADMIN_KEY: '' } });
    const key = /\/#key=(\S+)/.exec(first.stderr())?.[1];
    assert.ok(key !== undefined);
    const headers = { authorization: `Bearer ${decodeURIComponent(key)}` };
    assert.equal((await fetch(`${first.url}/v1/sources`, { headers })).status, 200);
    const list = await paybell(['tx', 'list', '--data', dataDir]);
    assert.equal(list.code, 0, list.stderr);
    await first.stop();
    const second = await startServer([], { dataDir, env: { PAYBELL_ADMIN_KEY: '' } });
    assert.ok(!second.stderr().includes(key), 'the key is shown again');
    assert.equal((await fetch(`${second.url}/v1/sources`, { headers })).status, 200);
    assert.equal(await second.stop('SIGINT'), 0);
  });

  it('refuses a data folder that another process runs on, and leaves that one alone', async () => {
    const server = await startServer();
    const second = await paybell(['start', '--port', '0', '--data', server.dataDir]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /Another Paybell already runs on .*--data/);
    assert.equal(second.stdout, '');
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    await server.stop();
  });

  it('runs again on a folder whose process was killed', async () => {
    const server = await startServer();
    await server.stop('SIGKILL');
    const again = await startServer([], { dataDir: server.dataDir });
    assert.equal(await again.stop(), 0);
  });

  it('refuses a port that is taken with what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const run = await paybell(['start', '--port', String(port), '--data', temporaryFolder()]);
    taken.close();
    assert.equal(run.code, 1);
    assert.match(run.stderr, new RegExp(`Port ${port} on 127.0.0.1 is taken`));
  });

  it('refuses master keys that the store was not written with', async () => {
    const key = (letter: string): string => `main:${Buffer.alloc(32, letter).toString('base64')}`;
    const server = await startServer([], { env: { PAYBELL_MASTER_KEYS: key('a') } });
    await server.stop();
    const run = await paybell(['start', '--port', '0', '--data', server.dataDir], { env: { PAYBELL_MASTER_KEYS: key('b') } });
    assert.equal(run.code, 1);
    assert.match(run.stderr, /not the master keys that this store was written with/);
    assert.ok(!run.stderr.includes('    at '), 'a stack where a sentence belongs');
  });

  const refused: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    [['--prot', '1'], {}, /no flag --prot\. Did you mean --port\?/],
    [[], { PAYBELL_PUBLIC_ULR: 'x' }, /PAYBELL_PUBLIC_ULR is not a setting\. Did you mean PAYBELL_PUBLIC_URL\?/],
    [['--database-url', 'mysql://db/x'], {}, /--database-url must be the path of a file or a postgres:\/\/ address/],
    [[], { PAYBELL_REDIS_URL: 'http://r' }, /PAYBELL_REDIS_URL must be an address such as redis:\/\/host:6379/],
    [['now'], {}, /"now" is one word too many/],
  ];
  for (const [args, env, sentence] of refused) {
    it(`refuses ${[...args, ...Object.keys(env)].join(' ')} and makes nothing`, async () => {
      const dataDir = join(temporaryFolder(), 'data');
      const run = await paybell(['start', '--data', dataDir, ...args], { env });
      assert.equal(run.code, 2);
      assert.match(run.stderr, sentence);
      assert.equal(existsSync(dataDir), false);
    });
  }
});
