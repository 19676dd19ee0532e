import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { Client } from 'pg';
import { openStorage } from '../../src/storage/open.ts';
import { statementOf } from '../../src/storage/postgres/steps.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { attempt, delivery, event, inbound, lease, ME, payment, published, request, settlement, T, withDeliveries } from './given.ts';

const GROWING = new Set([
  'requests',
  'events',
  'deliveries',
  'open_deliveries',
  'attempts',
  'transactions',
  'refs',
  'contents',
  'attempt_contents',
]);

/** Partitions grow as what they are part of. */
const grows = (table: string): boolean => GROWING.has(table.replace(/_(?:other|\d+_\d+)$/, ''));

const DAY = 86_400_000;

const postgres = await startPostgres();
after(() => postgres?.stop());

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'TID Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** The statements that the hot connections prepare while `work` runs, by name, and how these connections are set. */
async function statementsOf(work: () => Promise<void>): Promise<{ statements: Map<string, string>; settings: string }> {
  const statements = new Map<string, string>();
  let settings = '';
  const { query } = Client.prototype;
  Client.prototype.query = function (this: Client, config: unknown, ...rest: unknown[]) {
    const { name, text } = typeof config === 'string' ? { name: undefined, text: config } : (config as { name?: string; text?: string });
    if (name !== undefined && text !== undefined) statements.set(name, text);
    else if (text?.startsWith('SET synchronous_commit') === true) settings = text;
    return Reflect.apply(query, this, [config, ...rest]) as unknown;
  } as typeof query;
  try {
    await work();
  } finally {
    Client.prototype.query = query;
  }
  return { statements, settings };
}

/** Everything that happens all the time, once. */
async function everyday(url: string): Promise<void> {
  const storage = await openStorage(url);
  await storage.open();
  const wants = [{ endpoint: 'end', turn: 0 as const, max: 5, skipStale: true }];
  const upkeep = async (now: number): Promise<void> => {
    for (const what of ['quarantine', 'events', 'attempts'] as const)
      while ((await storage.expire({ what, before: now - 80 * DAY, now, rows: 2, bytes: 1_000_000 })).more);
  };
  for (const now of [T, T + 9 * DAY]) await upkeep(now);
  const paid = { movement: payment('k'), request: 'r1' };
  await storage.record([inbound(request('r1'), event('e1', { ...paid, deliveries: [delivery('d1', 'end')] }))]);
  await storage.record([inbound(request('r2'), event('e1', { ...paid, id: 'again' }))]);
  await storage.record([
    inbound(
      request('r3'),
      event('e3', { movement: payment('k'), request: 'r3', deliveries: [delivery('d3', 'end', { orderedWait: 9, lease: lease(T + 9) })] }),
    ),
  ]);
  await storage.record([published(event('e4', { data: '{}', deliveries: [delivery('d4', 'end', { orderedWait: 9 })] }))]);
  const [first] = (await storage.claim({ owner: ME, now: T, until: T + 1_000, wants })).deliveries;
  assert.ok(first);
  await storage.settle([settlement(first, { ordered: true })]);
  await storage.settle([settlement({ ...first, id: 'd4' }, { attempt: attempt(1), next: { status: 'pending', at: T } })]);
  await storage.release({ owner: ME, leases: [{ id: 'd3', attempt: 1, leasedAt: T }], now: T });
  await storage.unclaim({ claim: { owner: ME, now: T, until: T + 1_000, wants }, now: T });
  await storage.addDeliveries([{ ...delivery('d5', 'end'), event: 'e1', createdAt: T }]);
  await storage.takeOver({ owner: ME, now: T, horizon: 9 });
  await storage.retryDelivery({ merchant: null, id: 'd1', now: T });
  await storage.prune({ source: 'src_a', maxCount: 1, maxBytes: 1, limit: 1 });
  await upkeep(T + 99 * DAY);
  await storage.close();
}

/** Where a limit stands right above it, a read ends with the first row. */
function readsOf(plan: Plan): Plan[] {
  const below = plan['Node Type'] === 'Limit' ? (plan.Plans ?? []).flatMap(({ Plans }) => Plans ?? []) : (plan.Plans ?? []);
  const isRead = plan['Node Type'].includes('Scan') && grows(plan['Relation Name'] ?? '');
  return [...(isRead ? [plan] : []), ...below.flatMap(readsOf)];
}

/** Reads of growing tables without a key, as PostgreSQL plans the statement once for all parameters. */
async function keyless(
  database: TestDatabase,
  { statements, settings }: { statements: Map<string, string>; settings: string },
): Promise<string[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(settings);
    const found: string[] = [];
    for (const [name, text] of statements) {
      const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
      const values = count === 0 ? '' : `(${Array.from({ length: count }, () => 'NULL').join(', ')})`;
      await client.query(`PREPARE asked AS ${text}`);
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (FORMAT JSON) EXECUTE asked${values}`);
      await client.query('DEALLOCATE asked');
      const plan = rows[0]?.['QUERY PLAN'][0].Plan;
      assert.ok(plan, name);
      for (const read of readsOf(plan))
        if (read['Index Cond'] === undefined && read['TID Cond'] === undefined)
          found.push(`${name}: ${read['Node Type']} of ${read['Relation Name'] ?? ''}`);
    }
    return [...new Set(found)];
  } finally {
    await client.end();
  }
}

it(
  'PostgreSQL reads what grows by keys alone, also where it planned while the tables were new, empty or small',
  { skip: postgres === null },
  async () => {
    const database = await postgres!.fresh();
    const made = await statementsOf(() => everyday(database.url));
    assert.ok(made.statements.size > 12, [...made.statements.keys()].join(', '));
    assert.match(made.settings, /force_generic_plan/);
    for (const name of ['claim', 'prune', 'expire_keep', 'expire_quarantine', 'retry', 'origins'])
      assert.ok(made.statements.has(name), name);
    const found: string[] = [];
    for (const read of await keyless(database, made)) found.push(`new: ${read}`);
    await database.sql('VACUUM (ANALYZE)');
    for (const read of await keyless(database, made)) found.push(`a few rows: ${read}`);
    const storage = await openStorage(database.url);
    await storage.open();
    await withDeliveries(
      storage,
      'other',
      Array.from({ length: 300 }, (_, n) => `f${n}`),
    );
    await storage.close();
    await database.sql('VACUUM (ANALYZE)');
    for (const read of await keyless(database, made)) found.push(`some hundred rows: ${read}`);
    for (const table of GROWING) await database.sql(`DELETE FROM ${table}`);
    await database.sql('VACUUM (ANALYZE)');
    for (const read of await keyless(database, made)) found.push(`empty again: ${read}`);
    assert.deepEqual(found, []);
    await database.drop();
  },
);

it('a statement of many steps has a name of its own, which PostgreSQL does not cut', () => {
  const step = (name: string) => ({ name, text: () => name, rows: () => Buffer.alloc(0) });
  const same = 'requests_known+transactions_moved+deliveries+kept+tallies+much_more';
  const [one, other, again] = ['a', 'b', 'a'].map((last) => statementOf([step(same), step(last)], new Map()));
  assert.ok(one && other && again);
  assert.ok(one.name.length <= 63 && other.name.length <= 63, `${one.name}, ${other.name}`);
  assert.notEqual(one.name, other.name);
  assert.deepEqual(again, one);
});
