/** A thread with one connection: runs the operations it is asked for, one after the other. */

import { parentPort, workerData } from 'node:worker_threads';
import { checkpoint, connect } from './connect.ts';
import type { Mode } from './connect.ts';
import { operations } from './operations.ts';
import type { OperationName } from './operations.ts';
import { unpack } from './wire.ts';
import type { Packed } from './wire.ts';

export interface Call {
  readonly id: number;
  readonly name: OperationName | 'checkpoint' | 'close';
  readonly argument: unknown;
}

export type Answer =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string; readonly code: number | null };

const { path, mode } = workerData as { path: string; mode: Mode };
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
    const given = name === 'record' ? unpack(argument as Packed) : argument;
    answer = { id, result: run[name]?.(given) };
  } catch (error) {
    const known = error as { message?: string; errcode?: number };
    answer = { id, error: known.message ?? String(error), code: known.errcode ?? null };
  }
  port.postMessage(answer);
  if (name === 'close') port.close();
});

port.postMessage({ id: 0, result: null } satisfies Answer);
