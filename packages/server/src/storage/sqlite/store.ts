import type { Storage } from '../contract.ts';
import { connect, lockFolder } from './connect.ts';
import type { Checkpoint, Mode } from './connect.ts';
import { operations, READS } from './operations.ts';
import type { OperationName } from './operations.ts';
import { isFatal, startThread, startWriter, StorageError } from './threads.ts';
import type { Connection } from './threads.ts';

export interface SqliteOptions {
  readonly path: string;
  /** False: everything on the caller's thread (simulation, tools). */
  readonly threads: boolean;
  /** True: never writes, takes no lock; for `doctor` beside a running server. */
  readonly readOnly: boolean;
}

const NO_METHODS = new Set(['then', 'toJSON', 'constructor']);

/** The embedded store: one thread that writes, one that reads, on one file. */
export function sqliteStore({ path, threads, readOnly }: SqliteOptions): Storage {
  let writer: Connection | null = null;
  let reader: Connection | null = null;
  let upkeep: Connection | null = null;
  let unlock: (() => void) | null = null;

  async function open(): Promise<void> {
    if (!readOnly) {
      unlock = lockFolder(path);
      if (unlock === null) throw new Error(`Another Paybell already runs on ${path}. Stop it, or give this one its own --data folder.`);
    }
    try {
      if (threads) {
        if (!readOnly) {
          const first = await startWriter(path);
          upkeep = await startThread(path, 'upkeep');
          writer = withUpkeep(first, upkeep);
        }
        reader = await startThread(path, 'read');
      } else {
        reader = inline(path, readOnly ? 'read' : 'alone');
        if (!readOnly) writer = reader;
      }
    } catch (error) {
      await close();
      throw error;
    }
  }

  async function close(): Promise<void> {
    if (writer !== reader) await reader?.call('close', null);
    await upkeep?.call('close', null);
    await writer?.call('close', null);
    unlock?.();
    writer = reader = upkeep = unlock = null;
  }

  // The contract's methods all have one argument and the same name as their operation: this is the whole driver.
  const contract = new Proxy({ shared: false, open, close } as Record<string, unknown>, {
    get(target, name) {
      if (typeof name !== 'string' || name in target) return target[String(name)];
      if (NO_METHODS.has(name)) return undefined;
      const operation = name as OperationName;
      const method = (argument: unknown): Promise<unknown> => {
        const connection = READS.has(operation) ? reader : writer;
        if (connection === null) return Promise.reject(new StorageError('The database is not open.', false));
        return connection.call(operation, argument);
      };
      target[name] = method;
      return method;
    },
  });
  return contract as unknown as Storage;
}

/** Commits after which the log is written back. */
const CHECKPOINT_EVERY = 128;
/** Pages of 4 KiB in the log after which the writer writes the rest back itself, because only a log that is all written back starts anew. */
const LONGEST_LOG = 8_000;

/**
 * Has the log written back by another thread while the writer goes on: it takes tens of milliseconds, in which no webhook could be
 * acknowledged. What the writer added meanwhile is little, and the writer's own share.
 */
function withUpkeep(writer: Connection, upkeep: Connection): Connection {
  let commits = 0;
  let busy = false;
  async function checkpoint(): Promise<void> {
    busy = true;
    try {
      const { log, done } = (await upkeep.call('checkpoint', null)) as Checkpoint;
      if (log > LONGEST_LOG && done < log) await writer.call('checkpoint', null);
    } catch {
      // The log only grows; the next commits try again, and a disk that fails is the commits' to report.
    } finally {
      busy = false;
    }
  }
  return {
    call(name, argument) {
      commits += 1;
      if (commits >= CHECKPOINT_EVERY && !busy && name !== 'close') {
        commits = 0;
        void checkpoint();
      }
      return writer.call(name, argument);
    },
  };
}

function inline(path: string, mode: Mode): Connection {
  const db = connect(path, mode);
  const run = operations(db) as unknown as Record<string, (argument: unknown) => unknown>;
  return {
    async call(name, argument) {
      try {
        return name === 'close' ? db.close() : run[name]?.(argument);
      } catch (error) {
        throw new StorageError((error as Error).message, isFatal((error as { errcode?: number }).errcode ?? null));
      }
    },
  };
}
