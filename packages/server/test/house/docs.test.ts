import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { printedDocs } from '../../../../scripts/build-docs.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
const text = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

describe('docs', async () => {
  for (const [page, printed] of Object.entries(await printedDocs())) {
    it(`${page} says what its table says (node scripts/build-docs.ts)`, () => {
      assert.equal(text(page), printed);
    });
  }

  it('link to pages that exist', () => {
    const dead = pages.flatMap((page) =>
      [...text(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
        .map(([, link = '']) => ({ page, link }))
        .filter(({ link }) => !existsSync(join(ROOT, dirname(page), link))),
    );
    assert.deepEqual(dead, []);
  });

  it('name tests that exist for every promise', () => {
    const named = [...text('docs/guarantees.md').matchAll(/`(packages\/[^`\s]+\.test\.tsx?)`/g)].map(([, file = '']) => file);
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((file) => !existsSync(join(ROOT, file))),
      [],
    );
  });

  it('name only settings that there are', () => {
    const known = new Set(text('docs/settings.md').match(/PAYBELL_[A-Z_]+/g));
    const unknown = pages.flatMap((page) =>
      [...(text(page).match(/\bPAYBELL_(?!TEST_|BENCH_|SIMULATION_|CHROMIUM)[A-Z_]+\b/g) ?? [])].filter((name) => !known.has(name)),
    );
    assert.deepEqual(unknown, []);
  });
});
