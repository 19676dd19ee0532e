import { createServer, type AddressInfo, type Socket } from 'node:net';
import { answerCalls } from '../child.ts';
import { sharedNow } from '../clock.ts';
import { sequenceAt, transactionPrefix, type Tag } from '../webhook.ts';

// Receives webhooks for next to nothing: no HTTP parser, the length and the transaction id are all that is looked for.

const OK = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const LENGTH_REQUIRED = Buffer.from('HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
const MAX_REQUEST_BYTES = 1024 * 1024;

let prefix = Buffer.from('unset');
/** First arrival of each sequence number on the shared clock; 0: not yet. */
let arrivals = new Float64Array(0);
let distinct = 0;
let repeats = 0;
let strays = 0;
let lastAt = 0;

function note(bytes: Buffer, from: number, to: number): void {
  const at = bytes.indexOf(prefix, from);
  const n = at === -1 || at >= to ? -1 : sequenceAt(bytes, at + prefix.length);
  if (n === -1 || n >= arrivals.length) {
    strays += 1;
  } else if (arrivals[n] !== 0) {
    repeats += 1;
  } else {
    lastAt = sharedNow();
    arrivals[n] = lastAt;
    distinct += 1;
  }
}

/** Handles the requests that are complete and returns the rest; null: it cannot be read. */
function consume(bytes: Buffer, socket: Socket): Buffer | null {
  let offset = 0;
  while (offset < bytes.length) {
    const headEnd = bytes.indexOf('\r\n\r\n', offset);
    if (headEnd === -1) break;
    const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', offset, headEnd))?.[1];
    if (length === undefined) return null;
    const end = headEnd + 4 + Number(length);
    if (bytes.length < end) break;
    note(bytes, headEnd + 4, end);
    socket.write(OK);
    offset = end;
  }
  return bytes.subarray(offset);
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const left = consume(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), socket);
    if (left === null || left.length > MAX_REQUEST_BYTES) socket.end(LENGTH_REQUIRED);
    else rest = left;
  });
});

const handlers = {
  listen: (): Promise<number> =>
    new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
  /** A door that takes every call and never answers. */
  listenDeaf: (): Promise<number> =>
    new Promise((resolve) => {
      const deaf = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
      deaf.listen(0, '127.0.0.1', () => resolve((deaf.address() as AddressInfo).port));
    }),
  /** Forgets what came before and expects the sequence numbers 0 to `count` - 1 of this tag. */
  expect(input: { readonly tag: Tag; readonly count: number }): void {
    prefix = Buffer.from(transactionPrefix(input.tag));
    arrivals = new Float64Array(input.count);
    distinct = repeats = strays = lastAt = 0;
  },
  counts: () => ({ distinct, repeats, strays, lastAt }),
  arrivals: (): Float64Array => arrivals,
};

export type Sink = typeof handlers;

answerCalls(handlers);
