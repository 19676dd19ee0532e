import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';

const postgres = process.env['PAYBELL_TEST_POSTGRES_URL'] === undefined ? await startPostgres() : null;
after(() => postgres?.stop());

describe('a start on PostgreSQL', { skip: postgres === null ? 'no server of our own to break' : false }, () => {
  test('the schema is made once by whoever comes first; a newer one is refused', async () => {
    const database = await postgres!.fresh();
    await assert.rejects((await openStorage(database.url, { readOnly: true })).open(), /holds no Paybell yet/);
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStorage(database.url)));
    await Promise.all(stores.map((store) => store.open()));
    await Promise.all(stores.map((store) => store.close()));
    assert.deepEqual(await database.sql('SELECT version FROM schema_version'), [{ version: 1 }]);
    await database.sql('INSERT INTO schema_version (version) VALUES (99)');
    await assert.rejects((await openStorage(database.url)).open(), /newer Paybell \(schema 99/);
    await database.drop();
  });

  test('a start without a server, or with an address that is none, says what to do', async () => {
    const wrong = new URL(postgres!.url);
    wrong.pathname = '/no-such-database';
    await assert.rejects((await openStorage(wrong.href)).open(), /no-such-database.*Check the address of the database/);
    const stranger = new URL(postgres!.url);
    [stranger.username, stranger.password] = ['nobody', 'secret'];
    await assert.rejects(
      (await openStorage(stranger.href)).open(),
      (error: Error) => /"nobody" does not exist.*lets this user in/.test(error.message) && !error.message.includes('secret'),
    );
    await assert.rejects((await openStorage('postgres://paybell:secret@127.0.0.1:1/x')).open(), /ECONNREFUSED.*that the server runs/);
    await assert.rejects(
      openStorage('postgres://paybell:secret@host:port/x'),
      (error: Error) => /postgres:\/\//.test(error.message) && !error.message.includes('secret'),
    );
  });

  test('a server that does not keep what it commits is refused', async () => {
    const database = await postgres!.fresh();
    for (const [name, more] of [
      ['fsync', {}],
      ['full_page_writes', {}],
    ] as const) {
      await postgres!.crash();
      await postgres!.start({ ...more, [name]: 'off' });
      await assert.rejects((await openStorage(database.url)).open(), new RegExp(`${name}=off`));
    }
  });
});
