import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Storage } from '../storage/contract.ts';
import { keyFile, makeKeyFile, readKeyFile } from './keyring.ts';
import type { MasterKey } from './keyring.ts';

/** Seals secrets for rest with AES-256-GCM: `v1.KEY NAME.base64url of nonce, tag, ciphertext`. */
export interface Vault {
  /** Only `open` with the same row id gives the text back. */
  seal(text: string, rowId: string): string;
  /** Throws VaultError where the key is missing, the text was changed or belongs to another row. */
  open(sealed: string, rowId: string): string;
  /** A vault with keys of its own, derived for one purpose: what it seals, only one for the same purpose opens. */
  derive(purpose: string): Vault;
  /** True for what an older key sealed: to be opened and sealed again. */
  isStale(sealed: string): boolean;
}

export class VaultError extends Error {
  override readonly name = 'VaultError';
}

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CHECK_NOTE = 'master-key-check';
const CHECK_TEXT = 'paybell';

export function makeVault(keys: readonly MasterKey[], random: (size: number) => Uint8Array): Vault {
  const current = keys[0];
  if (current === undefined) throw new VaultError('There is no master key.');
  return {
    seal(text, rowId) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(boundTo(current.name, rowId));
      const closed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return `${VERSION}.${current.name}.${Buffer.concat([nonce, cipher.getAuthTag(), closed]).toString('base64url')}`;
    },
    open(sealed, rowId) {
      const { name, bytes } = parse(sealed);
      const key = keys.find((one) => one.name === name);
      if (key === undefined) throw new VaultError(`It was sealed with the master key "${name}", which is not among the keys given.`);
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(boundTo(name, rowId));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new VaultError(
          `The master key "${name}" does not open it: the key is another one, or the sealed text was changed or moved.`,
          { cause },
        );
      }
    },
    derive: (purpose) =>
      makeVault(
        keys.map(({ name, bytes }) => ({ name, bytes: new Uint8Array(hkdfSync('sha256', bytes, '', `paybell ${purpose}`, KEY_BYTES)) })),
        random,
      ),
    isStale: (sealed) => parse(sealed).name !== current.name,
  };
}

export interface VaultInput {
  readonly masterKeys: readonly MasterKey[] | null;
  readonly dataDir: string;
  readonly notes: Pick<Storage, 'getNote' | 'putNote' | 'claimNote'>;
  readonly random: (size: number) => Uint8Array;
}

/**
 * The vault of this installation, proven against the check value in the store; the first start makes both.
 * Throws VaultError with what to do where the keys are not those that the store was written with.
 */
export async function unlockVault(input: VaultInput): Promise<Vault> {
  const before = await input.notes.getNote(CHECK_NOTE);
  const found = input.masterKeys ?? readKeyFile(input.dataDir);
  if (found === null && before !== null) {
    throw new VaultError(
      `The secrets in this store are encrypted, and their master key is missing: put ${keyFile(input.dataDir)} back from a backup, or set PAYBELL_MASTER_KEYS.`,
    );
  }
  const vault = makeVault(found ?? makeKeyFile(input.dataDir, input.random(32)), input.random);
  // Of several processes that start on a new store the first one's keys count: the others are held to its check value.
  const check = before ?? (await input.notes.claimNote({ name: CHECK_NOTE, text: vault.seal(CHECK_TEXT, CHECK_NOTE) }));
  prove(vault, check);
  if (vault.isStale(check)) await input.notes.putNote({ name: CHECK_NOTE, text: vault.seal(CHECK_TEXT, CHECK_NOTE) });
  return vault;
}

function prove(vault: Vault, check: string): void {
  try {
    if (vault.open(check, CHECK_NOTE) === CHECK_TEXT) return;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new VaultError(
      `These are not the master keys that this store was written with. ${error.message} Set PAYBELL_MASTER_KEYS (or the key file) to the ones before.`,
      {
        cause: error,
      },
    );
  }
  throw new VaultError('The check value of the master keys is damaged: restore the store from a backup.');
}

/** Ties a sealed text to its row and key, so that it opens nowhere else. */
function boundTo(keyName: string, rowId: string): Buffer {
  return Buffer.from(`${VERSION}\n${keyName}\n${rowId}`, 'utf8');
}

function parse(sealed: string): { readonly name: string; readonly bytes: Buffer } {
  const [version, name, code, ...rest] = sealed.split('.');
  if (version !== VERSION || name === undefined || code === undefined || rest.length > 0) throw new VaultError('This is no sealed text.');
  const bytes = Buffer.from(code, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new VaultError('This sealed text is too short.');
  return { name, bytes };
}
