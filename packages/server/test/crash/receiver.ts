import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receipt {
  /** Which start of the server it came from: 0, 1, 2 ... */
  readonly life: number;
  readonly sha256: string;
}

/** An endpoint that takes its time, so that calls are in flight at every moment, and remembers what came how often, from which life. */
export interface Receiver {
  readonly url: string;
  /** By path and id (where the format has one, else the body's hash). */
  readonly receipts: Map<string, Receipt[]>;
  /** Calls begun and not yet answered. */
  inFlight(): number;
  nextLife(): void;
  close(): Promise<void>;
}

export async function startReceiver(delayMs: () => number): Promise<Receiver> {
  const receipts = new Map<string, Receipt[]>();
  let life = 0;
  let inFlight = 0;
  const server = createServer((request, response) => {
    inFlight += 1;
    response.on('close', () => (inFlight -= 1));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const sha256 = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
      const id = request.headers['webhook-id'];
      const key = `${request.url} ${typeof id === 'string' ? id : sha256}`;
      receipts.set(key, [...(receipts.get(key) ?? []), { life, sha256 }]);
      setTimeout(() => response.writeHead(200).end(), delayMs());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receipts,
    inFlight: () => inFlight,
    nextLife: () => void (life += 1),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Repeats {
  readonly total: number;
  /** The most that one crash caused. */
  readonly worst: number;
  /** Repeats within one life of the server: no crash explains them. */
  readonly unexplained: readonly string[];
  /** Repeats whose bytes differ from the first. */
  readonly changed: readonly string[];
}

/** Counts what came more than once, and charges each repeat to the crash that ended the call before it. */
export function countRepeats(receipts: ReadonlyMap<string, readonly Receipt[]>): Repeats {
  const byLife = new Map<number, number>();
  const unexplained: string[] = [];
  const changed: string[] = [];
  for (const [key, calls] of receipts) {
    for (const [index, call] of calls.entries()) {
      const before = calls[index - 1];
      if (before === undefined) continue;
      byLife.set(before.life, (byLife.get(before.life) ?? 0) + 1);
      if (before.life === call.life) unexplained.push(`${key} in life ${call.life}`);
      if (before.sha256 !== call.sha256) changed.push(key);
    }
  }
  const counts = [...byLife.values()];
  return { total: counts.reduce((sum, count) => sum + count, 0), worst: Math.max(0, ...counts), unexplained, changed };
}
