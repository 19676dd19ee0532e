import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Written } from './answer.ts';
import type { Limits } from './listener.ts';
import { readPlain } from './plain.ts';
import type { PlainWebhook } from './plain.ts';

export interface Shortcut {
  /** Never rejects. */
  readonly take: (webhook: PlainWebhook) => Promise<Written>;
  readonly isClosing: () => boolean;
}

/**
 * Reads plain webhooks straight from their sockets, at half of what node:http costs. A connection that says anything else, be it its
 * first word or its hundredth, goes to node:http with all its unread bytes and stays there: no request is ever read by both.
 */
export function shorten(server: Server, shortcut: Shortcut, limits: Limits): void {
  const [attach] = server.listeners('connection') as ((socket: Socket) => void)[];
  if (attach === undefined) throw new Error('node:http does not listen for connections any more.');
  const idle = new Set<Socket>();
  const handOver = (socket: Socket, unread: Buffer): void => {
    attach.call(server, socket);
    socket.unshift(unread);
    socket.resume();
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => follow(socket, { ...shortcut, limits, idle, handOver }));
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    for (const socket of idle) socket.destroy();
  };
}

interface Following extends Shortcut {
  readonly limits: Limits;
  /** Connections of the shortcut that wait for their next request. */
  readonly idle: Set<Socket>;
  readonly handOver: (socket: Socket, unread: Buffer) => void;
}

/** One connection: a request at a time, answered in order. */
function follow(socket: Socket, { take, isClosing, limits, idle, handOver }: Following): void {
  let busy = false;
  let half = false;
  let unread: Buffer | null = null;

  function read(chunk: Buffer): void {
    if (busy) {
      unread = unread === null ? chunk : Buffer.concat([unread, chunk]);
      return void socket.pause();
    }
    const webhook = half || isClosing() ? null : readPlain(chunk);
    idle.delete(socket);
    if (webhook === null) return leave(chunk);
    busy = true;
    unread = webhook.rest;
    void take(webhook).then(answer);
  }

  function answer(written: Written): void {
    busy = false;
    if (socket.destroyed) return;
    const last = half || isClosing();
    socket.write(textOf(written, last ? 0 : limits.keepAliveMs));
    if (last) return void socket.end();
    socket.setTimeout(limits.keepAliveMs);
    if (unread === null) return void idle.add(socket);
    const next = unread;
    unread = null;
    socket.resume();
    read(next);
  }

  function leave(chunk: Buffer): void {
    socket.off('data', read).off('end', end).off('error', broken).off('timeout', timeOut).off('close', closed);
    socket.setTimeout(limits.idleMs);
    handOver(socket, chunk);
  }

  /** The sender has no more to say; what it said is answered. */
  function end(): void {
    half = true;
    if (!busy) socket.end();
  }
  const timeOut = (): void => void (busy || socket.destroy());
  const broken = (): void => void socket.destroy();
  const closed = (): void => void idle.delete(socket);

  idle.add(socket);
  socket.on('data', read).on('end', end).on('error', broken).on('timeout', timeOut).on('close', closed);
  socket.setTimeout(limits.headersTimeoutMs);
}

function textOf({ status, headers, text }: Written, keepAliveMs: number): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  const connection = keepAliveMs === 0 ? 'close' : `keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveMs / 1000)}`;
  return `${head}date: ${date()}\r\nconnection: ${connection}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

let second = 0;
let dateText = '';
/** As the Date header wants it, made once a second. */
function date(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) [second, dateText] = [now, new Date(now * 1000).toUTCString()];
  return dateText;
}
