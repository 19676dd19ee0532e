import type { Send, SendRequest, SendResult, SendTimings } from '../engine/ports.ts';
import { Connection, type Exchanged } from './connection.ts';
import { dial } from './dial.ts';
import { Fault, type Cause } from './faults.ts';
import type { Guard, Target, UrlRefusal } from './guard.ts';
import { IdlePool, type PoolLimits } from './pool.ts';
import { requestBytes } from './request.ts';

export interface SenderOptions {
  readonly guard: Guard;
  readonly connectTimeoutMs?: number;
  readonly tlsTimeoutMs?: number;
  readonly idle?: PoolLimits;
}

export interface Sender {
  readonly send: Send;
  /** Takes no more calls and resolves when those in flight have ended, by their own deadlines at the latest. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const TLS_TIMEOUT_MS = 5_000;
/** An endpoint may have 256 calls in flight: closing what comes back from them would mean dialling again for each. */
const IDLE: PoolLimits = { perOrigin: 256, total: 1_024 };
const TARGETS_KEPT = 4_096;

/**
 * Webhooks over HTTP/1.1 on plain sockets. Nothing follows redirects, keeps cookies, inflates bodies or reads proxy
 * variables, because nothing here knows of them.
 */
export function createSender(options: SenderOptions): Sender {
  const pool = new IdlePool(options.idle ?? IDLE);
  const targets = new Map<string, Target | UrlRefusal>();
  let inFlight = 0;
  let closed = false;
  let onIdle: (() => void) | undefined;

  function targetOf(url: string): Target | UrlRefusal {
    const kept = targets.get(url);
    if (kept !== undefined) return kept;
    if (targets.size >= TARGETS_KEPT) targets.clear();
    const found = options.guard.target(url);
    targets.set(url, found);
    return found;
  }

  async function connect(call: Call): Promise<Connection> {
    const addresses = await before(call.due, options.guard.vet(call.target));
    call.timings.dnsMs = round(performance.now() - call.started);
    const { socket, connectMs, tlsMs } = await dial({
      target: call.target,
      addresses,
      caPin: call.caPin,
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      tlsTimeoutMs: options.tlsTimeoutMs ?? TLS_TIMEOUT_MS,
      due: call.due,
    });
    call.timings.connectMs = round(connectMs);
    call.timings.tlsMs = tlsMs === null ? null : round(tlsMs);
    return new Connection(socket, (connection) => (closed ? connection.destroy() : pool.put(call.key, connection)));
  }

  async function exchange(call: Call): Promise<SendResult> {
    const kept = pool.take(call.key);
    if (kept !== null) {
      const outcome = await kept.exchange(call.bytes, call.due);
      if (!outcome.unanswered) return answered(call, outcome, false);
    }
    const connection = await connect(call);
    return answered(call, await connection.exchange(call.bytes, call.due), kept !== null);
  }

  async function send(request: SendRequest): Promise<SendResult> {
    const started = performance.now();
    if (closed) return unanswered('interrupted', started);
    const target = targetOf(request.url);
    if ('code' in target) return unanswered(target.code, started);
    const bytes = requestBytes(target, request.headers, request.body);
    if (bytes === null) return unanswered('request_refused', started);
    const { caPin } = request;
    const key = caPin === undefined ? target.origin : `${target.origin} ${caPin}`;
    const timings: Timings = { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null };
    const call: Call = { target, key, caPin, bytes, started, due: started + request.deadlineMs, timings };
    inFlight += 1;
    try {
      return await exchange(call);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { ...unanswered(error.code, started), timings };
    } finally {
      inFlight -= 1;
      if (inFlight === 0) onIdle?.();
    }
  }

  return {
    send,
    async close() {
      closed = true;
      pool.close();
      if (inFlight > 0) await new Promise<void>((resolve) => (onIdle = resolve));
    },
  };
}

type Timings = { -readonly [Name in keyof SendTimings]: SendTimings[Name] };

interface Call {
  readonly target: Target;
  readonly key: string;
  readonly caPin: string | undefined;
  readonly bytes: Buffer;
  readonly started: number;
  readonly due: number;
  readonly timings: Timings;
}

function answered({ started, timings }: Call, { cause, reader, firstByteMs }: Exchanged, repeated: boolean): SendResult {
  timings.firstByteMs = firstByteMs === null ? null : round(firstByteMs);
  const headers = reader.head?.headers ?? {};
  const retryAfter = headers['retry-after'];
  return {
    status: reader.status,
    cause,
    headers,
    body: reader.body,
    truncated: reader.truncated,
    durationMs: round(performance.now() - started),
    timings,
    ...(repeated ? { maybeDuplicate: true } : {}),
    ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
  };
}

function unanswered(cause: Cause, started: number): SendResult {
  const timings: SendTimings = { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null };
  return {
    status: null,
    cause,
    headers: {},
    body: new Uint8Array(),
    truncated: false,
    durationMs: round(performance.now() - started),
    timings,
  };
}

/** The look-up within the call's own deadline; a look-up that others wait for too goes on. */
async function before<T>(due: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault('dns_error')), Math.max(0, due - performance.now()));
    timer.unref();
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Hundredths of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
