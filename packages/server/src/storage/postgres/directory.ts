import type { Pool, PoolClient } from 'pg';
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
import { rowsOf } from './arrays.ts';
import { atomically, commit, once } from './transact.ts';

type Row = Versioned & { readonly id: string; readonly deletedAt?: number | null };

/** A process that was not heard of for so long is not shown any more; its line goes after a day. */
const SEEN_MS = 5_000;
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

const NEXT_VERSION = {
  name: 'next_version',
  text: `INSERT INTO notes AS n (name, text) VALUES ('directory', '1') ON CONFLICT (name) DO UPDATE SET text = (n.text::bigint + 1)::text
    RETURNING text::bigint AS version`,
};

const VERSION = `coalesce((SELECT text::bigint FROM notes WHERE name = 'directory'), 0)`;

/**
 * True, in SQL, where `owner` may live though it holds no lock: it has lost its connection a moment ago, or the database has and every
 * node still looks for it. Taken for dead, such a node would send what it holds, and so would the one that takes over.
 */
export const SPOKE_LATELY = `EXISTS (SELECT 1 FROM nodes WHERE id = owner
  AND (seen_at > ${NOW} - ${SEEN_MS} OR pg_postmaster_start_time() > clock_timestamp() - interval '${SEEN_MS} milliseconds'))`;

const BEAT = {
  name: 'beat',
  text: `WITH me AS (INSERT INTO nodes (id, seen_at, news) VALUES ($1, ${NOW}, $2)
      ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, news = excluded.news),
    old AS (DELETE FROM nodes WHERE seen_at < ${NOW} - 86400000)
    SELECT ${VERSION} AS directory, coalesce((SELECT json_agg(json_build_object('node', id, 'news', news))
      FROM nodes WHERE id <> $1 AND seen_at > ${NOW} - ${SEEN_MS}), '[]') AS others`,
};

const FAILING = rowsOf({ since: 'int8', failures: 'int8', told: 'bool', endpoint: 'text' });

const SAVE_FAILING = `WITH rows AS MATERIALIZED (SELECT * FROM ${FAILING.unnest()}),
    forgotten AS (DELETE FROM failing f USING rows r WHERE r.endpoint = f.endpoint AND r.since IS NULL)
  INSERT INTO failing (since, failures, told, endpoint) SELECT since, failures, told, endpoint FROM rows WHERE since IS NOT NULL
  ON CONFLICT (endpoint) DO UPDATE SET since = excluded.since, failures = excluded.failures, told = excluded.told`;

