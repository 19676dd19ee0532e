import { DatabaseSync } from 'node:sqlite';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import { tempDir } from '../support/server.ts';
import { conformance } from './conformance.ts';
import type { Opened } from './conformance.ts';

async function open(threads: boolean): Promise<Opened> {
  const folder = tempDir();
  const path = databasePath(folder.path);
  let storage = await openStorage(path, { threads });
  await storage.open();
  return {
    storage,
    async reopen() {
      await storage.close();
      storage = await openStorage(path, { threads });
      await storage.open();
      return storage;
    },
    async plant(sql) {
      const db = new DatabaseSync(path, { enableForeignKeyConstraints: false, timeout: 5000 });
      db.exec(sql);
      db.close();
    },
    async end() {
      await storage.close();
      folder.remove();
    },
  };
}

conformance({ name: 'the embedded store on its own threads', open: () => open(true) });
conformance({ name: "the embedded store on the caller's thread", open: () => open(false) });
