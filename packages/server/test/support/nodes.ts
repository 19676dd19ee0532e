import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { startServer } from './server.ts';
import type { TestServer } from './server.ts';

/** Nodes of one installation share their master keys. */
export const MASTER_KEYS = `shared:${Buffer.alloc(32, 5).toString('base64')}`;

/** Several servers in this process on one database. */
export async function startNodes(count: number, env: Record<string, string>): Promise<TestServer[]> {
  const nodes: TestServer[] = [];
  for (let n = 0; n < count; n += 1) nodes.push(await startServer({ env: { PAYBELL_MASTER_KEYS: MASTER_KEYS, ...env } }));
  return nodes;
}

/** Looks until `met` answers true; fails with `what` where that takes longer than `withinMs`. Answers how long it took. */
export async function within(withinMs: number, what: string, met: () => Promise<boolean> | boolean): Promise<number> {
  const began = performance.now();
  while (!(await met())) {
    assert.ok(performance.now() - began < withinMs, `not within ${withinMs} ms: ${what}`);
    await wait(20);
  }
  return performance.now() - began;
}
