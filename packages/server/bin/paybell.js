#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCES = '--conditions=paybell-source';
const inClone = existsSync(new URL('../src/cli/main.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `paybell needs Node.js 24 or newer; this is ${process.version}. In the clone, npm ci brings the right one: npx paybell.\n`,
  );
  process.exitCode = 2;
} else if (inClone && !process.execArgv.includes(SOURCES)) {
  // A clone runs its TypeScript as it is, which node does under this condition only; a published package has JavaScript and no sources.
  const args = [SOURCES, '--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  if (process.platform === 'win32') process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
  else process.execve(process.execPath, [process.execPath, ...args], process.env);
} else {
  await import('#cli');
}
