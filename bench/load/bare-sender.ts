import { performance } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import { createGuard } from '../../packages/server/src/send/guard.ts';
import { createSender } from '../../packages/server/src/send/http.ts';
import { answerCalls } from '../child.ts';
import { timestampOf, webhookBody, type Tag } from '../webhook.ts';

// The baseline of `outbound`: the server's own HTTP client, the same sink, the same concurrency, and no engine. `undici`, the usual client,
// stands beside it, because a slow client of our own would otherwise flatter the ratio.

const SIGNATURE = '0'.repeat(64);

interface SendPlan {
  readonly origin: string;
  readonly tag: Tag;
  readonly count: number;
  readonly concurrency: number;
  readonly client: 'own' | 'undici';
}

/** Posts one body and answers with the status; every caller has one in flight. */
type Post = (body: string) => Promise<number>;

interface Poster {
  readonly posts: readonly Post[];
  close(): Promise<unknown>;
}

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'bare-sender', 'x-serixpay-signature': SIGNATURE };
const DEADLINE_MS = 15_000;

interface SendResult {
  readonly seconds: number;
  readonly cpuMicrosPerRequest: number;
}

/** Answers with a status; reads and drops the body. */
class StatusOnly implements Dispatcher.DispatchHandler {
  readonly #resolve: (status: number) => void;
  readonly #reject: (error: Error) => void;
  #status = 0;

  constructor(resolve: (status: number) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}
  onResponseStart(_: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }
  onResponseData(): void {}
  onResponseEnd(): void {
    this.#resolve(this.#status);
  }
  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

function withUndici({ origin, concurrency }: SendPlan): Poster {
  const clients = Array.from({ length: concurrency }, () => new Client(origin));
  const postWith =
    (client: Client): Post =>
    (body) =>
      new Promise((resolve, reject) => {
        client.dispatch({ path: '/', method: 'POST', headers: HEADERS, body }, new StatusOnly(resolve, reject));
      });
  return { posts: clients.map(postWith), close: () => Promise.all(clients.map((client) => client.close())) };
}

function withOwn({ origin, concurrency }: SendPlan): Poster {
  const sender = createSender({ guard: createGuard({ allowPrivateCidrs: ['127.0.0.0/8'] }) });
  const post: Post = async (body) => {
    const request = { url: `${origin}/`, method: 'POST', headers: HEADERS, body: Buffer.from(body), deadlineMs: DEADLINE_MS } as const;
    const { status, cause } = await sender.send(request);
    if (status === null) throw new Error(`a call failed: ${cause}`);
    return status;
  };
  return { posts: Array.from({ length: concurrency }, () => post), close: () => sender.close() };
}

async function send(plan: SendPlan): Promise<SendResult> {
  const timestamp = timestampOf(Date.now());
  const bodies = Array.from({ length: plan.count }, (_, n) => webhookBody(plan.tag, n, timestamp));
  const poster = plan.client === 'own' ? withOwn(plan) : withUndici(plan);
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  const worker = async (post: Post): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const status = await post(body);
      if (status !== 200) throw new Error(`the sink answered ${status}`);
    }
  };
  await Promise.all(poster.posts.map(worker));
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  await poster.close();
  return { seconds, cpuMicrosPerRequest: (used.user + used.system) / plan.count };
}

const handlers = { send };

export type BareSender = typeof handlers;

answerCalls(handlers);
