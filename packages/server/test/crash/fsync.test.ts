import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { spawnServer, tempDir } from '../support/server.ts';
import type { SpawnedServer } from '../support/server.ts';
import { makeShots } from './load.ts';
import type { Shot } from './load.ts';
import { judgeTrace, traceTo, whyNoTrace } from './trace.ts';

const SHOTS = 27;
const missing = whyNoTrace();
// A machine for continuous integration must have what the proof needs.
const skip = missing !== null && process.env['CI'] !== 'true' ? `not proven here: ${missing}` : false;
const folders: ReturnType<typeof tempDir>[] = [];
const running = new Set<number>();

after(() => {
  // The tracer lets go of the server when it is killed itself: the server is ended by its own number.
  for (const pid of running) process.kill(pid, 'SIGKILL');
  for (const folder of folders) folder.remove();
});

describe('a 2xx means it is on disk', { skip, timeout: 120_000 }, () => {
  it('syncs the log between the arrival of a request and the first byte of its acknowledgement', async () => {
    assert.equal(missing, null);
    const verdicts = await verdictsUnder({});
    assert.deepEqual(new Set(verdicts), new Set(['synced']));
    assert.equal(verdicts.length, SHOTS);
  });

  it('would notice a database that only says so', async () => {
    assert.equal(missing, null);
    const verdicts = await verdictsUnder({ NODE_OPTIONS: `--require=${join(import.meta.dirname, 'no-sync.cjs')}` });
    assert.deepEqual(new Set(verdicts), new Set(['answered before the log was synced']));
  });
});

describe('a disk that fails', { timeout: 60_000 }, () => {
  it('acknowledges nothing that it could not sync, and ends', async () => {
    const folder = tempDir();
    folders.push(folder);
    const fails = join(folder.path, 'the-disk-fails');
    const env = {
      NODE_OPTIONS: `--require=${join(import.meta.dirname, 'failing-sync.cjs')}`,
      DISK_FAILS: fails,
      PAYBELL_LOG_LEVEL: 'error',
    };
    const server = await spawnServer(join(folder.path, 'data'), { env });
    const next = await makeShots(server);
    await acknowledged(server, next(), 'whole');
    writeFileSync(fails, '');
    const ended = once(server.child, 'close');
    await assert.rejects(acknowledged(server, next(), 'broken'));
    await ended;
    assert.equal(server.child.exitCode, 1);
    assert.match(server.errors(), /The log could not be synced: .*EIO/);
  });
});

/** Sends webhooks and publishes one by one to a traced server. */
async function verdictsUnder(env: Record<string, string>): Promise<readonly string[]> {
  const folder = tempDir();
  folders.push(folder);
  const trace = join(folder.path, 'trace');
  const data = join(folder.path, 'data');
  const server = await spawnServer(data, { env, wrap: traceTo(trace) });
  const { pid } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { pid: number };
  running.add(pid);
  const next = await makeShots(server);
  const marks: string[] = [];
  for (let n = 0; n < SHOTS; n += 1) {
    const mark = `probe=${n}.`;
    marks.push(mark);
    await acknowledged(server, next(), mark);
  }
  process.kill(pid, 'SIGTERM');
  if (server.child.exitCode === null) await once(server.child, 'exit');
  running.delete(pid);
  assert.equal(server.child.exitCode, 0, server.errors());
  return judgeTrace(readFileSync(trace, 'utf8'), marks);
}

async function acknowledged({ url }: SpawnedServer, { path, headers, body }: Shot, mark: string): Promise<void> {
  const answer = await fetch(`${url}${path}?${mark}`, { method: 'POST', headers: { ...headers }, body: new Uint8Array(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${path} answered ${answer.status} ${text}`);
}
