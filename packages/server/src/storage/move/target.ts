import { Client } from 'pg';
import { rowsOf } from '../postgres/arrays.ts';
import type { Columns, RowOf } from '../postgres/arrays.ts';
import type { Contents } from '../postgres/contents.ts';
import { startError } from '../postgres/errors.ts';
import { makePartition, partitionsFrom, partitionsOf } from '../postgres/partitions.ts';
import { createServers } from '../postgres/servers.ts';
import type { SourceRow } from './source.ts';

const KINDS: Readonly<Record<string, Columns[string]>> = {
  bigint: 'int8',
  integer: 'int8',
  smallint: 'int8',
  'double precision': 'float8',
  boolean: 'bool',
  bytea: 'bytea',
  text: 'text',
  // Travels as text: amounts outgrow every number.
  numeric: 'text',
};

/** A PostgreSQL database in which everything is written by one transaction. */
export interface Target {
  tables(): ReadonlyMap<string, readonly string[]>;
  holdsRows(table: string): Promise<boolean>;
  /** Rows whose columns have the names of the table's; what a row does not have is null. */
  write(table: string, rows: readonly SourceRow[], onConflict?: string): Promise<void>;
  /** Where contents of these times go; what is there already is left as it is. */
  makePartitions(table: Contents, times: { readonly from: number; readonly to: number }): Promise<void>;
  note(name: string): Promise<string | null>;
  /** Goes on numbering behind the highest number that is there. */
  numberFrom(sequence: string, table: string): Promise<void>;
  commit(): Promise<void>;
  close(): Promise<void>;
}

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
}

const COLUMNS = `SELECT table_name AS "table", column_name AS name, data_type AS type FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
  WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> 'schema_version' AND is_generated = 'NEVER' ORDER BY ordinal_position`;

/** The schema must be there (a store that was opened made it). Nobody else reads or writes until the end. */
export async function openTarget(url: string): Promise<Target> {
  const servers = createServers(url);
  await servers.found();
  const client = new Client({ connectionString: servers.now().url, application_name: 'paybell migrate' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SET jit = off');
    await client.query('BEGIN');
    const { rows } = await client.query<Column>(COLUMNS);
    const tables = Map.groupBy(rows, ({ table }) => table);
    await client.query(`LOCK TABLE ${[...tables.keys()].join(', ')} IN ACCESS EXCLUSIVE MODE`);
    return targetOn(client, tables);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw startError(error);
  }
}

function targetOn(client: Client, tables: ReadonlyMap<string, readonly Column[]>): Target {
  const writers = new Map([...tables].map(([table, columns]) => [table, writerOf(client, { table, columns })]));
  return {
    tables: () => new Map([...tables].map(([table, columns]) => [table, columns.map(({ name }) => name)])),
    async holdsRows(table) {
      const { rows } = await client.query<{ holds: boolean }>(`SELECT EXISTS (SELECT 1 FROM ${table}) AS holds`);
      return rows[0]?.holds === true;
    },
    async write(table, rows, onConflict = '') {
      if (rows.length > 0) await writers.get(table)?.(rows, onConflict);
    },
    async makePartitions(table, times) {
      const there = await partitionsOf(client, table);
      for (const one of partitionsFrom(table, times))
        if (there.every(({ lower, upper }) => one.upper <= lower || upper <= one.lower)) await makePartition(client, table, one);
    },
    async note(name) {
      const { rows } = await client.query<{ text: string }>('SELECT text FROM notes WHERE name = $1', [name]);
      return rows[0]?.text ?? null;
    },
    async numberFrom(sequence, table) {
      await client.query(`SELECT setval('${sequence}', greatest((SELECT max(seq) FROM ${table}), 1), EXISTS (SELECT 1 FROM ${table}))`);
    },
    async commit() {
      await client.query('COMMIT');
      // Without figures of its own the database would plan for empty tables.
      await client.query('ANALYZE');
    },
    close: () => client.end(),
  };
}

function writerOf(client: Client, { table, columns }: { readonly table: string; readonly columns: readonly Column[] }) {
  const kinds = columns.map(({ name, type }) => {
    const kind = KINDS[type];
    if (kind === undefined) throw new Error(`The column ${table}.${name} is of a type (${type}) that this command does not know.`);
    return [name, kind] as const;
  });
  const rowsIn = rowsOf<Columns>(Object.fromEntries(kinds));
  const chosen = columns.map(({ name, type }) => (type === 'numeric' ? `${name}::numeric` : name)).join(', ');
  const text = `INSERT INTO ${table} (${rowsIn.names}) SELECT ${chosen} FROM ${rowsIn.unnest()}`;
  const cell = (row: SourceRow, name: string, kind: Columns[string]): unknown => {
    const value = row[name] ?? null;
    return kind === 'bool' && value !== null ? value !== 0 : value;
  };
  return async (rows: readonly SourceRow[], onConflict: string): Promise<void> => {
    const made = rows.map((row) => Object.fromEntries(kinds.map(([name, kind]) => [name, cell(row, name, kind)])) as RowOf<Columns>);
    await client.query({ name: `${table}${onConflict}`, text: `${text}${onConflict}`, values: rowsIn.bind(made) });
  };
}
