import type { DatabaseSync } from 'node:sqlite';
import { atomically } from './transact.ts';
import type { DirectoryRows, EndpointRow, FailingEndpoint, KeyRow, MerchantRow, SourceRow } from '../contract.ts';

type Doc = { doc: string };

/** Configuration: small, read whole at start and held in memory by every process. */
export function directoryOperations(db: DatabaseSync) {
  const all = <Row>(table: string): Row[] => {
    const where = table === 'merchants' ? '' : 'WHERE deleted_at IS NULL';
    return (db.prepare(`SELECT doc FROM ${table} ${where} ORDER BY id DESC`).all() as Doc[]).map((row) => JSON.parse(row.doc) as Row);
  };
  const save = (table: string, row: { id: string; deletedAt: number | null }): void => {
    db.prepare(
      `INSERT INTO ${table} (id, doc, deleted_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, deleted_at = excluded.deleted_at`,
    ).run(row.id, JSON.stringify(row), row.deletedAt);
  };
  return {
    loadDirectory: (): DirectoryRows => ({
      merchants: all<MerchantRow>('merchants'),
      sources: all<SourceRow>('sources'),
      endpoints: all<EndpointRow>('endpoints'),
      keys: all<KeyRow>('keys'),
    }),
    saveMerchant: (row: MerchantRow): void => {
      db.prepare('INSERT INTO merchants (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc').run(
        row.id,
        JSON.stringify(row),
      );
    },
    saveSource: (row: SourceRow): void => save('sources', row),
    saveEndpoint: (row: EndpointRow): void => save('endpoints', row),
    saveKey: (row: KeyRow): void => save('keys', row),
    loadFailing: (): FailingEndpoint[] =>
      db
        .prepare('SELECT endpoint, since, failures, told FROM failing ORDER BY endpoint')
        .all()
        .map(({ endpoint, since, failures, told }) => ({
          endpoint: String(endpoint),
          kept: { since: Number(since), failures: Number(failures), told: told === 1 },
        })),
    saveFailing: (rows: readonly { endpoint: string; kept: FailingEndpoint['kept'] | null }[]): void =>
      atomically(db, () => {
        const keep = db.prepare(
          `INSERT INTO failing (endpoint, since, failures, told) VALUES (?, ?, ?, ?)
           ON CONFLICT (endpoint) DO UPDATE SET since = excluded.since, failures = excluded.failures, told = excluded.told`,
        );
        const forget = db.prepare('DELETE FROM failing WHERE endpoint = ?');
        for (const { endpoint, kept } of rows) {
          if (kept === null) forget.run(endpoint);
          else keep.run(endpoint, kept.since, kept.failures, kept.told ? 1 : 0);
        }
      }),
    getNote: (name: string): string | null =>
      (db.prepare('SELECT text FROM notes WHERE name = ?').get(name) as { text: string } | undefined)?.text ?? null,
    putNote: ({ name, text }: { name: string; text: string }): void => {
      db.prepare('INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text').run(name, text);
    },
  };
}
