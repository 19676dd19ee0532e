import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { attempt, delivery, event, inbound, lease, payment, request, T } from './given.ts';

const DAY = 86_400_000;
const DAYS = 6;
const PER_DAY = 400;
const EMPTIED = ['requests', 'deliveries', 'attempts'];

const postgres = await startPostgres();
after(() => postgres?.stop());

test(
  'what has expired leaves its room to what comes: tables grow by what stays, indexes by the rows alone',
  { skip: postgres === null && 'no PostgreSQL here' },
  async () => {
    const database = await postgres!.fresh();
    const storage = await openStorage(database.url);
    await storage.open();
    const content = new Uint8Array(1200).fill(120);
    const headers = JSON.stringify([['x', 'y'.repeat(300)]]);
    const sizeOf = async (what: 'pg_relation_size' | 'pg_indexes_size'): Promise<number> => {
      const sum = EMPTIED.map((table) => `${what}('${table}')`).join(' + ');
      return Number((await database.sql(`SELECT ${sum} AS bytes`))[0]?.['bytes']);
    };
    const tables: number[] = [];
    for (let day = 0; day < DAYS; day++) {
      const at = T + day * DAY;
      const ids = Array.from({ length: PER_DAY }, (_, n) => `${day}_${String(n).padStart(4, '0')}`);
      await storage.record(
        ids.map((id) => {
          const deliveries = [delivery(`d${id}`, 'end_1', { body: content, lease: lease(at + 60_000) })];
          const paid = event(`e${id}`, { recordedAt: at, movement: payment(`p${id}`), deliveries });
          return inbound(request(`r${id}`, { receivedAt: at, headers, body: content }), paid);
        }),
      );
      await storage.settle(
        ids.map((id) => ({
          delivery: `d${id}`,
          merchant: 'm1',
          owner: 'node_1',
          attempt: attempt(1, { startedAt: at, requestHeaders: headers, responseBody: content }),
          next: { status: 'succeeded' },
          finishedAt: at + 50,
        })),
      );
      tables.push(await sizeOf('pg_relation_size'));
      const indexes = await sizeOf('pg_indexes_size');
      for (const what of ['events', 'attempts'] as const)
        while ((await storage.expire({ what, before: at + 1, now: at + 60_000, rows: 100, bytes: 10_000_000 })).more);
      assert.deepEqual(await storage.check({ now: at + 120_000 }), []);
      assert.equal(await sizeOf('pg_indexes_size'), indexes, 'a row that is emptied stays where it is, and no index learns of it');
      await database.sql(`VACUUM ${EMPTIED.join(', ')}`);
    }
    const [first = 0, ...later] = tables;
    const grown = ((later.at(-1) ?? Infinity) - first) / later.length;
    assert.ok(grown < first / 4, `a day adds ${grown} bytes to tables whose content takes ${first}`);
    await storage.close();
    await database.drop();
  },
);
