import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sourceFiles, violations } from './read-sources.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'paybell-house-'));
after(() => rmSync(copy, { recursive: true }));

describe('the house', () => {
  it('imports only what the table allows', () => {
    assert.deepEqual(
      violations(ROOT).map(({ file, what }) => `${file} ${what}`),
      [],
    );
  });

  const planted: readonly (readonly [string, string])[] = [
    ['packages/sdk/src/money.ts', "import { readFileSync } from 'node:fs';"],
    ['packages/sdk/src/providers/serixpay.ts', "import { makapay } from './makapay.ts';"],
    ['packages/sdk/src/verify.ts', 'const now = Date.now();'],
    ['packages/server/src/engine/record.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['packages/server/src/engine/record.ts', "import { openStorage } from '../storage/open.ts';"],
    ['packages/server/src/engine/record.ts', "import { isStatus } from '../storage/contract.ts';"],
    ['packages/server/src/engine/deliver.ts', 'setTimeout(() => 0, 1);'],
    ['packages/server/src/engine/deliver.ts', 'const chance = Math.random();'],
    ['packages/server/src/http/app.ts', "const store = await import('../storage/sqlite/store.ts');"],
    ['packages/server/src/http/app.ts', "console.log('here');"],
    ['packages/server/src/demo/start.ts', "export { startPaybell } from '../main.ts';"],
    ['packages/server/src/cli/tx.ts', "import { startPaybell } from '../main.ts';"],
    ['packages/server/src/storage/sqlite/store.ts', "import fastify from 'fastify';"],
  ];
  for (const [file, line] of planted) {
    it(`turns red for \`${line}\` in ${file}`, () => {
      for (const name of ['sdk', 'server'])
        cpSync(join(ROOT, 'packages', name, 'src'), join(copy, 'packages', name, 'src'), { recursive: true });
      const before = violations(copy).length;
      appendFileSync(join(copy, file), `\n${line}\n`);
      const found = violations(copy);
      assert.equal(found.length, before + 1);
      assert.equal(
        found.some((one) => one.file === file),
        true,
      );
    });
  }

  it('is all read', () => {
    assert.ok(sourceFiles(ROOT).length > 100);
  });
});
