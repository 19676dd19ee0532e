import type { StorageFailure } from '../contract.ts';

/** Raised for whatever the database refuses: the caller answers 503 and nothing is acknowledged. */
export class StorageError extends Error implements StorageFailure {
  /** Never: the server keeps its own disk, and stops by itself where it cannot. */
  readonly fatal = false;
  /** SQLSTATE, or the code of the socket's error. */
  readonly code: string | null;
  readonly unsure: boolean;
  readonly down: boolean;
  constructor(
    message: string,
    code: string | null,
    { unsure = false, down = false }: Partial<Pick<StorageFailure, 'unsure' | 'down'>> = {},
  ) {
    super(message);
    this.name = 'StorageError';
    this.code = code;
    this.unsure = unsure;
    this.down = down;
  }
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

/**
 * Deadlock, serialization, lock timeout, and a row on its way to a partition that another transaction has just made: the database rolled
 * back, and the same work may succeed now.
 */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40P01' || code === '40001' || code === '55P03' || code === '23514';
}

/** The connection is gone: what was sent and not answered may stand or not. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code === null) return /connection|terminated|timeout|not queryable/i.test(String((error as Error | null)?.message));
  // Classes 08 (connection) and 57P (shutdown, crash), the end of an idle transaction, and every error of the socket.
  return code.startsWith('08') || code.startsWith('57P') || code === '25P03' || /^E[A-Z_]+$/.test(code);
}

/** The server may not be written to (any more): it is a standby now. What was sent was refused. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(error) === '25006';
}

/** The row is there already under the same id, or under the same key. */
export function isRepeated(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** A condition of a statement does not hold (`childless`). */
export function isUnmet(error: unknown): boolean {
  return codeOf(error) === '22012';
}

/** `unsure`: a try was made whose end nobody knows. `down`: there was no connection for it. */
export function storageError(error: unknown, { unsure = false, down = false } = {}): StorageError {
  if (error instanceof StorageError) {
    if (error.unsure >= unsure && error.down >= down) return error;
    return new StorageError(error.message, error.code, { unsure: unsure || error.unsure, down: down || error.down });
  }
  const { message } = error as Error;
  const code = codeOf(error);
  if (/after calling end/.test(message)) return new StorageError('The database is not open.', null);
  if (code === 'ERR_INVALID_URL')
    return new StorageError('This is no address of a database: write postgres://user:password@host:5432/name.', code);
  // Where a name has several addresses, the error of all of them together has no message of its own.
  return new StorageError(`PostgreSQL: ${message === '' ? code : message}`, code, {
    unsure,
    down: down || isLost(error) || isReadOnly(error) || isFull(code),
  });
}

/** Out of connections, memory or disk. */
function isFull(code: string | null): boolean {
  return code !== null && code.startsWith('53');
}

/** As `storageError`, for a start: says what to do where the server is not there. */
export function startError(error: unknown): StorageError {
  const known = storageError(error);
  if (!isLost(error) && !isRefused(known)) return known;
  return new StorageError(
    `${known.message}. Check the address of the database, and that the server runs and lets this user in.`,
    known.code,
  );
}

/** Wrong password, no such user, no such database, too many connections. */
function isRefused({ code }: StorageError): boolean {
  return code !== null && /^(28|3D|53300)/.test(code);
}
