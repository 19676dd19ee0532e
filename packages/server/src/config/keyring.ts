import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A named key that secrets are sealed with. */
export interface MasterKey {
  /** Letters, digits, `-` and `_`; stands in clear in what it sealed. */
  readonly name: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

const KEY_BYTES = 32;
const KEY_FILE = 'master-keys';

/** Reads `name:base64 of 32 bytes`, comma-separated; the first is current. Throws an Error without the key in it. */
export function readMasterKeys(text: string): readonly MasterKey[] {
  const keys = text.split(',').map((part, index) => {
    const [name = '', code = '', ...rest] = part.trim().split(':');
    if (rest.length > 0 || code === '') throw new Error(`must be name:base64 pairs with commas between; number ${index + 1} is not.`);
    if (!/^[\w-]{1,32}$/.test(name)) throw new Error(`has a name (number ${index + 1}) that is not 1 to 32 letters, digits, "-" or "_".`);
    if (!/^[A-Za-z0-9+/]{43}=?$/.test(code)) throw new Error(`has a key "${name}" that is not the base64 of ${KEY_BYTES} bytes.`);
    return { name, bytes: new Uint8Array(Buffer.from(code, 'base64')) };
  });
  const twice = keys.find((key, index) => keys.findIndex((other) => other.name === key.name) !== index);
  if (twice !== undefined) throw new Error(`names the key "${twice.name}" twice.`);
  return keys;
}

/** The keys of the data folder's key file; null where there is none. Throws a sentence where it cannot be trusted. */
export function readKeyFile(dataDir: string): readonly MasterKey[] | null {
  const file = keyFile(dataDir);
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new Error(`The key file ${file} can be read by others: run chmod 600 on it, and consider its keys known.`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return readMasterKeys(text.trim().split(/\s+/).join(','));
  } catch (error) {
    throw new Error(`The key file ${file} ${(error as Error).message}`, { cause: error });
  }
}

/** Writes the first key file, only for its owner to read, on disk before this returns. Never replaces one. */
export function makeKeyFile(dataDir: string, bytes: Uint8Array): readonly MasterKey[] {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`A master key has ${KEY_BYTES} bytes.`);
  writePrivateFile(keyFile(dataDir), `first:${Buffer.from(bytes).toString('base64')}\n`);
  return [{ name: 'first', bytes }];
}

/** Puts a new 0600 file in place whole or not at all; throws EEXIST where there is one. */
export function writePrivateFile(file: string, text: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.new`;
  const handle = openSync(draft, 'w', 0o600);
  try {
    chmodSync(draft, 0o600);
    writeSync(handle, text);
    fsyncSync(handle);
    linkSync(draft, file);
  } finally {
    closeSync(handle);
    unlinkSync(draft);
  }
  syncFolder(folder);
}

/** A new name is on disk only when its folder is. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function keyFile(dataDir: string): string {
  return join(dataDir, KEY_FILE);
}
