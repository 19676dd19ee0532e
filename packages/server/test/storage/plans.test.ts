import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { connect } from '../../src/storage/sqlite/connect.ts';
import { operations } from '../../src/storage/sqlite/operations.ts';
import { tempDir } from '../support/server.ts';

const GROWING = 'requests|events|resends|deliveries|transactions|attempts|payloads|refs|event_keys|transaction_ids|tallies';
const PAGE = { merchant: 'm', limit: 10, cursor: '99' };

/** The plans of all statements that are prepared on this connection, with parameters as they come: unknown. */
function watchPlans(db: DatabaseSync): Map<string, string[]> {
  const plans = new Map<string, string[]>();
  const prepare = db.prepare.bind(db);
  Object.assign(db, {
    prepare(sql: string) {
      if (/^\s*(SELECT|UPDATE|DELETE|WITH)/i.test(sql) && !plans.has(sql)) {
        const parameters = new Set(sql.match(/\?\d/g) ?? []).size || (sql.match(/\?/g) ?? []).length;
        const rows = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: parameters }, () => null));
        plans.set(
          sql,
          rows.map((row) => String(row['detail'])),
        );
      }
      return prepare(sql);
    },
  });
  return plans;
}

test('no statement of the hot path or of a list scans, or sorts, what grows with history', () => {
  const dir = tempDir();
  const db = connect(join(dir.path, 'plans.db'), 'write');
  try {
    const plans = watchPlans(db);
    const run = operations(db);
    run.takeOver({ owner: 'a', now: 1, horizon: 5 });
    run.prune({ source: 's', maxCount: 1, maxBytes: 1, limit: 1 });
    for (const what of ['events', 'attempts', 'duplicates', 'quarantine'] as const)
      run.expire({ what, before: 1, now: 2, rows: 10, bytes: 1000 });
    run.claim({ owner: 'a', now: 1, until: 2, wants: [{ endpoint: 'e', turn: 0, max: 1 }] });
    run.retryDelivery({ merchant: 'm', id: 'd', now: 1 });
    for (const more of [{}, { verdict: 'rejected' as const }, { source: 's', verdict: 'duplicate' as const }])
      run.listRequests({ ...PAGE, ...more });
    const lists = [
      {},
      { status: 'pending' as const },
      { status: 'failed' as const, endpoint: 'e' },
      { endpoint: 'e' },
      { endpoint: 'e', status: 'succeeded' as const },
      { event: 'x' },
      { transaction: 't' },
    ];
    for (const more of lists) run.listDeliveries({ ...PAGE, ...more });
    for (const more of [{}, { status: 'pending' }, { q: 'x' }, { from: 1, to: 2 }, { status: 'failed', currency: 'KES' }])
      run.listTransactions({ ...PAGE, ...more });
    for (const more of [{}, { transaction: 't' }, { endpoint: 'e', status: 'failed' as const }]) run.listEvents({ ...PAGE, ...more });
    const filter = { since: 1, until: 2, endpoint: null, status: null, types: null, source: 's', transaction: 't' };
    const statuses = [null, 'missing', 'failed', 'pending', 'succeeded'] as const;
    for (const status of statuses)
      for (const endpoint of [null, 'e'])
        for (const bodies of [true, false])
          for (const cursor of [null, '1 9'])
            run.findResendable({ merchant: 'm', filter: { ...filter, status, endpoint }, cursor, limit: 9, bodies });
    const lease = { owner: 'a', until: 1 };
    run.takeResends({ owner: 'a', now: 1, until: 2 });
    run.listResends(PAGE);
    run.getResend({ merchant: 'm', id: 'r' });
    run.endResend({ merchant: 'm', id: 'r', state: 'canceled', note: null, lease, now: 1 });
    run.withdrawResend({ id: 'r', owner: 'a', now: 1, until: 2, limit: 1 });
    run.stats({ merchant: 'm', from: 0, to: 1, bucketMs: 1000 });
    run.endpointHealth({ endpoints: ['e'], since: 0 });
    for (const read of [run.getRequest, run.getRequestBody, run.getEvent, run.getDelivery, run.getTransaction])
      read({ merchant: 'm', id: 'x' });
    assert.ok(plans.size > 40, `only ${plans.size} statements were seen`);
    // The children and the events of one transaction are few, and so are the latest deliveries of an endpoint.
    const few = /transactions_of_parent|MATERIALIZE chain|CO-ROUTINE d\b/;
    const costly = [...plans].filter(
      ([, plan]) =>
        !few.test(plan.join(';')) &&
        plan.some((step) => new RegExp(`^SCAN (${GROWING}|[dertpao])\\b|USE TEMP B-TREE FOR ORDER BY`).test(step)),
    );
    assert.deepEqual(costly, []);
    const plan = (part: string): string => [...plans].find(([sql]) => sql.includes(part))?.[1].join('; ') ?? '';
    assert.match(plan(`d.status = 'pending' AND d.due_at <= ?`), /deliveries_due \(endpoint=\? AND turn=\? AND due_at<\?\)/);
    assert.match(plan('EXISTS (SELECT 1 FROM deliveries d'), /deliveries_of_event/);
  } finally {
    db.close();
    dir.remove();
  }
});
