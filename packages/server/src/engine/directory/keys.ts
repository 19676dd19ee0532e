import { hash } from 'node:crypto';
import type { KeyRow } from '../../storage/contract.ts';
import type { DirectoryParts } from './parts.ts';
import type { Directory } from '../faces.ts';
import { Refusal } from '../refusal.ts';

type KeyFace = Pick<Directory, 'keys' | 'createKey' | 'deleteKey' | 'keyHolder'>;

/** API keys: known by their hash alone. */
export function createKeys(parts: DirectoryParts, checkMerchant: (id: string) => void): KeyFace & { hold(rows: readonly KeyRow[]): void } {
  const { storage, clock, random, newId } = parts;
  const byHash = new Map<string, KeyRow>();
  return {
    hold(rows) {
      for (const row of rows) byHash.set(row.hash, row);
    },
    keys: () => [...byHash.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
    async createKey({ name, merchant, key = `pbk_${Buffer.from(random(32)).toString('base64url')}` }) {
      if (merchant !== null) checkMerchant(merchant);
      const row: KeyRow = { id: newId('key'), name, hash: hash('sha256', key), merchant, createdAt: clock.now(), deletedAt: null };
      await storage.saveKey(row);
      byHash.set(row.hash, row);
      return { row, key };
    },
    async deleteKey(id) {
      const row = [...byHash.values()].find((one) => one.id === id);
      if (row === undefined) throw new Refusal('not_found', 'There is no key with this id.');
      await storage.saveKey({ ...row, deletedAt: clock.now() });
      byHash.delete(row.hash);
    },
    keyHolder(key) {
      const row = byHash.get(hash('sha256', key));
      return row === undefined ? null : { id: row.id, merchant: row.merchant };
    },
  };
}
