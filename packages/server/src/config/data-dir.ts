import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from './keyring.ts';

/** What a server leaves in its data folder for the CLI on the same machine. */

/** Makes the folder where it is missing, only for its owner to enter. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
}

export interface Running {
  readonly pid: number;
  readonly url: string;
}

export function writeRunning(dataDir: string, running: Running): void {
  const draft = join(dataDir, `server.json.${running.pid}.new`);
  writeFileSync(draft, `${JSON.stringify(running)}\n`);
  renameSync(draft, join(dataDir, 'server.json'));
}

export function clearRunning(dataDir: string): void {
  rmSync(join(dataDir, 'server.json'), { force: true });
}

/** The server that last said it serves this folder; it may be gone. */
export function readRunning(dataDir: string): Running | null {
  const text = textOf(join(dataDir, 'server.json'));
  if (text === null) return null;
  try {
    const { pid, url } = JSON.parse(text) as Partial<Running>;
    return typeof pid === 'number' && typeof url === 'string' ? { pid, url } : null;
  } catch {
    return null;
  }
}

/** The admin key that the first start made; null where there is none. */
export function readLocalAdminKey(dataDir: string): string | null {
  return textOf(join(dataDir, 'admin-key'))?.trim() || null;
}

/** Keeps the admin key for the CLI on this machine, only for its owner to read. */
export function keepLocalAdminKey(dataDir: string, key: string): void {
  const file = join(dataDir, 'admin-key');
  rmSync(file, { force: true });
  writePrivateFile(file, `${key}\n`);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
