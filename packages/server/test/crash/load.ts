import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { forge, forgeData, providerById } from '@paybell/sdk';
import { ADMIN_KEY } from '../support/server.ts';
import type { Api } from '../support/server.ts';

/** What is sent again, byte by byte, until it is acknowledged: as providers and careful apps do. */
export interface Shot {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly sha256: string;
  readonly door: 'inbound' | 'published';
}

export interface Ack {
  readonly shot: Shot;
  /** The answer told the id of a published event. */
  readonly event: string | null;
}

/** Everything that was ever sent, and what came of it. */
export interface Ledger {
  readonly acks: Map<Shot, Ack>;
  /** Sent, and the connection broke before an answer. */
  readonly unanswered: Shot[];
  /** Answers that are no acknowledgement. */
  readonly refused: string[];
  /** How often something was sent again after it had gone unanswered. */
  resent: number;
}

export const newLedger = (): Ledger => ({ acks: new Map(), unanswered: [], refused: [], resent: 0 });

const BUSY_MS = 100;
const SECRET = 'whsec_c2VjcmV0LW9mLXRoZS1jcmFzaC10ZXN0cy0zMi1ieXRlcw==';
const TYPES: Readonly<Record<string, readonly string[]>> = {
  malipopay: ['transaction.pending', 'transaction.completed', 'transaction.failed'],
  echezona: ['payment.success', 'payment.failed'],
  makapay: ['payment.completed', 'payment.awaiting_gas'],
  serixpay: ['payment.pending', 'payment.completed', 'payout.completed'],
  altafinex: ['payment.pending', 'payment.succeeded'],
  stripe: ['payment_intent.processing', 'payment_intent.succeeded'],
  adyen: ['AUTHORISATION'],
};

/** Creates a source of each provider, and answers a maker of webhooks and publishes that are never the same twice. */
export async function makeShots(api: Api): Promise<() => Shot> {
  const kinds: ((n: number) => Shot)[] = [];
  for (const [id, types] of Object.entries(TYPES)) {
    const provider = providerById(id);
    if (provider === undefined) throw new Error(`There is no provider ${id}.`);
    const secret = provider.makeSecret(createHash('sha256').update(SECRET).digest());
    const options = provider.exampleOptions;
    const { status, body: source } = await api.call('POST', '/v1/sources', { provider: id, secret, ...(options && { options }) });
    if (status !== 201) throw new Error(`No source for ${id}: ${JSON.stringify(source)}`);
    kinds.push((n) => {
      const type = types[n % types.length] ?? '';
      const now = Date.now();
      const { headers, body } = forge({ provider, type, id: `evt_crash_${n}`, now, secret, ...(options && { options }) });
      return shot('inbound', String(source.ingestPath), headers, Buffer.from(body));
    });
  }
  kinds.push(published, published);
  let n = 0;
  return () => {
    n += 1;
    return (kinds[n % kinds.length] ?? published)(n);
  };
}

function published(n: number): Shot {
  const type = n % 3 === 0 ? 'payment.pending' : 'payment.succeeded';
  const data = forgeData(providerById('paybell')!, { type, id: `crash_${n}` });
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', 'idempotency-key': `crash-${n}` };
  return shot('published', '/v1/events', headers, Buffer.from(JSON.stringify({ type, data })));
}

function shot(door: Shot['door'], path: string, headers: Shot['headers'], body: Buffer): Shot {
  return { door, path, headers, body, sha256: createHash('sha256').update(body).digest('hex') };
}

export interface Load {
  /** Resolves when nothing is left to send, or when it was stopped. */
  readonly done: Promise<unknown>;
  /** No new shots; resolves when every shot in flight is answered or broken. */
  stop(): Promise<void>;
  /** Resolves once this many were acknowledged since the start of this load, or when it is stopped. */
  acknowledged(count: number): Promise<void>;
}

export interface LoadInput {
  readonly url: string;
  readonly next: () => Shot;
  /** New shots of this load at most. */
  readonly most: number;
  readonly ledger: Ledger;
  readonly clients: number;
  /** True: a 503 is sent again a moment later, as providers do; otherwise it is kept as refused. */
  readonly again?: boolean;
}

/** Sends from `clients` connections, each one shot after the other; what went unanswered before goes first. */
export function startLoad({ url, next, most, ledger, clients, again: patient = false }: LoadInput): Load {
  let left = most;
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let stopped = false;
  let count = 0;
  let waiting: (() => void)[] = [];
  const tell = (): void => {
    for (const one of waiting.splice(0)) one();
  };
  async function client(): Promise<void> {
    while (!stopped) {
      const again = ledger.unanswered.shift();
      if (again !== undefined) ledger.resent += 1;
      else if (left-- <= 0) return;
      const one = again ?? next();
      const answer = await post(url, one, agent);
      if (answer === null) {
        ledger.unanswered.push(one);
        return;
      }
      if (answer.status === 200 || answer.status === 202) {
        ledger.acks.set(one, {
          shot: one,
          event: one.door === 'published' ? (JSON.parse(answer.text) as { id: string }).id : null,
        });
        count += 1;
        tell();
      } else if (patient && answer.status === 503) {
        ledger.unanswered.push(one);
        await wait(BUSY_MS);
      } else ledger.refused.push(`${one.path} ${answer.status} ${answer.text}`);
    }
  }
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    done: all,
    async stop() {
      stopped = true;
      await all;
      agent.destroy();
      tell();
    },
    async acknowledged(wanted) {
      while (count < wanted && !stopped) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

/** Null where no whole answer came. */
function post(url: string, { path, headers, body }: Shot, agent: Agent): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve) => {
    const call = request(url + path, { method: 'POST', headers: { ...headers, 'content-length': body.length }, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(null));
      response.on('end', () =>
        resolve(response.complete ? { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() } : null),
      );
    });
    call.on('error', () => resolve(null));
    call.end(body);
  });
}
