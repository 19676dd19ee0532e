import { Query } from 'pg';
import type { Connection, Pool } from 'pg';
import { isLost, isReadOnly, storageError } from './errors.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What the types of `pg` leave out of its connection. */
interface Wire {
  /** Texts by name of what the server knows, and of what is on its way. */
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(portal: { readonly statement: string; readonly values: readonly unknown[] }): void;
  execute(portal: null): void;
  sync(): void;
  readonly stream: { cork(): void; uncork(): void };
}

/** Statements with one Sync behind them all: to PostgreSQL they are one transaction, and it answers once. No rows come back. */
class Trip extends Query {
  readonly #statements: readonly Statement[];
  readonly #parsed: string[] = [];
  #wire: Wire | null = null;

  constructor(statements: readonly Statement[], done: (error: unknown) => void) {
    super('', done);
    this.#statements = statements;
  }

  override submit = (connection: Connection): void => {
    const wire = connection as unknown as Wire;
    this.#wire = wire;
    wire.stream.cork();
    for (const { name, text, values } of this.#statements) {
      if (wire.parsedStatements[name] === undefined && wire.submittedNamedStatements[name] === undefined) {
        wire.parse({ name, text });
        wire.submittedNamedStatements[name] = text;
        this.#parsed.push(name);
      }
      wire.bind({ statement: name, values });
      wire.execute(null);
    }
    wire.sync();
    wire.stream.uncork();
  };

  /** Nobody asked what the rows look like. */
  handleDataRow(): void {}

  /** What it parsed is known from now on. False where nobody knows: after an error the server may have come this far or not. */
  end(ok: boolean): boolean {
    for (const name of this.#parsed) {
      const text = this.#wire?.submittedNamedStatements[name];
      delete this.#wire?.submittedNamedStatements[name];
      if (ok && this.#wire !== null && text !== undefined) this.#wire.parsedStatements[name] = text;
    }
    return ok || this.#parsed.length === 0;
  }
}

/**
 * Runs statements as one transaction in one round trip, each on a snapshot of its own: all of them stand, or none. Rejects with what
 * the database said; where the connection was lost (`isLost`) they may stand.
 */
export async function inOneTrip(pool: Pool, statements: readonly Statement[]): Promise<void> {
  const client = await pool.connect().catch((error: unknown) => {
    throw storageError(error, { down: true });
  });
  const { promise, resolve, reject } = Promise.withResolvers<null>();
  const trip = new Trip(statements, (error) => (error ? reject(error) : resolve(null)));
  try {
    client.query(trip);
    await promise;
    trip.end(true);
    client.release();
  } catch (error) {
    client.release(!trip.end(false) || isLost(error) || isReadOnly(error));
    throw error;
  }
}
