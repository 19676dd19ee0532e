import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const folder = mkdtempSync(join(tmpdir(), 'paybell-packages-'));
const app = join(folder, 'app');
// Conditions and settings of this run must not reach what a stranger would run.
const env: Record<string, string | undefined> = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:PAYBELL_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|npm_)/.test(name))),
  // The Node.js of these tests: the machine's own may be older than Paybell needs.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
};

const inApp = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: app, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });

after(() => rmSync(folder, { recursive: true, force: true }));

describe('the packages, in an empty folder of a stranger', () => {
  before(() => {
    for (const name of ['sdk', 'server'])
      execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
        cwd: join(ROOT, 'packages', name),
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
    const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
    inApp('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs.map((file) => join(folder, file))]);
  });

  it('have no sources in them that a stranger cannot run', () => {
    for (const name of ['@paybell/sdk', 'paybell']) {
      const files = readdirSync(join(app, 'node_modules', name), { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        files.filter((file) => /(?<!\.d)\.tsx?$/.test(file) || file.includes('.test.')),
        [],
      );
      assert.ok(files.includes('package.json') && files.some((file) => file.endsWith('.js')));
    }
  });

  it('start a server by npx that receives, shows the console and stops', async () => {
    const args = ['--no-install', 'paybell', 'start', '--port', '0', '--data', join(folder, 'data')];
    const server = spawn('npx', args, {
      cwd: app,
      env: { ...env, PAYBELL_ADMIN_KEY: 'packaging-test-key' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = once(server, 'close');
    let words = '';
    server.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let out = '';
        server.stdout.on('data', (chunk: Buffer) => {
          const found = /^ready (\S+)$/m.exec((out += chunk.toString()))?.[1];
          if (found !== undefined) resolve(found);
        });
        server.once('exit', (code) => reject(new Error(`ended with ${code}\n${words}`)));
      });
      const headers = { authorization: 'Bearer packaging-test-key', 'content-type': 'application/json' };
      const made = await fetch(`${url}/v1/sources`, { method: 'POST', headers, body: '{"provider":"serixpay","secret":"s"}' });
      const { ingestPath } = (await made.json()) as { ingestPath: string };
      const sent = inApp('npx', [
        '--no-install',
        'paybell',
        'trigger',
        'serixpay',
        'payment.completed',
        '--to',
        url + ingestPath,
        '--secret',
        's',
      ]);
      assert.match(sent, /^200 /);
      assert.match(await (await fetch(`${url}/`, { headers: { accept: 'text/html' } })).text(), /<div id="root">/);
    } finally {
      // The whole group: npx does not pass signals on.
      if (server.exitCode === null) process.kill(-(server.pid ?? 0), 'SIGTERM');
      await ended;
    }
  });

  it('verify from JavaScript', () => {
    writeFileSync(
      join(app, 'verify.js'),
      `import { forge, verify } from '@paybell/sdk';
       const secret = 'a secret';
       const request = forge({ provider: 'makapay', type: 'payment.completed', id: 'evt_1', now: 0, secret });
       console.log(verify('makapay', { ...request, secret, now: 0 }).ok, verify('makapay', { ...request, secret: 'other', now: 0 }).ok);`,
    );
    assert.equal(inApp(process.execPath, ['verify.js']), 'true false\n');
  });

  it('have types that hold a stranger to them', () => {
    const compile = (code: string): string => {
      writeFileSync(join(app, 'typed.ts'), code);
      try {
        return inApp(process.execPath, [
          TSC,
          '--noEmit',
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2022',
          '--types',
          '',
          '--skipLibCheck',
          'false',
          'typed.ts',
        ]);
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    const call = (now: string): string =>
      `import { verify } from '@paybell/sdk';\nimport type { Verdict } from '@paybell/sdk';\nexport const verdict: Verdict = verify('serixpay', { body: '{}', headers: {}, secret: 's', now: ${now} });\n`;
    assert.equal(compile(call('0')), '');
    assert.match(compile(call("'now'")), /TS2322/);
  });
});
