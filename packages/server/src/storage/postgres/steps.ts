import type { ClientBase } from 'pg';
import type { Columns, RowOf, RowTypes, TypedRows } from './arrays.ts';
import type { Statement } from './trip.ts';

/** What a commit does to one table: common table expressions over the rows it is given. */
export interface Step {
  readonly name: string;
  /** `name AS (INSERT ...)`, over the rows of parameter `at`; of a condition an expression, which fails where it does not hold. */
  readonly text: (at: number) => string;
  readonly condition?: boolean;
  readonly rows: (types: RowTypes) => Buffer;
}

/** A step over rows of a type; nothing where there are no rows. `text` is given `unnest(...) AS r`. */
export function stepOver<const C extends Columns>(
  name: string,
  { rows: typed, text }: { readonly rows: TypedRows<C>; readonly text: (rows: string) => string },
): (rows: readonly RowOf<C>[]) => Step[] {
  return (rows) => (rows.length === 0 ? [] : [{ name, text: (at) => text(typed.unnest(at)), rows: (types) => typed.bind(rows, types) }]);
}

/** PostgreSQL cuts a longer name, and then takes two statements for one. */
const LONGEST_NAME = 63;

const prepared = new Map<string, Pick<Statement, 'name' | 'text'>>();

/** Steps as one statement: a batch costs one message each way, whatever it writes. No step sees what another one writes. */
export function statementOf(steps: readonly Step[], types: RowTypes): Statement {
  const key = steps.map((step) => step.name).join('+');
  let statement = prepared.get(key);
  if (statement === undefined) {
    const written = steps.flatMap((step, index) => (step.condition ? [] : [step.text(index + 1)]));
    const conditions = steps.flatMap((step, index) => (step.condition ? [step.text(index + 1)] : []));
    const name = key.length <= LONGEST_NAME ? key : `${key.slice(0, LONGEST_NAME - 8)} ${prepared.size}`;
    prepared.set(key, (statement = { name, text: `WITH ${written.join(', ')} SELECT ${conditions.join(', ')}` }));
  }
  return { ...statement, values: steps.map(({ rows }) => rows(types)) };
}

export function runSteps(client: ClientBase, steps: readonly Step[], types: RowTypes): Promise<unknown>[] {
  if (steps.length === 0) return [];
  const { values, ...statement } = statementOf(steps, types);
  return [client.query({ ...statement, values: [...values] })];
}
