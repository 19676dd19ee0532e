import { hash } from 'node:crypto';
import type { EndedSessionRow, KeyRow } from '../../storage/contract.ts';
import type { RoomParts } from './parts.ts';
import type { Directory } from '../faces.ts';
import { Refusal } from '../refusal.ts';
import { newest } from './held.ts';

type KeyFace = Pick<Directory, 'keys' | 'createKey' | 'deleteKey' | 'keyHolder' | 'endSession' | 'isEnded'>;

interface KeyRows {
  readonly keys: readonly KeyRow[];
  readonly endedSessions: readonly EndedSessionRow[];
}

/** API keys, known by their hash alone, and the sessions that were opened with them and signed out. */
export function createKeys({
  storage,
  clock,
  random,
  newId,
  checkMerchant,
  inTurn,
  saved,
}: RoomParts): KeyFace & { load(rows: KeyRows): void } {
  const rows = new Map<string, KeyRow>();
  const byHash = new Map<string, KeyRow>();
  const ended = new Map<string, number>();

  function put(row: KeyRow): void {
    if (row.deletedAt === null) {
      rows.set(row.id, row);
      byHash.set(row.hash, row);
      return;
    }
    rows.delete(row.id);
    // Two processes that start together may both have written the key of their environment: what is withdrawn opens nothing.
    byHash.delete(row.hash);
    for (const other of rows.values()) if (other.hash === row.hash) rows.delete(other.id);
  }

  return {
    load(stored) {
      // In order, because a hash may have been withdrawn and given again.
      for (const row of stored.keys.toSorted((a, b) => a.version - b.version)) if (row.version > (rows.get(row.id)?.version ?? 0)) put(row);
      const now = clock.now();
      for (const [id, until] of ended) if (until <= now) ended.delete(id);
      for (const { id, until } of stored.endedSessions) if (until > now) ended.set(id, until);
    },
    keys: () => newest(rows.values()),
    async createKey({ name, merchant, key = `pbk_${Buffer.from(random(32)).toString('base64url')}` }) {
      if (merchant !== null) checkMerchant(merchant);
      const row = { id: newId('key'), name, hash: hash('sha256', key), merchant, createdAt: clock.now(), deletedAt: null, version: 0 };
      const made = { ...row, version: saved(await storage.saveKey(row)) };
      put(made);
      return { row: made, key };
    },
    deleteKey: (id) =>
      inTurn(async () => {
        const found = rows.get(id);
        if (found === undefined) throw new Refusal('not_found', 'There is no key with this id.');
        for (const row of [...rows.values()].filter((other) => other.hash === found.hash)) {
          const gone = { ...row, deletedAt: clock.now() };
          put({ ...gone, version: saved(await storage.saveKey(gone)) });
        }
      }),
    keyHolder(key) {
      const row = byHash.get(hash('sha256', key));
      return row === undefined ? null : { id: row.id, merchant: row.merchant };
    },
    async endSession(session) {
      saved(await storage.saveEndedSession({ ...session, version: 0 }));
      ended.set(session.id, session.until);
    },
    isEnded: (session) => ended.has(session),
  };
}
