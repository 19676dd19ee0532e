/**
 * Rows for `unnest`, in PostgreSQL's binary form, so that a batch is one statement whatever its size, and neither side escapes, quotes or
 * parses a text: one array of rows where the schema has a type for them, one array for each column where it has none.
 */

interface Kinds {
  text: string | null;
  bytea: Uint8Array | null;
  int8: number | null;
  float8: number | null;
  bool: boolean | null;
  /** An array within a row. */
  texts: readonly string[] | null;
}

export type Columns = Readonly<Record<string, keyof Kinds>>;

export type RowOf<C extends Columns> = { readonly [Name in keyof C]: Kinds[C[Name]] };

export interface Rows<C extends Columns> {
  /** `id, merchant, ...`. */
  readonly names: string;
  /** `unnest($2::text[], ...) AS r (id, ...)`, its parameters counted from `first`. */
  unnest(first?: number): string;
  /** The values for those parameters. */
  bind(rows: readonly RowOf<C>[]): Buffer[];
}

/** Rows of a type that the schema has, all of them in one parameter: an `unnest` of many arrays costs the database more than most inserts. */
export interface TypedRows<C extends Columns> {
  readonly names: string;
  /** Of the type. */
  readonly type: string;
  /** `unnest($2::type[]) AS r`, where 2 is `at`. */
  unnest(at?: number): string;
  bind(rows: readonly RowOf<C>[], types: RowTypes): Buffer;
}

/** Object ids of the types of this database, by name. */
export type RowTypes = ReadonlyMap<string, number>;

/** Object ids of the element types, as in the catalogue of every PostgreSQL. */
const OID: Readonly<Record<keyof Kinds, number>> = { text: 25, bytea: 17, int8: 20, float8: 701, bool: 16, texts: 1009 };

const HEADER_BYTES = 20;

/** Above this the scratch is not kept, so that one huge batch does not stay in memory. */
const KEPT_BYTES = 4 * 1024 * 1024;

let scratch = Buffer.allocUnsafeSlow(64 * 1024);

function room(at: number, bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, at + bytes));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

/** Writes one column as a binary array of `kind` into the scratch, from `start`; answers with its end. */
function column<Row>(
  kind: keyof Kinds,
  { rows, value, start }: { rows: readonly Row[]; value: (row: Row) => unknown; start: number },
): number {
  const write = WRITERS[kind] as Write;
  room(start, HEADER_BYTES);
  let nulls = 0;
  let at = start + HEADER_BYTES;
  for (const row of rows) {
    const cell = value(row);
    if (cell === null) {
      room(at, 4);
      scratch.writeInt32BE(-1, at);
      at += 4;
      nulls = 1;
    } else {
      at = write(cell, at);
    }
  }
  return header({ start, end: at, nulls, oid: OID[kind], length: rows.length });
}

/** Writes what an array begins with; answers with its end. */
function header(array: {
  readonly start: number;
  readonly end: number;
  readonly nulls: number;
  readonly oid: number;
  readonly length: number;
}): number {
  const { start, end, nulls, oid, length } = array;
  // An array without elements has no dimension.
  scratch.writeInt32BE(length === 0 ? 0 : 1, start);
  scratch.writeInt32BE(nulls, start + 4);
  scratch.writeInt32BE(oid, start + 8);
  scratch.writeInt32BE(length, start + 12);
  scratch.writeInt32BE(1, start + 16);
  return length === 0 ? start + 12 : end;
}

/** What the scratch holds so far, cut at `ends`. */
function taken(ends: readonly number[]): Buffer[] {
  const all = Buffer.from(scratch.subarray(0, ends.at(-1) ?? 0));
  if (scratch.length > KEPT_BYTES) scratch = Buffer.allocUnsafeSlow(64 * 1024);
  return ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
}

/** One column as a binary array of `kind`. */
export function encode<K extends keyof Kinds>(kind: K, values: readonly Kinds[K][]): Buffer {
  const [array] = taken([column(kind, { rows: values, value: (cell) => cell, start: 0 })]);
  return array as Buffer;
}

type Write = (value: unknown, at: number) => number;

const WRITERS: { readonly [K in keyof Kinds]: (value: NonNullable<Kinds[K]>, at: number) => number } = {
  text(value, at) {
    // PostgreSQL keeps no NUL in a text: a hostile one must not make its whole batch fail, so its picture takes its place.
    const kept = value.includes('\0') ? value.replaceAll('\0', '\u2400') : value;
    room(at, 4 + kept.length * 3);
    const bytes = scratch.write(kept, at + 4);
    scratch.writeInt32BE(bytes, at);
    return at + 4 + bytes;
  },
  bytea(value, at) {
    room(at, 4 + value.byteLength);
    scratch.writeInt32BE(value.byteLength, at);
    scratch.set(value, at + 4);
    return at + 4 + value.byteLength;
  },
  int8(value, at) {
    room(at, 12);
    scratch.writeInt32BE(8, at);
    scratch.writeInt32BE(Math.floor(value / 2 ** 32) | 0, at + 4);
    scratch.writeInt32BE((value % 2 ** 32) | 0, at + 8);
    return at + 12;
  },
  float8(value, at) {
    room(at, 12);
    scratch.writeInt32BE(8, at);
    scratch.writeDoubleBE(value, at + 4);
    return at + 12;
  },
  bool(value, at) {
    room(at, 5);
    scratch.writeInt32BE(1, at);
    scratch[at + 4] = value ? 1 : 0;
    return at + 5;
  },
  texts(value, at) {
    const start = at + 4;
    const end = column('text', { rows: value, value: (cell) => cell, start });
    scratch.writeInt32BE(end - start, at);
    return end;
  },
};

/** A set of columns; `constraints` of the table decide what they mean. */
export function rowsOf<const C extends Columns>(columns: C): Rows<C> {
  const list = Object.entries(columns);
  const names = list.map(([name]) => name).join(', ');
  return {
    names,
    unnest: (first = 1) => `unnest(${list.map(([, kind], index) => `$${first + index}::${kind}[]`).join(', ')}) AS r (${names})`,
    bind(rows) {
      let start = 0;
      return taken(list.map(([name, kind]) => (start = column(kind, { rows, value: (row) => row[name], start }))));
    },
  };
}

/** As `rowsOf`, for the `type` of the schema that has these columns in this order. */
export function typedRowsOf<const C extends Columns>(type: string, columns: C): TypedRows<C> {
  const list = Object.entries(columns).map(([name, kind]) => ({ name, oid: OID[kind], write: WRITERS[kind] as Write }));
  return {
    names: list.map(({ name }) => name).join(', '),
    type,
    unnest: (at = 1) => `unnest($${at}::${type}[]) AS r`,
    bind(rows, types) {
      const oid = types.get(type);
      if (oid === undefined) throw new Error(`This database has no type ${type}.`);
      room(0, HEADER_BYTES);
      let at = HEADER_BYTES;
      for (const row of rows as readonly Readonly<Record<string, unknown>>[]) {
        const start = at;
        room(start, 8);
        scratch.writeInt32BE(list.length, start + 4);
        at = start + 8;
        for (const { name, oid: columnOid, write } of list) {
          const cell = row[name];
          room(at, 8);
          scratch.writeInt32BE(columnOid, at);
          if (cell === null) scratch.writeInt32BE(-1, at + 4);
          at = cell === null ? at + 8 : write(cell, at + 4);
        }
        scratch.writeInt32BE(at - start - 4, start);
      }
      return taken([header({ start: 0, end: at, nulls: 0, oid, length: rows.length })])[0] as Buffer;
    },
  };
}
