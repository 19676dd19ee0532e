import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { answerCalls } from '../child.ts';
import { sharedNow } from '../clock.ts';
import { orderPrefix, sequenceAt, type Tag } from '../webhook.ts';
import type { Target } from './requests.ts';

// Many readers of the live stream in one process: of every message only the end of its frame and the payment's reference are looked for.

const MAX_FRAME_BYTES = 256 * 1024;
const OPEN_WITHIN_MS = 10_000;
const FRAME_END = '\n\n';

interface Reader {
  readonly socket: Socket;
  rest: Buffer;
  arrivals: Float64Array;
  missing: number;
}

const readers: Reader[] = [];
let prefix = Buffer.from('unset');
let broken: Error | null = null;

function note(reader: Reader, bytes: Buffer, now: number): void {
  for (let at = bytes.indexOf(prefix); at !== -1; at = bytes.indexOf(prefix, at + 1)) {
    const n = sequenceAt(bytes, at + prefix.length);
    if (reader.arrivals[n] !== 0) continue;
    reader.arrivals[n] = now;
    reader.missing -= 1;
  }
}

function onData(reader: Reader, chunk: Buffer): void {
  const now = sharedNow();
  const bytes = reader.rest.length === 0 ? chunk : Buffer.concat([reader.rest, chunk]);
  const end = bytes.lastIndexOf(FRAME_END);
  if (end !== -1) note(reader, bytes.subarray(0, end), now);
  reader.rest = Buffer.from(bytes.subarray(end === -1 ? 0 : end + FRAME_END.length));
  if (reader.rest.length > MAX_FRAME_BYTES) reader.socket.destroy(new Error('a live message has no end'));
}

/** Connects and waits for the head of the answer, after which messages flow. */
function open(target: Target): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const reader: Reader = { socket, rest: Buffer.alloc(0), arrivals: new Float64Array(0), missing: 0 };
    const fail = (error: Error): void => {
      broken ??= error;
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`the live stream sent no head within ${OPEN_WITHIN_MS / 1000} s`)), OPEN_WITHIN_MS);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed a live stream')));
    socket.once('data', (head: Buffer) => {
      if (!head.toString('latin1').startsWith('HTTP/1.1 200 '))
        return fail(new Error(`the live stream answered ${head.toString('latin1', 0, 200)}`));
      clearTimeout(timer);
      socket.on('data', (chunk: Buffer) => onData(reader, chunk));
      resolve(reader);
    });
    const authorization = target.authorization === undefined ? '' : `authorization: ${target.authorization}\r\n`;
    socket.write(`GET ${target.path} HTTP/1.1\r\nhost: ${target.host}:${target.port}\r\naccept: text/event-stream\r\n${authorization}\r\n`);
  });
}

const handlers = {
  async open(input: { readonly target: Target; readonly count: number }): Promise<void> {
    readers.push(...(await Promise.all(Array.from({ length: input.count }, () => open(input.target)))));
  },
  /** Forgets what came before and expects the sequence numbers 0 to `count` - 1 of this tag at every reader. */
  expect(input: { readonly tag: Tag; readonly count: number }): void {
    prefix = Buffer.from(orderPrefix(input.tag));
    for (const reader of readers) {
      reader.arrivals = new Float64Array(input.count);
      reader.missing = input.count;
    }
  },
  /** Waits for what is missing; answers with all latencies in ms, counted from when each webhook was due. */
  async latencies(input: { readonly startedAt: number; readonly perSecond: number; readonly withinMs: number }) {
    const missing = (): number => readers.reduce((sum, reader) => sum + reader.missing, 0);
    for (let waitedMs = 0; missing() > 0 && broken === null && waitedMs < input.withinMs; waitedMs += 20) await pause(20);
    if (broken !== null) throw broken;
    const of = (reader: Reader): number[] =>
      Array.from(reader.arrivals, (at, n) => (at === 0 ? NaN : at - (input.startedAt + (n * 1000) / input.perSecond)));
    return { missing: missing(), latenciesMs: Float64Array.from(readers.flatMap(of).filter(Number.isFinite)) };
  },
};

export type LiveReaders = typeof handlers;

answerCalls(handlers);
