import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SinkCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sink {
  readonly url: string;
  readonly calls: SinkCall[];
  /** What the next calls are answered with; 200 at first. */
  answer(status: number | ((call: SinkCall) => number), headers?: Record<string, string>): void;
  /** Resolves once `count` calls have come, or rejects after `withinMs`. */
  reached(count: number, withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** An endpoint that keeps what it gets. */
export async function startSink(): Promise<Sink> {
  const calls: SinkCall[] = [];
  let status: number | ((call: SinkCall) => number) = 200;
  let extra: Record<string, string> = {};
  let arrived: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      calls.push(call);
      response.writeHead(typeof status === 'function' ? status(call) : status, extra).end();
      for (const tell of arrived.splice(0)) tell();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    calls,
    answer(next, headers = {}) {
      status = next;
      extra = headers;
    },
    async reached(count, withinMs = 10_000) {
      const end = AbortSignal.timeout(withinMs);
      while (calls.length < count) {
        await new Promise<void>((resolve, reject) => {
          arrived.push(resolve);
          end.addEventListener('abort', () => reject(new Error(`Only ${calls.length} of ${count} calls came within ${withinMs} ms.`)), {
            once: true,
          });
        });
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
