/** A thread with one connection: runs the operations it is asked for, one after the other. */

import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { checkpoint, connect } from './connect.ts';
import type { Mode } from './connect.ts';
import { operations } from './operations.ts';
import type { OperationName } from './operations.ts';
import { unpackResults } from './wire-results.ts';
import { unpack } from './wire.ts';
import type { Packed } from './wire.ts';

export interface Call {
  readonly id: number;
  readonly name: OperationName | 'checkpoint' | 'close';
  readonly argument: unknown;
}

export type Answer =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string; readonly code: number | null };

/** What a thread is started with; the writer also with a port on which it says which of its calls stand in the log and wait for a sync. */
export interface WorkerData {
  readonly path: string;
  readonly mode: Mode;
  readonly written: MessagePort | null;
}

const { path, mode, written } = workerData as WorkerData;
const port = parentPort;
if (port === null) throw new Error('This file is the body of a worker thread.');

const db = connect(path, mode);
const run: Record<string, (argument: unknown) => unknown> = {
  ...(mode === 'upkeep' ? {} : (operations(db) as unknown as Record<string, (argument: unknown) => unknown>)),
  checkpoint: () => checkpoint(db),
  close: () => db.close(),
};

port.on('message', ({ id, name, argument }: Call) => {
  let answer: Answer;
  try {
    const given = name === 'record' ? unpack(argument as Packed) : name === 'settle' ? unpackResults(argument as Packed) : argument;
    answer = { id, result: run[name]?.(given) };
  } catch (error) {
    const known = error as { message?: string; errcode?: number };
    answer = { id, error: known.message ?? String(error), code: known.errcode ?? null };
  }
  port.postMessage(answer);
  if ('result' in answer) written?.postMessage(id);
});

port.postMessage({ id: 0, result: null } satisfies Answer);
