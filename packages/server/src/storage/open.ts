import { join } from 'node:path';
import type { Storage } from './contract.ts';

export interface OpenOptions {
  /** Never writes and takes no lock. */
  readonly readOnly?: boolean;
  /** False: no threads of its own. Default true. */
  readonly threads?: boolean;
}

/** The path of the embedded database in a data folder. */
export function databasePath(dataDir: string): string {
  return join(dataDir, 'paybell.db');
}

/** A store for a file path or a URL; its driver is loaded only when asked for. The caller opens and closes it. */
export async function openStorage(url: string, { readOnly = false, threads = true }: OpenOptions = {}): Promise<Storage> {
  if (/^postgres(ql)?:/.test(url)) {
    const { postgresStore } = await import('./postgres/store.ts');
    return postgresStore({ url, readOnly });
  }
  const { sqliteStore } = await import('./sqlite/store.ts');
  return sqliteStore({ path: url, threads, readOnly });
}
