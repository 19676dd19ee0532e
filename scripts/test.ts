/**
 * `npm test [-- PART...]`: runs every test of every package with Node's own runner; PART is a piece of a file's path.
 * Answers non-zero when a test fails or when none ran.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './build-console.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LONGEST_FILE_MS = 15 * 60_000;
/** Tests start servers of their own: more at once makes each of them slow. */
const AT_ONCE = 2;

const parts = process.argv.slice(2);
const files = globSync('packages/*/test/**/*.test.{ts,tsx}', { cwd: ROOT, exclude: ['**/node_modules/**'] })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .toSorted();
if (files.length === 0) {
  process.stderr.write(`No test file's path has ${parts.join(' or ')} in it.\n`);
  process.exit(1);
}
process.chdir(ROOT);
// Each test file is a process of its own: what one has compiled the next one need not.
process.env['NODE_COMPILE_CACHE'] ??= join(ROOT, 'node_modules/.cache/compile');
await buildConsole();

let ran = 0;
const stream = run({
  files: files.map((file) => join(ROOT, file)),
  concurrency: AT_ONCE,
  timeout: LONGEST_FILE_MS,
  execArgv: ['--conditions=paybell-source', '--disable-warning=ExperimentalWarning'],
});
stream.on('test:fail', () => (process.exitCode = 1));
stream.on('test:summary', ({ file, counts, success }) => {
  if (file !== undefined) return;
  ran = counts.tests - counts.skipped;
  if (!success) process.exitCode = 1;
});
stream.on('end', () => {
  if (ran > 0) return;
  process.exitCode = 1;
  process.stderr.write('No test ran.\n');
});
stream.compose(spec).pipe(process.stdout);
