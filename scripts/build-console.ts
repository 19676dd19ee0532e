import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUTPUT = join(ROOT, 'packages/server/console/index.html');
const STAMP = join(ROOT, 'node_modules/.cache/paybell-console');
/** What the console is made of: a change in any of it makes the built one stale. */
const INPUTS = ['packages/console/{src,public}/**/*', 'packages/console/*.{json,html,ts}', 'packages/sdk/src/**/*.ts', 'package-lock.json'];

/** Builds the console into the server's folder, unless the one there is up to date. */
export async function buildConsole(): Promise<void> {
  const wanted = digestOfInputs();
  if (existsSync(OUTPUT) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  const { build } = await import('vite');
  await build({ root: join(ROOT, 'packages/console'), logLevel: 'warn' });
  mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true });
  writeFileSync(STAMP, wanted);
}

function digestOfInputs(): string {
  const hash = createHash('sha256');
  for (const entry of globSync(INPUTS, { cwd: ROOT, withFileTypes: true }).filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    hash.update(`${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

if (import.meta.main) await buildConsole();
