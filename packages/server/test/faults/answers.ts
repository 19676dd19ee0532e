import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { SendResult } from '../../src/engine/ports.ts';
import { drip, flood } from './fault-server.ts';

export interface Answer {
  readonly name: string;
  readonly does: (socket: Socket) => void;
  readonly cause: SendResult['cause'];
  readonly status?: number | null;
  readonly truncated?: boolean;
  readonly body?: string | Buffer;
  readonly deadlineMs?: number;
  readonly atLeastMs?: number;
  readonly atMostMs?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const raw = (text: string) => (socket: Socket) => void socket.write(text, 'latin1');
const rawEnd = (text: string) => (socket: Socket) => void socket.end(text, 'latin1');
export const OK = 'HTTP/1.1 200 OK\r\n';
const zipped = gzipSync('x'.repeat(1_000));

/** The reset must not overtake the bytes before it. */
const thenReset = (text: string) => (socket: Socket) => void socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20));

/** What an endpoint can do with a request that it has read, and what the sender makes of it. */
export const ANSWERS: readonly Answer[] = [
  { name: 'A6 reset before an answer', does: (socket) => void socket.resetAndDestroy(), cause: 'conn_reset' },
  { name: 'A7 FIN without an answer', does: (socket) => void socket.end(), cause: 'empty_response' },
  { name: 'A7 FIN in the middle of the head', does: rawEnd('HTTP/1.1 200 OK\r\ncontent-'), cause: 'protocol_error' },
  {
    name: 'A9 reset mid-body after 200',
    does: thenReset(`${OK}content-length: 100\r\n\r\nhalf`),
    cause: 'ok',
    status: 200,
    truncated: true,
    body: 'half',
  },
  {
    name: 'A9 FIN mid-body after 200',
    does: rawEnd(`${OK}content-length: 100\r\n\r\nhalf`),
    cause: 'ok',
    status: 200,
    truncated: true,
    body: 'half',
  },
  {
    name: 'A10 reset mid-body after 500',
    does: thenReset('HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\nhalf'),
    cause: 'http_5xx',
    status: 500,
    truncated: true,
  },
  {
    name: 'A11 headers drip without end',
    does: (socket) => drip(socket, `${OK}x: ${'y'.repeat(9_999)}`),
    cause: 'headers_timeout',
    deadlineMs: 300,
    atLeastMs: 290,
  },
  {
    name: 'A11 headers drip but end in time',
    does: (socket) => drip(socket, `${OK}content-length: 0\r\n\r\n`, 1),
    cause: 'ok',
    status: 200,
  },
  { name: 'A12 not a byte', does: () => undefined, cause: 'timeout', deadlineMs: 300, atLeastMs: 290 },
  {
    name: 'A13 body drips after 200',
    does: (socket) => (socket.write(`${OK}content-length: 9999\r\n\r\n`), drip(socket, 'z'.repeat(9_999))),
    cause: 'ok',
    status: 200,
    truncated: true,
    atLeastMs: 1_900,
    atMostMs: 4_000,
    deadlineMs: 6_000,
  },
  {
    name: 'A13 body drips, deadline first',
    does: (socket) => (socket.write(`${OK}content-length: 9999\r\n\r\n`), drip(socket, 'z'.repeat(9_999))),
    cause: 'ok',
    status: 200,
    truncated: true,
    deadlineMs: 300,
  },
  { name: 'A15 a header of 100 kB', does: raw(`${OK}x: ${'y'.repeat(100_000)}\r\ncontent-length: 0\r\n\r\n`), cause: 'headers_overflow' },
  { name: 'A15 ten thousand headers', does: raw(`${OK}${'a: b\r\n'.repeat(10_000)}\r\n`), cause: 'headers_overflow' },
  {
    name: 'A16 control characters and UTF-8 in a header',
    does: raw(`${OK}x-odd: a\x00b\rc\x1b[31m\r\nx-word: ${Buffer.from('Zürich').toString('latin1')}\r\ncontent-length: 0\r\n\r\n`),
    cause: 'ok',
    status: 200,
    headers: { 'x-odd': 'a\\x00b\\x0dc\\x1b[31m', 'x-word': 'Zürich' },
  },
  {
    name: 'A16 lines that end in LF alone',
    does: raw('HTTP/1.1 200 OK\nx-a: 1\ncontent-length: 2\n\nhi'),
    cause: 'ok',
    status: 200,
    body: 'hi',
    headers: { 'x-a': '1' },
  },
  {
    name: 'A16 __proto__ as a header',
    does: raw(`${OK}__proto__: evil\r\ncontent-length: 0\r\n\r\n`),
    cause: 'ok',
    headers: { ['__proto__']: 'evil' },
  },
  {
    name: 'A17 gzip is not inflated',
    does: (socket) => (socket.write(`${OK}content-encoding: gzip\r\ncontent-length: ${zipped.length}\r\n\r\n`), socket.write(zipped)),
    cause: 'ok',
    status: 200,
    body: zipped,
  },
  {
    name: 'A20 204 with a body',
    does: raw('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello'),
    cause: 'ok',
    status: 204,
    body: '',
  },
  { name: 'A30 status 999', does: raw('HTTP/1.1 999 Huh\r\ncontent-length: 0\r\n\r\n'), cause: 'bad_status', status: 999 },
  { name: 'A30 status 000', does: raw('HTTP/1.1 000 Huh\r\ncontent-length: 0\r\n\r\n'), cause: 'bad_status', status: 0 },
  { name: 'A30 status of one digit', does: raw('HTTP/1.1 2 OK\r\ncontent-length: 0\r\n\r\n'), cause: 'bad_status', status: null },
  {
    name: 'A31 unasked 100 Continue, then 200',
    does: raw(`HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nhi`),
    cause: 'ok',
    status: 200,
    body: 'hi',
  },
  {
    name: 'A32 103 Early Hints, then 200',
    does: raw(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}content-length: 0\r\n\r\n`),
    cause: 'ok',
    status: 200,
  },
  {
    name: 'A33 interim answers without end',
    does: (socket) => flood(socket, 'HTTP/1.1 100 Continue\r\n\r\n'),
    cause: 'headers_timeout',
    deadlineMs: 300,
    atLeastMs: 290,
  },
  {
    name: 'A34 101 Switching Protocols',
    does: raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    cause: 'unexpected_upgrade',
    status: 101,
  },
  {
    name: 'A35 HTTP/1.0 without length',
    does: rawEnd('HTTP/1.0 200 OK\r\n\r\nhello'),
    cause: 'ok',
    status: 200,
    truncated: false,
    body: 'hello',
  },
  { name: 'A36 HTTP/0.9', does: rawEnd('<html>hello</html>'), cause: 'protocol_error', status: null },
  { name: 'A36 garbage', does: raw('\xff\xfe\x80garbage'), cause: 'protocol_error', status: null },
  { name: 'A36 SSH', does: raw('SSH-2.0-OpenSSH_9.2\r\n'), cause: 'protocol_error', status: null },
  { name: 'A36 a header line without a name', does: raw(`${OK}: nothing\r\n\r\n`), cause: 'protocol_error' },
  { name: 'A36 a folded header', does: raw(`${OK}x: a\r\n  b\r\n\r\n`), cause: 'protocol_error' },
  {
    name: 'A37 chunked, cleanly',
    does: raw(`${OK}transfer-encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n`),
    cause: 'ok',
    status: 200,
    truncated: false,
    body: 'abcde',
  },
  {
    name: 'A37 chunked garbage',
    does: raw(`${OK}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\nnonsense`),
    cause: 'ok',
    status: 200,
    truncated: true,
    body: 'abc',
  },
  {
    name: 'A37 chunked garbage after 500',
    does: raw('HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n'),
    cause: 'http_5xx',
    status: 500,
    truncated: true,
  },
  {
    name: 'A38 length and chunked at once',
    does: raw(`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    cause: 'protocol_error',
  },
  { name: 'A38 two lengths', does: raw(`${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`), cause: 'protocol_error' },
  { name: 'A38 a length that is no number', does: raw(`${OK}content-length: 5, 5\r\n\r\nhello`), cause: 'protocol_error' },
  { name: 'A40 HTTP/2 in the clear', does: (socket) => void socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])), cause: 'http2_only' },
];
