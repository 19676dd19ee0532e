/**
 * Rows for `unnest`: each column travels as one binary PostgreSQL array, so a batch is one statement whatever its size, and neither
 * side escapes, quotes or parses a text.
 */

interface Kinds {
  text: string | null;
  bytea: Uint8Array | null;
  int8: number | null;
  float8: number | null;
  bool: boolean | null;
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

/** Object ids of the element types, as in the catalogue of every PostgreSQL. */
const OID: Readonly<Record<keyof Kinds, number>> = { text: 25, bytea: 17, int8: 20, float8: 701, bool: 16 };

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
  const write = WRITERS[kind] as (value: unknown, at: number) => number;
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
  // An array without elements has no dimension.
  scratch.writeInt32BE(rows.length === 0 ? 0 : 1, start);
  scratch.writeInt32BE(nulls, start + 4);
  scratch.writeInt32BE(OID[kind], start + 8);
  scratch.writeInt32BE(rows.length, start + 12);
  scratch.writeInt32BE(1, start + 16);
  return rows.length === 0 ? start + 12 : at;
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
