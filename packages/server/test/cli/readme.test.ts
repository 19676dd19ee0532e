import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cleanUp, NODE_FLAGS, PROGRAM, startServer } from './paybell.ts';

const README = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');

/** The blocks that stand after `<!-- run -->`. */
function blocks(language: string): readonly string[] {
  return [...README.matchAll(/<!-- run -->\n+```(\w+)\n([\s\S]*?)```/g)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code);
}

after(cleanUp);

describe('the README', () => {
  it('works as it stands: receive, look, send', async () => {
    const server = await startServer(['--data', './data'], { env: { PAYBELL_ADMIN_KEY: '', PAYBELL_LOG_LEVEL: 'warn' } });
    const npx = `npx() { shift; "${process.execPath}" ${NODE_FLAGS.join(' ')} "${PROGRAM}" "$@"; }`;
    const script = blocks('sh').map((code) => `echo; echo "#####"\n${code}`);
    assert.equal(script.length, 5);
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-euo', 'pipefail', '-c', [npx, ...script].join('\n').replaceAll('http://127.0.0.1:4400', server.url)],
      {
        cwd: server.dataDir,
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    assert.equal(status, 0, stdout + stderr);
    const [made, received, shown, endpoint, published] = stdout.split('#####\n').slice(1);
    assert.match(made ?? '', /"ingestPath":"\/in\/src_/);
    assert.match(received ?? '', /^\{"received":true\}/);
    assert.match(
      shown ?? '',
      /"status":"succeeded"[\s\S]*ORDER-001[\s\S]*1000\.00 KES, is succeeded\.[\s\S]*payment\.completed {2}applied/,
    );
    assert.match(endpoint ?? '', /"id":"end_/);
    assert.match(published ?? '', /"deliveries":1,"duplicate":false|"duplicate":false.*"deliveries":1/);
    await server.stop();
  });

  for (const code of blocks('ts')) {
    it('has TypeScript that runs', () => {
      const cwd = fileURLToPath(new URL('../..', import.meta.url));
      const { status, stdout, stderr } = spawnSync(process.execPath, [...NODE_FLAGS, '--input-type=module-typescript', '-e', code], {
        cwd,
        encoding: 'utf8',
        timeout: 30_000,
      });
      assert.equal(status, 0, stderr);
      assert.equal(stdout, 'payment.completed succeeded 1000\n');
    });
  }
});
