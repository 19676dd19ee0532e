import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Client } from 'pg';
import { createRecorder } from '../../src/engine/record.ts';
import { Refusal } from '../../src/engine/refusal.ts';
import type { Arrival } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { startPostgres } from '../support/postgres.ts';
import { event, inbound, payment, request, T } from './given.ts';

/** Few connections, so that they can be used up. */
const CONNECTIONS = 14;
/** What may wait (engine/record.ts), and more than two commits take at once beside it. */
const MORE_THAN_WAITS = 10_000 + 2 * 500 + 100;

const postgres =
  process.env['PAYBELL_TEST_POSTGRES_URL'] === undefined
    ? await startPostgres({ max_connections: String(CONNECTIONS), superuser_reserved_connections: '0' })
    : null;
after(() => postgres?.stop());

const rejected = (id: string): Arrival => ({ request: request(id, { verdict: 'rejected', reason: 'signature_missing' }), events: [] });

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

describe('PostgreSQL at its limits', { skip: postgres === null && 'no server of our own here' }, () => {
  test('commits that hang: so much waits and no more, the rest is refused at once, reads go on, and in the end all stands', async () => {
    const database = await postgres!.fresh();
    const store = await openStorage(database.url);
    await store.open();
    await store.record([inbound(request('r0'), event('e0'))]);
    const admin = await connected(database.url);
    // Every commit now waits for a standby that does not exist.
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await admin.query('SELECT pg_reload_conf()');
    const recorder = createRecorder({
      storage: store,
      clock: { now: () => T },
      observe: { emit: () => undefined } as unknown as Parameters<typeof createRecorder>[0]['observe'],
      log: { error: () => undefined } as unknown as Parameters<typeof createRecorder>[0]['log'],
      timers: { after: () => () => undefined },
      onRecorded: () => undefined,
      onDropped: () => undefined,
      onUnsure: () => undefined,
    });
    const answers = Array.from({ length: MORE_THAN_WAITS }, (_, n) =>
      recorder.submit(rejected(`r_${n}`)).then(
        () => 'kept',
        (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
      ),
    );
    assert.equal(await answers.at(-1), 'overloaded');
    const before = await Promise.race([answers[0], store.getEvent({ merchant: null, id: 'e0' }).then((found) => found?.event.id)]);
    assert.equal(before, 'e0', 'a question is answered while nothing is acknowledged');
    await admin.query('ALTER SYSTEM RESET synchronous_standby_names');
    await admin.query('SELECT pg_reload_conf()');
    const outcomes = await Promise.all(answers);
    const kept = outcomes.filter((outcome) => outcome === 'kept').length;
    assert.deepEqual([...new Set(outcomes)].sort(), ['kept', 'overloaded']);
    assert.ok(kept >= 10_000);
    assert.deepEqual(await database.sql('SELECT count(*)::int AS n FROM requests'), [{ n: kept + 1 }]);
    await Promise.all([admin.end(), store.close()]);
    await database.drop();
  });

  test('a server without a free connection: refused with its reason, nothing half done, and as ever once there is one', async () => {
    const database = await postgres!.fresh();
    const store = await openStorage(database.url);
    await store.open();
    const taken: Client[] = [];
    for (let left = CONNECTIONS; left > 0; left--)
      await connected(database.url).then(
        (client) => taken.push(client),
        () => undefined,
      );
    const paid = (n: number): Arrival => inbound(request(`r${n}`), event(`e${n}`, { movement: payment('p1'), occurredAt: T + n }));
    const answers = await Promise.allSettled([1, 2, 3].map((n) => store.record([paid(n)])));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
    assert.equal(refused.length, 2, 'the connection that is there is used');
    for (const error of refused) assert.deepEqual([error.name, /too many clients/.test(error.message)], ['StorageError', true]);
    await Promise.all(taken.map((client) => client.end()));
    await Promise.all([1, 2, 3].map((n) => store.record([paid(n)])));
    const { rows } = await store.listEvents({ merchant: null, limit: 10, cursor: null });
    assert.equal(rows.length, 3);
    assert.deepEqual(await store.check({ now: T }), []);
    await store.close();
    await database.drop();
  });
});
