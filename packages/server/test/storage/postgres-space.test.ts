import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { attempt, delivery, event, inbound, lease, payment, request, T } from './given.ts';

const DAY = 86_400_000;
/** Contents are kept for four days, so a partition holds twelve hours. */
const AGE = 4 * DAY;
const DAYS = 12;
const PER_DAY = 120;

const postgres = await startPostgres();
after(() => postgres?.stop());

test(
  'what has expired gives its room back to the disk, without a vacuum; partitions are few',
  { skip: postgres === null && 'no PostgreSQL here' },
  async () => {
    const database = await postgres!.fresh();
    const storage = await openStorage(database.url);
    await storage.open();
    const upkeep = async (now: number, age = AGE): Promise<void> => {
      for (const what of ['quarantine', 'events', 'attempts'] as const)
        while ((await storage.expire({ what, before: now - age, now, rows: 100, bytes: 1_000_000 })).more);
    };
    const sizes = async () => {
      const [row] = await database.sql(`SELECT sum(pg_total_relation_size(oid))::int8 AS bytes, count(*)::int AS tables FROM pg_class
        WHERE relkind = 'r' AND relname ~ 'contents_' AND relnamespace = current_schema()::regnamespace`);
      return { bytes: Number(row?.['bytes']), tables: Number(row?.['tables']) };
    };
    const content = new Uint8Array(6000).fill(120);
    const headers = JSON.stringify([['x', 'y'.repeat(300)]]);
    const seen: { readonly bytes: number; readonly tables: number }[] = [];
    for (let day = 0; day < DAYS; day++) {
      const start = T + day * DAY;
      await upkeep(start);
      const ids = Array.from({ length: PER_DAY }, (_, n) => `${day}_${String(n).padStart(4, '0')}`);
      for (const half of [0, 1]) {
        const at = start + (half * DAY) / 2;
        await upkeep(at);
        const mine = ids.filter((_id, n) => n % 2 === half);
        await storage.record(
          mine.map((id) => {
            const deliveries = [delivery(`d${id}`, 'end_1', { body: content, lease: lease(at + 60_000) })];
            const paid = event(`e${id}`, { recordedAt: at, movement: payment(`p${id}`), deliveries });
            return inbound(request(`r${id}`, { receivedAt: at, headers, body: content }), paid);
          }),
        );
        await storage.settle(
          mine.map((id) => ({
            delivery: `d${id}`,
            merchant: 'm1',
            owner: 'node_1',
            attempt: attempt(1, { startedAt: at, requestHeaders: headers, responseBody: content }),
            next: { status: 'succeeded' },
            finishedAt: at + 50,
          })),
        );
      }
      seen.push(await sizes());
    }
    assert.deepEqual(await storage.check({ now: T + DAYS * DAY }), []);
    const full = seen[5]?.bytes ?? 0;
    for (const { bytes, tables } of seen.slice(6)) {
      assert.ok(bytes < full * 1.2, `${bytes} bytes where ${full} were enough`);
      assert.ok(tables <= 2 * 12, `${tables} tables`);
    }
    await upkeep(T + 30 * DAY);
    const { bytes } = await sizes();
    assert.ok(bytes < full / 10, `${bytes} bytes are left of ${full}`);
    assert.deepEqual(await storage.check({ now: T + 30 * DAY }), []);
    await storage.close();
    await database.drop();
  },
);
