/** `npm run check [-- NAME...]`: types, lint, format, dead code, rules of the house. Says all that is wrong, not only the first. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE = ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'];

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  types: [bin('typescript/bin/tsc'), '-p', 'tsconfig.json'],
  'console-types': [bin('typescript/bin/tsc'), '-p', 'packages/console/tsconfig.json'],
  lint: [bin('oxlint/bin/oxlint')],
  format: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  unused: [bin('knip/bin/knip.js'), '--no-progress'],
  house: [...NODE, '--test', ...globSync('packages/server/test/house/*.test.ts', { cwd: ROOT })],
};

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !Object.hasOwn(CHECKS, name));
if (unknown !== undefined) {
  process.stderr.write(`There is no check "${unknown}". There are: ${Object.keys(CHECKS).join(', ')}.\n`);
  process.exit(2);
}
const failed = Object.entries(CHECKS)
  .filter(([name]) => chosen.length === 0 || chosen.includes(name))
  .filter(([name, args]) => !passes(name, args))
  .map(([name]) => name);
process.stdout.write(failed.length === 0 ? 'All checks passed.\n' : `Failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function passes(name: string, args: readonly string[]): boolean {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
  if (status !== 0) process.stdout.write(`${stdout}${stderr}\n`);
  return status === 0;
}

function bin(path: string): string {
  const file = join(ROOT, 'node_modules', path);
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm ci.`);
  return file;
}
