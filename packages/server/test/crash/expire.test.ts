import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { it } from 'node:test';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import { tempDir } from '../support/server.ts';
import { claimAll, delivery, event, inbound, payment, request, settlement, T } from '../storage/given.ts';
import { randomFrom } from './random.ts';

const EVENTS = 120;
const MOST_LIVES = 30;
const BEFORE = T + 86_400_000;

/** One life of the process that lets content expire; killed after so many steps. Answers whether it came to the end. */
async function live(path: string, steps: number): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=paybell-source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'expire-child.ts'),
      path,
      String(BEFORE),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.on('exit', resolve));
  let seen = 0;
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    done ||= line === 'done';
    if (++seen === steps) child.kill('SIGKILL');
  }
  await ended;
  return done;
}

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

it(`kill -9 while content expires: nothing pending is lost, nothing is left over, the ledger is what it was (SEED=${seed})`, async (t) => {
  const random = randomFrom(seed);
  const folder = tempDir();
  const path = databasePath(folder.path);
  try {
    const storage = await openStorage(path);
    await storage.open();
    await storage.record(
      Array.from({ length: EVENTS }, (_, n) =>
        inbound(
          request(`r${n}`),
          event(`e${n}`, {
            movement: payment(`p${n % 50}`),
            occurredAt: T + n,
            deliveries: [delivery(`d${n}`, n % 10 === 0 ? 'end_down' : 'end_fine')],
          }),
        ),
      ),
    );
    await storage.record(Array.from({ length: 20 }, (_, n) => inbound(request(`again${n}`), event(`again${n}`, { dedupeKey: `e${n}` }))));
    for (let jobs = await claimAll(storage, 'end_fine'); jobs.length > 0; jobs = await claimAll(storage, 'end_fine'))
      await storage.settle(jobs.map((job) => settlement(job)));
    const ledger = (await storage.listTransactions({ merchant: null, limit: 100, cursor: null })).rows;
    await storage.close();

    let lives = 1;
    while (!(await live(path, 1 + Math.floor(random() * 20)))) assert.ok((lives += 1) <= MOST_LIVES, 'it never comes to the end');
    t.diagnostic(JSON.stringify({ seed, lives }));
    assert.ok(lives > 2, 'it was hardly killed at all');

    const after = await openStorage(path, { threads: false });
    await after.open();
    assert.deepEqual(await after.check({ now: T }), []);
    assert.deepEqual((await after.listTransactions({ merchant: null, limit: 100, cursor: null })).rows, ledger);
    for (let n = 0; n < EVENTS; n++) {
      const { event: row, body } = (await after.getEvent({ merchant: null, id: `e${n}` })) ?? assert.fail();
      assert.equal(row.expiredAt === null, n % 10 === 0, `e${n}`);
      assert.equal(body === null, n % 10 !== 0, `e${n}`);
    }
    const pending = await claimAll(after, 'end_down');
    assert.deepEqual(
      pending.map(({ id, body }) => `body of ${id}` === Buffer.from(body).toString()),
      pending.map(() => true),
    );
    assert.equal(pending.length, EVENTS / 10);
    await after.close();
  } finally {
    folder.remove();
  }
});
