import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { causeOfConnect, causeOfHandshake, Fault, type Cause } from './faults.ts';
import type { Target } from './guard.ts';

export interface Dial {
  readonly target: Target;
  /** Vetted addresses, best first. */
  readonly addresses: readonly string[];
  readonly caPin: string | undefined;
  /** Shared by all addresses. */
  readonly connectTimeoutMs: number;
  readonly tlsTimeoutMs: number;
  /** When the whole call must be over, by `performance.now()`. */
  readonly due: number;
}

export interface Dialled {
  readonly socket: Socket;
  readonly connectMs: number;
  readonly tlsMs: number | null;
}

/** Connects to the first address that answers; no name is looked up here. Throws a `Fault`. */
export async function dial(options: Dial): Promise<Dialled> {
  const started = performance.now();
  const plain = await firstToAnswer(options, Math.min(options.due, started + options.connectTimeoutMs));
  const connected = performance.now();
  if (!options.target.secure) return { socket: plain, connectMs: connected - started, tlsMs: null };
  const until = Math.min(options.due, connected + options.tlsTimeoutMs);
  const socket = await shakeHands(plain, options, until);
  return { socket, connectMs: connected - started, tlsMs: performance.now() - connected };
}

/** One after another, each with its share of the time left, so that one dead address does not hide a live one. */
async function firstToAnswer({ addresses, target }: Dial, until: number): Promise<Socket> {
  let last = new Fault('dns_no_address');
  for (const [index, address] of addresses.entries()) {
    const share = (until - performance.now()) / (addresses.length - index);
    try {
      const socket = connectTcp({ host: address, port: target.port, noDelay: true });
      return await ready(socket, { event: 'connect', ms: share, late: 'connect_timeout', causeOf: causeOfConnect });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      last = error;
    }
  }
  throw last;
}

function shakeHands(plain: Socket, { target, caPin }: Dial, until: number): Promise<Socket> {
  const name = target.hostname.endsWith('.') ? target.hostname.slice(0, -1) : target.hostname;
  let pinned: SecureContext | undefined;
  try {
    pinned = caPin === undefined ? undefined : contextOf(caPin);
  } catch {
    plain.destroy();
    return Promise.reject(new Fault('tls_bad_pin'));
  }
  const socket = connectTls({
    socket: plain,
    host: name,
    // An address must not be sent as a server name (RFC 6066, 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(pinned === undefined ? {} : { secureContext: pinned }),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    // Said aloud, so that no environment variable can switch it off.
    rejectUnauthorized: true,
  });
  return ready(socket, { event: 'secureConnect', ms: until - performance.now(), late: 'tls_handshake_timeout', causeOf: causeOfHandshake });
}

interface Awaited {
  readonly event: 'connect' | 'secureConnect';
  readonly ms: number;
  readonly late: Cause;
  readonly causeOf: (error: unknown) => Cause;
}

function ready<S extends Socket>(socket: S, { event, ms, late, causeOf }: Awaited): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Cause): void => {
      clearTimeout(timer);
      reject(new Fault(cause));
      socket.destroy();
    };
    const timer = setTimeout(() => fail(late), Math.max(0, ms));
    timer.unref();
    socket.once(event, () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // Stays: an error that comes before the next owner listens, or on the socket under TLS, must not end the process.
    socket.on('error', (error) => fail(causeOf(error)));
  });
}

const CONTEXTS_KEPT = 256;
const contexts = new Map<string, SecureContext>();

/** Reading a certificate costs more than a call, so contexts are kept. Throws on text that is no certificate. */
function contextOf(pem: string): SecureContext {
  const kept = contexts.get(pem);
  if (kept !== undefined) return kept;
  if (contexts.size >= CONTEXTS_KEPT) contexts.clear();
  const pin = new X509Certificate(pem);
  // Only where the pin is no root: the option blurs OpenSSL's word for a chain that came incomplete.
  const made = createSecureContext({ ca: pem, allowPartialTrustChain: pin.issuer !== pin.subject, minVersion: 'TLSv1.2' });
  contexts.set(pem, made);
  return made;
}
