import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Arrival, Settlement, StorageFailure } from '../contract.ts';
import type { Mode } from './connect.ts';
import type { OperationName } from './operations.ts';
import type { Synced } from './syncer.ts';
import { packResults } from './wire-results.ts';
import { pack } from './wire.ts';
import type { Answer, Call, WorkerData } from './worker.ts';

/** SQLite's result codes after which nobody knows what is on disk: I/O error, corrupt, not a database. */
const FATAL_CODES = new Set([10, 11, 26]);

/** Raised for whatever the database refuses: the caller answers 503 and nothing is acknowledged. */
export class StorageError extends Error implements StorageFailure {
  readonly fatal: boolean;
  /** Never: what failed was rolled back, or the process ends. */
  readonly unsure = false;
  readonly down = false;
  constructor(message: string, fatal: boolean) {
    super(message);
    this.name = 'StorageError';
    this.fatal = fatal;
  }
}

export interface Connection {
  call(name: OperationName | 'checkpoint' | 'close', argument: unknown): Promise<unknown>;
}

/** The lower eight bits of an extended result code are the code itself. */
export function isFatal(code: number | null): boolean {
  return code !== null && FATAL_CODES.has(code & 0xff);
}

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The calls of one thread that have no answer yet. */
class Calls {
  readonly #waiting = new Map<number, Waiter>();
  #last = 0;
  #dead: StorageError | null = null;

  readonly die = (error: Error): void => {
    this.#dead ??= error instanceof StorageError ? error : new StorageError(`The database thread stopped: ${error.message}`, true);
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  };

  /** Resolves with the first answer of the thread, which it gives when it is ready. */
  ready(): Promise<unknown> {
    return new Promise<unknown>((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
  }

  make(send: (id: number) => void): Promise<unknown> {
    if (this.#dead !== null) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      send(this.#last);
    });
  }

  readonly answer = (answer: Answer): void => {
    const waiter = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiter?.reject(new StorageError(answer.error, isFatal(answer.code)));
    else waiter?.resolve(answer.result);
  };
}

/** A thread of this folder, beside this file; when it ends, its calls end with it. */
function start(
  file: 'worker' | 'syncer',
  workerData: unknown,
  { port, calls }: { readonly port: MessagePort | null; readonly calls: Calls },
): Worker {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const thread = new Worker(new URL(`./${file}${extension}`, import.meta.url), { workerData, transferList: port === null ? [] : [port] });
  thread.on('error', calls.die);
  thread.on('exit', () => calls.die(new Error(`its ${file} exited`)));
  return thread;
}

/** A connection in a thread of its own. */
export async function startThread(path: string, mode: Exclude<Mode, 'write' | 'alone'>): Promise<Connection> {
  const calls = new Calls();
  const worker = start('worker', { path, mode, written: null } satisfies WorkerData, { port: null, calls });
  worker.on('message', calls.answer);
  await calls.ready();
  return connectionTo(calls, worker);
}

/**
 * The one that writes. Its commits go to the log without waiting for the disk; a second thread syncs the log, one sync for all commits that
 * came during the one before, and only then is a call answered. So the writer works while the disk does.
 */
export async function startWriter(path: string): Promise<Connection> {
  const calls = new Calls();
  const { port1, port2 } = new MessageChannel();
  const worker = start('worker', { path, mode: 'write', written: port1 } satisfies WorkerData, { port: port1, calls });
  let held: Answer[] = [];
  let synced = 0;
  worker.on('message', (answer: Answer) => {
    if (answer.id <= synced || 'error' in answer) calls.answer(answer);
    else held.push(answer);
  });
  await calls.ready();
  // The log is there once the writer has opened the database.
  const syncer = start('syncer', { path, written: port2 }, { port: port2, calls });
  const ready = Promise.withResolvers<void>();
  syncer.on('message', (answer: Synced) => {
    if ('error' in answer) {
      calls.die(new StorageError(`The log could not be synced: ${answer.error}`, true));
      return;
    }
    ready.resolve();
    synced = answer.upto;
    const done = held;
    held = [];
    for (const one of done) {
      if (one.id <= synced) calls.answer(one);
      else held.push(one);
    }
  });
  await ready.promise;
  return connectionTo(calls, worker, syncer);
}

function packedFor(name: string, argument: unknown): unknown {
  if (name === 'record') return pack(argument as readonly Arrival[]);
  return name === 'settle' ? packResults(argument as readonly Settlement[]) : argument;
}

/** Calls go to the first of the threads; the end of the connection is the end of all. */
function connectionTo(calls: Calls, worker: Worker, ...others: readonly Worker[]): Connection {
  return {
    async call(name, argument) {
      const result = await calls.make((id) => {
        worker.postMessage({ id, name, argument: packedFor(name, argument) } satisfies Call);
      });
      if (name === 'close') for (const thread of [worker, ...others]) await thread.terminate();
      return result;
    },
  };
}
