import assert from 'node:assert/strict';
import { readFileSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { providers } from '@paybell/sdk';
import { SETTINGS } from '../../src/config/settings.ts';
import { sourceFiles, withoutComments } from './read-sources.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MOST_LINES = 300;
/** The contract of the stores is read from top to bottom, and split it would be read less. */
const LONGER = ['packages/server/src/storage/contract.ts'];

describe('sources', () => {
  it('are small files', () => {
    const tests = globSync('packages/*/test/**/*.{ts,tsx}', { cwd: ROOT });
    const long = [...sourceFiles(ROOT), ...tests]
      .filter((file) => !LONGER.includes(file))
      .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES);
    assert.deepEqual(long, []);
  });

  it('have no drawers', () => {
    const drawers = sourceFiles(ROOT).filter((file) => /(?:^|\/)(?:utils?|helpers?|common|misc|shared)(?:\/|\.tsx?$)/.test(file));
    // What all schemas share is not a drawer of code.
    assert.deepEqual(
      drawers.filter((file) => file !== 'packages/server/src/http/schema/common.ts'),
      [],
    );
  });

  it('have every provider file in the index, under the name it has', () => {
    const files = globSync('packages/sdk/src/providers/*.ts', { cwd: ROOT }).map((file) => basename(file, '.ts'));
    assert.deepEqual(files.filter((name) => name !== 'index').toSorted(), providers.map(({ id }) => id).toSorted());
  });

  it('read the environment in one place', () => {
    const readers = sourceFiles(ROOT).filter((file) => /\bprocess\.env\b/.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))));
    assert.deepEqual(readers, ['packages/server/src/cli/process-io.ts']);
  });

  it('name every setting once', () => {
    for (const field of ['name', 'flag', 'env'] as const) {
      const names = SETTINGS.flatMap((setting) => setting[field] ?? []);
      assert.equal(new Set(names).size, names.length, field);
    }
  });
});
