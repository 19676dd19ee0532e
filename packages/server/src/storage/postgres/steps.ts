import type { ClientBase } from 'pg';
import type { Columns, RowOf, Rows } from './arrays.ts';

/** What a commit does to one table: common table expressions over the rows it is given. */
export interface Step {
  readonly name: string;
  /** `name AS (INSERT ...)`; its parameters are counted from `first`. */
  readonly text: (first: number) => string;
  readonly values: readonly Buffer[];
}

/** A step over rows of these columns; nothing where there are no rows. `text` is given `unnest(...) AS r (...)`. */
export function stepOver<const C extends Columns>(
  name: string,
  { columns, text }: { readonly columns: Rows<C>; readonly text: (rows: string) => string },
): (rows: readonly RowOf<C>[]) => Step[] {
  return (rows) => (rows.length === 0 ? [] : [{ name, text: (first) => text(columns.unnest(first)), values: columns.bind(rows) }]);
}

const texts = new Map<string, string>();

/** Steps as one statement: a batch costs one message each way, whatever it writes. No step sees what another one writes. */
export function runSteps(client: ClientBase, steps: readonly Step[]): Promise<unknown>[] {
  if (steps.length === 0) return [];
  const name = steps.map((step) => step.name).join('+');
  let text = texts.get(name);
  if (text === undefined) {
    let first = 1;
    const parts = steps.map((step) => {
      const part = step.text(first);
      first += step.values.length;
      return part;
    });
    text = `WITH ${parts.join(', ')} SELECT`;
    texts.set(name, text);
  }
  return [client.query({ name, text, values: steps.flatMap(({ values }) => values) })];
}
