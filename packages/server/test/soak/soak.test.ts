import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`five providers, a sink that fails in every way, a server killed under load: all is kept and delivered (SEED=${seed})`, async (t) => {
  const { findings, figures } = await soak({
    seconds: 5,
    kills: 2,
    perSecond: 25,
    seed,
    pictures: null,
    databaseUrl: null,
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual(findings, []);
  assert.ok(Number(figures['facts acknowledged']) > 20, 'too little happened to prove anything');
  assert.ok(Number(figures['calls in flight at a kill, in all']) > 0, 'no delivery was in flight at any kill');
});