/** Configuration: small, read whole at start and held in memory by every process. */
export function directoryOperations(hot: Pool) {
  const all = async <Stored extends Row>(table: string, since: number): Promise<Stored[]> => {
    const rows = await once<{ doc: string; version: number }>(hot, {
      name: `load_${table}`,
      text: `SELECT doc, version FROM ${table} WHERE version > $1 AND ($1 > 0 OR deleted_at IS NULL) ORDER BY id DESC`,
      values: [since],
    });
    return rows.map(({ doc, version }) => ({ ...JSON.parse(doc), version }) as Stored);
  };
  const save = (table: string, rows: readonly Row[]): Promise<number | null> =>
    atomically(hot, async (client, { maybeDone }) => {
      // The lock of this row is the turn of one save after the other.
      const [, turn] = await Promise.all([client.query('BEGIN'), client.query<{ version: number }>(NEXT_VERSION)]);
      const version = turn.rows[0]?.version ?? 0;
      const written = await Promise.all(rows.map((row) => saveRow(client, table, { row, version })));
      if (!written.every(Boolean)) {
        await client.query('ROLLBACK');
        return maybeDone ? standsAs(client, table, rows) : null;
      }
      await commit(client, () => []);
      return version;
    });
  return {
    async loadDirectory({ since }: { since: number }): Promise<DirectoryRows> {
      // Before the rows: what is saved meanwhile is read now and once more with the next version.
      const [now] = await once<{ version: number }>(hot, { name: 'directory', text: `SELECT ${VERSION} AS version`, values: [] });
      const [merchants, sources, endpoints, keys, endedSessions] = await Promise.all([
        all<MerchantRow>('merchants', since),
        all<SourceRow>('sources', since),
        all<EndpointRow>('endpoints', since),
        all<KeyRow>('keys', since),
        all<EndedSessionRow>('ended_sessions', since),
      ]);
      return { version: now?.version ?? 0, merchants, sources, endpoints, keys, endedSessions };
    },
    saveMerchant: (row: MerchantRow): Promise<number | null> => save('merchants', [row]),
    saveSource: (row: SourceRow): Promise<number | null> => save('sources', [row]),
    saveEndpoints: (rows: readonly EndpointRow[]): Promise<number | null> => save('endpoints', rows),
    saveKey: (row: KeyRow): Promise<number | null> => save('keys', [row]),
    saveEndedSession: (row: EndedSessionRow): Promise<number | null> => save('ended_sessions', [row]),
    async beat({ node, news }: Peer): Promise<{ readonly directory: number; readonly others: readonly Peer[] }> {
      const [found] = await once<{ directory: number; others: Peer[] }>(hot, { ...BEAT, values: [node, news] });
      return found ?? { directory: 0, others: [] };
    },
    async leave(node: string): Promise<void> {
      await once(hot, { name: 'leave', text: 'DELETE FROM nodes WHERE id = $1', values: [node] });
    },
    async loadFailing(): Promise<FailingEndpoint[]> {
      const text = 'SELECT endpoint, since, failures, told FROM failing ORDER BY endpoint';
      const rows = await once<{ endpoint: string } & FailingEndpoint['kept']>(hot, { name: 'load_failing', text, values: [] });
      return rows.map(({ endpoint, ...kept }) => ({ endpoint, kept }));
    },
    async saveFailing(rows: readonly { readonly endpoint: string; readonly kept: FailingEndpoint['kept'] | null }[]): Promise<void> {
      const values = FAILING.bind(
        rows.map(({ endpoint, kept }) => ({
          endpoint,
          since: kept?.since ?? null,
          failures: kept?.failures ?? null,
          told: kept?.told ?? null,
        })),
      );
      await once(hot, { name: 'save_failing', text: SAVE_FAILING, values });
    },
    async getNote(name: string): Promise<string | null> {
      const [row] = await once<{ text: string }>(hot, { name: 'get_note', text: 'SELECT text FROM notes WHERE name = $1', values: [name] });
      return row?.text ?? null;
    },
    async putNote({ name, text }: { readonly name: string; readonly text: string }): Promise<void> {
      const statement = 'INSERT INTO notes (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = excluded.text';
      await once(hot, { name: 'put_note', text: statement, values: [name, text] });
    },
    async claimNote({ name, text }: { readonly name: string; readonly text: string }): Promise<string> {
      // The update changes nothing, but makes the row that stands the answer.
      const statement = `INSERT INTO notes AS n (name, text) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET text = n.text RETURNING text`;
      const [row] = await once<{ text: string }>(hot, { name: 'claim_note', text: statement, values: [name, text] });
      return row?.text ?? text;
    },
  };
}

/** False where the stored row is of another version than this one was made from. */
async function saveRow(
  client: PoolClient,
  table: string,
  { row, version }: { readonly row: Row; readonly version: number },
): Promise<boolean> {
  const { rowCount } = await client.query({
    name: `save_${table}`,
    text: `INSERT INTO ${table} AS t (id, doc, deleted_at, version) VALUES ($1, $2, $3, $4)
      ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, deleted_at = excluded.deleted_at, version = excluded.version WHERE t.version = $5`,
    values: [row.id, JSON.stringify(row), row.deletedAt ?? null, version, row.version],
  });
  return rowCount === 1;
}

/** The version that these very rows were saved as by a try whose answer was lost; null where they were not. */
async function standsAs(client: PoolClient, table: string, rows: readonly Row[]): Promise<number | null> {
  const found = await Promise.all(
    rows.map((row) =>
      client.query<{ version: number }>(`SELECT version FROM ${table} WHERE id = $1 AND doc = $2`, [row.id, JSON.stringify(row)]),
    ),
  );
  const versions = new Set(found.map((answer) => answer.rows[0]?.version ?? null));
  const [only = null] = versions;
  return versions.size === 1 ? only : null;
}
