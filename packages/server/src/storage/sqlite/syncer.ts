/** A thread that syncs the log: the writer goes on with the next commit while the disk takes the one before. */

import { fdatasyncSync, openSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

/** All calls of the writer up to this one are on disk; or the disk failed, and nobody knows. */
export type Synced = { readonly upto: number } | { readonly error: string };

const { path, written } = workerData as { path: string; written: MessagePort };
const port = parentPort;
if (port === null) throw new Error('This file is the body of a worker thread.');

// Windows flushes only what may be written.
const log = openSync(`${path}-wal`, 'r+');

written.on('message', (id: number) => {
  let upto = id;
  // One sync for all that was written while the one before ran.
  for (let next = receiveMessageOnPort(written); next !== undefined; next = receiveMessageOnPort(written)) upto = next.message as number;
  let answer: Synced;
  try {
    fdatasyncSync(log);
    answer = { upto };
  } catch (error) {
    answer = { error: String(error) };
  }
  port.postMessage(answer);
});

port.postMessage({ upto: 0 } satisfies Synced);
