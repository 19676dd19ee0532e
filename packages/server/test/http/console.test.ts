import assert from 'node:assert/strict';
import Fastify from 'fastify';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isConsolePage, secureHeaders, sendPage, serveConsole } from '../../src/http/console.ts';
import { answerErrors } from '../../src/http/errors.ts';

const app = Fastify();
let around: string;

before(async () => {
  around = await mkdtemp(join(tmpdir(), 'paybell-console-'));
  const folder = join(around, 'console');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), '<title>console</title>');
  await writeFile(join(folder, 'assets', 'main-1a2b.js'), 'export {};');
  await writeFile(join(around, 'outside.txt'), 'outside');
  answerErrors(app, { info() {}, warn() {}, error() {} }, (request, reply) =>
    isConsolePage(app, request.method, request.url.split('?', 1)[0]!) ? sendPage(reply, folder) : null,
  );
  await secureHeaders(app, { https: true });
  await serveConsole(app, folder);
});
after(async () => {
  await app.close();
  await rm(around, { recursive: true, force: true });
});

describe('the console', () => {
  it('is served at its own addresses, which are no files', async () => {
    for (const url of ['/', '/transactions', '/transactions/txn_1?tab=why', '/live']) {
      const { statusCode, body, headers } = await app.inject({ url });
      assert.deepEqual([statusCode, body, headers['cache-control']], [200, '<title>console</title>', 'no-cache'], url);
      assert.match(String(headers['content-security-policy']), /default-src 'self'/);
      assert.match(String(headers['strict-transport-security']), /max-age/);
    }
  });

  it('lets browsers keep what is named by its content', async () => {
    const { headers, body } = await app.inject({ url: '/assets/main-1a2b.js' });
    assert.equal(body, 'export {};');
    assert.match(String(headers['cache-control']), /immutable/);
    assert.match(String(headers['content-type']), /javascript/);
  });

  it('answers no page where a file, an API address or a door is meant, and nothing from outside its folder', async () => {
    for (const url of [
      '/assets/old.js',
      '/logo.png',
      '/v1/nothing',
      '/in/src_1',
      '/metrics/x',
      '/../outside.txt',
      '/%2e%2e/outside.txt',
      '/..%2foutside.txt',
    ]) {
      const { statusCode, headers, body } = await app.inject({ url });
      assert.equal(statusCode, 404, url);
      assert.match(String(headers['content-type']), /problem\+json/, url);
      assert.doesNotMatch(body, /^outside/);
    }
    assert.equal((await app.inject({ method: 'POST', url: '/transactions' })).statusCode, 404);
  });
});
