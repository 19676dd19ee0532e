import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Expirable } from '../../src/storage/contract.ts';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import { tempDir } from '../support/server.ts';
import { claimAll, delivery, event, inbound, published, request, settlement, T } from './given.ts';

const DAY = 86_400_000;

test('the room of what has expired is used again: the file of a steady load stops growing', async () => {
  const folder = tempDir();
  const path = databasePath(folder.path);
  const storage = await openStorage(path, { threads: false });
  await storage.open();
  const content = new Uint8Array(1200).fill(120);
  const data = JSON.stringify('x'.repeat(1000));
  const db = new DatabaseSync(path, { readOnly: true });
  const pages = (name: 'page_count' | 'freelist_count'): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  try {
    const sizes: number[] = [];
    for (let day = 0; day < 6; day++) {
      const at = T + day * DAY;
      await storage.record(
        Array.from({ length: 300 }, (_, n) => {
          const id = `${day}_${n}`;
          const deliveries = [delivery(`d${id}`, 'end_1', { body: content })];
          const [own] = published(event(`p${id}`, { recordedAt: at })).events;
          return n % 2 === 0
            ? inbound(request(`r${id}`, { receivedAt: at, body: content }), event(`e${id}`, { recordedAt: at, deliveries }))
            : { request: null, events: [{ ...(own ?? assert.fail()), data, deliveries }] };
        }),
      );
      const jobs = await claimAll(storage, 'end_1', { now: at + 1, max: 300 });
      const answer = { startedAt: at, responseBody: content };
      await storage.settle(jobs.map((job) => ({ ...settlement(job), attempt: { ...settlement(job).attempt, ...answer } })));
      for (const what of ['events', 'attempts'] satisfies Expirable[])
        for (let more = true; more;)
          ({ more } = await storage.expire({ what, before: at - DAY + 1, now: at, rows: 100, bytes: 1_000_000 }));
      sizes.push(pages('page_count') - pages('freelist_count'));
    }
    const [, second = 0, , , , last = 0] = sizes;
    const perDay = second / 2;
    assert.ok(last < second + 4 * 0.4 * perDay, `pages in use, day by day: ${sizes.join(', ')}`);
    assert.ok(pages('page_count') < 6 * perDay * 0.75, `${pages('page_count')} pages in the file, ${perDay} written a day`);
    assert.deepEqual(await storage.check({ now: T }), []);
  } finally {
    db.close();
    await storage.close();
    folder.remove();
  }
});
