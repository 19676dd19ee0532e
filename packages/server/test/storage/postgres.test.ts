import { after, describe } from 'node:test';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { conformance } from './conformance.ts';
import type { Opened } from './conformance.ts';

const postgres = await startPostgres();
after(() => postgres?.stop());

/** Here the state of an open delivery has a table of its own, and what expires too; an event names its transaction instead of the event before. */
function translated(sql: string): string {
  return sql
    .replace(/^UPDATE deliveries SET status = 'succeeded'.* WHERE/, 'DELETE FROM open_deliveries WHERE')
    .replace(/^UPDATE deliveries SET (?=due_at|owner|ordered|status = 'failed')/, 'UPDATE open_deliveries SET ')
    .replace(/UPDATE payloads SET body = NULL.*/, `UPDATE contents SET body = NULL WHERE id LIKE 'd%'`)
    .replace(/UPDATE (?:requests|events) SET (?=body|data)/, 'UPDATE contents SET ')
    .replace('UPDATE attempts SET', 'UPDATE attempt_contents SET')
    .replace('SET previous = NULL', `SET transaction_id = 'no-such'`);
}

async function open(): Promise<Opened> {
  const database = await postgres!.fresh();
  let storage = await openStorage(database.url);
  await storage.open();
  return {
    storage,
    async reopen() {
      await storage.close();
      storage = await openStorage(database.url);
      await storage.open();
      return storage;
    },
    plant: async (sql) => void (await database.sql(translated(sql))),
    async end() {
      await storage.close();
      await database.drop();
    },
  };
}

if (postgres === null) void describe.skip('PostgreSQL: none is here');
else conformance({ name: 'the PostgreSQL store', open });
