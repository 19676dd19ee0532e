import type { Pool } from 'pg';
import type { DirectoryRows, EndpointRow, FailingEndpoint, KeyRow, MerchantRow, SourceRow } from '../contract.ts';
import { rowsOf } from './arrays.ts';
import { once } from './transact.ts';

const FAILING = rowsOf({ since: 'int8', failures: 'int8', told: 'bool', endpoint: 'text' });

const SAVE_FAILING = `WITH rows AS MATERIALIZED (SELECT * FROM ${FAILING.unnest()}),
    forgotten AS (DELETE FROM failing f USING rows r WHERE r.endpoint = f.endpoint AND r.since IS NULL)
  INSERT INTO failing (since, failures, told, endpoint) SELECT since, failures, told, endpoint FROM rows WHERE since IS NOT NULL
  ON CONFLICT (endpoint) DO UPDATE SET since = excluded.since, failures = excluded.failures, told = excluded.told`;

/** Configuration: small, read whole at start and held in memory by every process. */
export function directoryOperations(hot: Pool) {
  const all = async <Row>(table: string): Promise<Row[]> => {
    const where = table === 'merchants' ? '' : 'WHERE deleted_at IS NULL';
    const rows = await once<{ doc: string }>(hot, {
      name: `load_${table}`,
      text: `SELECT doc FROM ${table} ${where} ORDER BY id DESC`,
      values: [],
    });
    return rows.map(({ doc }) => JSON.parse(doc) as Row);
  };
  const save = async (table: string, row: { readonly id: string; readonly deletedAt: number | null }): Promise<void> => {
    const text = `INSERT INTO ${table} (id, doc, deleted_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, deleted_at = excluded.deleted_at`;
    await once(hot, { name: `save_${table}`, text, values: [row.id, JSON.stringify(row), row.deletedAt] });
  };
  return {
    async loadDirectory(): Promise<DirectoryRows> {
      const [merchants, sources, endpoints, keys] = await Promise.all([
        all<MerchantRow>('merchants'),
        all<SourceRow>('sources'),
        all<EndpointRow>('endpoints'),
        all<KeyRow>('keys'),
      ]);
      return { merchants, sources, endpoints, keys };
    },
    async saveMerchant(row: MerchantRow): Promise<void> {
      const text = 'INSERT INTO merchants (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc';
      await once(hot, { name: 'save_merchant', text, values: [row.id, JSON.stringify(row)] });
    },
    saveSource: (row: SourceRow): Promise<void> => save('sources', row),
    saveEndpoint: (row: EndpointRow): Promise<void> => save('endpoints', row),
    saveKey: (row: KeyRow): Promise<void> => save('keys', row),
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
  };
}
