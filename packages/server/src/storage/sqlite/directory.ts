import type { DatabaseSync } from 'node:sqlite';
import type {
  DirectoryRows,
  EndedSessionRow,
  EndpointRow,
  FailingEndpoint,
  KeyRow,
  MerchantRow,
  Peer,
  SourceRow,
  Versioned,
} from '../contract.ts';
import { atomically } from './transact.ts';

type Row = Versioned & { readonly id: string; readonly deletedAt?: number | null };

/** Configuration: small, read whole at start and held in memory by every process. */
export function directoryOperations(db: DatabaseSync) {
  const versionNow = (): number =>
    Number((db.prepare(`SELECT text FROM notes WHERE name = 'directory'`).get() as { text: string } | undefined)?.text ?? 0);
  const all = <Stored extends Row>(table: string, since: number): Stored[] => {
    const statement = db.prepare(
      `SELECT doc, version FROM ${table} WHERE version > ?1 AND (?1 > 0 OR deleted_at IS NULL) ORDER BY id DESC`,
    );
    return (statement.all(since) as { doc: string; version: number }[]).map(
      ({ doc, version }) => ({ ...JSON.parse(doc), version }) as Stored,
    );
  };
  const save = (table: string, rows: readonly Row[]): number | null => {
    const basis = db.prepare(`SELECT version FROM ${table} WHERE id = ?`);
    const write = db.prepare(`INSERT OR REPLACE INTO ${table} (id, doc, deleted_at, version) VALUES (?, ?, ?, ?)`);
    return atomically(db, () => {
      const current = ({ id }: Row): number => (basis.get(id) as { version: number } | undefined)?.version ?? 0;
      if (rows.some((row) => current(row) !== row.version)) return null;
      const version = versionNow() + 1;
      db.prepare(`INSERT OR REPLACE INTO notes (name, text) VALUES ('directory', ?)`).run(String(version));
      for (const row of rows) write.run(row.id, JSON.stringify(row), row.deletedAt ?? null, version);
      return version;
    });
  };
  return {
    loadDirectory: ({ since }: { since: number }): DirectoryRows => ({
      version: versionNow(),
      merchants: all<MerchantRow>('merchants', since),
      sources: all<SourceRow>('sources', since),
      endpoints: all<EndpointRow>('endpoints', since),
      keys: all<KeyRow>('keys', since),
      endedSessions: all<EndedSessionRow>('ended_sessions', since),
    }),
    saveMerchant: (row: MerchantRow): number | null => save('merchants', [row]),
    saveSource: (row: SourceRow): number | null => save('sources', [row]),
    saveEndpoints: (rows: readonly EndpointRow[]): number | null => save('endpoints', rows),
    saveKey: (row: KeyRow): number | null => save('keys', [row]),
    saveEndedSession: (row: EndedSessionRow): number | null => save('ended_sessions', [row]),
    // One process alone uses this database.
    beat: (_me: Peer): { directory: number; others: Peer[] } => ({ directory: versionNow(), others: [] }),
    leave: (_node: string): void => undefined,
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
    claimNote: ({ name, text }: { name: string; text: string }): string => {
      db.prepare('INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO NOTHING').run(name, text);
      return (db.prepare('SELECT text FROM notes WHERE name = ?').get(name) as { text: string }).text;
    },
  };
}
