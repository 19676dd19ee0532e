import type { ClientBase } from 'pg';
import type { Columns, RowOf, RowTypes, TypedRows } from './arrays.ts';

/** What a commit does to one table: common table expressions over the rows it is given. */
export interface Step {
  readonly name: string;
  /** `name AS (INSERT ...)`, over the rows of parameter `at`. */
  readonly text: (at: number) => string;
  readonly rows: (types: RowTypes) => Buffer;
}

/** A step over rows of a type; nothing where there are no rows. `text` is given `unnest(...) AS r`. */
export function stepOver<const C extends Columns>(
  name: string,
  { rows: typed, text }: { readonly rows: TypedRows<C>; readonly text: (rows: string) => string },
): (rows: readonly RowOf<C>[]) => Step[] {
  return (rows) => (rows.length === 0 ? [] : [{ name, text: (at) => text(typed.unnest(at)), rows: (types) => typed.bind(rows, types) }]);
}

const texts = new Map<string, string>();

/** Steps as one statement: a batch costs one message each way, whatever it writes. No step sees what another one writes. */
export function runSteps(client: ClientBase, steps: readonly Step[], types: RowTypes): Promise<unknown>[] {
  if (steps.length === 0) return [];
  const name = steps.map((step) => step.name).join('+');
  let text = texts.get(name);
  if (text === undefined) texts.set(name, (text = `WITH ${steps.map((step, index) => step.text(index + 1)).join(', ')} SELECT`));
  return [client.query({ name, text, values: steps.map(({ rows }) => rows(types)) })];
}
