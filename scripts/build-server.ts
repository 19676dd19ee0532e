/** Builds all that a published package has: run by `npm pack` and `npm publish` in packages/server. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './build-console.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

await buildConsole();
// The server is compiled against what the SDK publishes, not against its sources.
for (const name of ['sdk', 'server']) {
  const folder = join(ROOT, 'packages', name);
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.build.json')], {
    stdio: 'inherit',
  });
}

// Statements that are files of their own.
const server = join(ROOT, 'packages/server');
for (const file of globSync('src/**/*.sql', { cwd: server })) cpSync(join(server, file), join(server, file.replace(/^src/, 'dist')));
