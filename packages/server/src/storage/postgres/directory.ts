import type { Pool } from 'pg';
import type { DirectoryRows, EndpointRow, KeyRow, MerchantRow, SourceRow } from '../contract.ts';
import { once } from './transact.ts';

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
