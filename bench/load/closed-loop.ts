import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { sharedNow } from '../clock.ts';
import { Connection } from './connection.ts';
import { requestAt, type Requests } from './requests.ts';

export interface ClosedPlan {
  readonly connections: number;
  /** Stop sending after this long; without it, when every request was accepted. */
  readonly seconds?: number;
  /** Start over when all were sent; for servers that do not care about repeats. */
  readonly repeat?: boolean;
}

export interface ClosedResult {
  /** Answers with a 2xx status. */
  readonly accepted: number;
  /** Other answers, by status. Each one was sent again where there is no time limit. */
  readonly refused: Readonly<Record<number, number>>;
  readonly startedAt: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What the generator itself used. */
  readonly cpuMicrosPerRequest: number;
}

const AGAIN_AFTER_MS = 20;
const MAX_REFUSED_IN_A_ROW = 2_000;

/** Every connection sends its next request when the last one was answered. */
export async function runClosed(requests: Requests, plan: ClosedPlan): Promise<ClosedResult> {
  const loop = new ClosedLoop(requests, plan);
  const { host, port } = requests.target;
  const open = (): Promise<Connection> => Connection.open({ host, port, onAnswer: loop.onAnswer, onBreak: loop.onBreak });
  const connections = await Promise.all(Array.from({ length: plan.connections }, open));
  try {
    return await loop.run(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

class ClosedLoop {
  readonly #requests: Requests;
  readonly #seconds: number | undefined;
  readonly #repeat: boolean;
  readonly #latency: RecordableHistogram = createHistogram();
  readonly #refused: Record<number, number> = {};
  readonly #again: number[] = [];
  readonly #done = Promise.withResolvers<void>();
  #endAt = Infinity;
  #next = 0;
  #accepted = 0;
  #refusedInARow = 0;
  #busy = 0;

  constructor(requests: Requests, plan: ClosedPlan) {
    this.#requests = requests;
    this.#seconds = plan.seconds;
    this.#repeat = plan.repeat ?? false;
  }

  readonly onBreak = (error: Error): void => this.#done.reject(error);

  readonly onAnswer = (status: number, connection: Connection): void => {
    const now = performance.now();
    if (status >= 200 && status < 300) {
      this.#accepted += 1;
      this.#refusedInARow = 0;
      this.#latency.record(Math.max(1, Math.round((now - connection.sentAt) * 1000)));
      this.#advance(connection, now);
    } else {
      this.#onRefusal(status, connection, now);
    }
  };

  async run(connections: readonly Connection[]): Promise<ClosedResult> {
    const cpu = process.cpuUsage();
    const startedAt = sharedNow();
    const start = performance.now();
    if (this.#seconds !== undefined) this.#endAt = start + this.#seconds * 1000;
    this.#busy = connections.length;
    for (const connection of connections) this.#advance(connection, performance.now());
    await this.#done.promise;
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    return {
      accepted: this.#accepted,
      refused: this.#refused,
      startedAt,
      seconds,
      p50Ms: this.#latency.percentile(50) / 1000,
      p99Ms: this.#latency.percentile(99) / 1000,
      cpuMicrosPerRequest: (used.user + used.system) / Math.max(1, this.#accepted),
    };
  }

  #advance(connection: Connection, now: number): void {
    const index = now >= this.#endAt ? undefined : (this.#again.pop() ?? this.#fresh());
    if (index === undefined) {
      this.#busy -= 1;
      if (this.#busy === 0) this.#done.resolve();
      return;
    }
    connection.index = index;
    connection.sentAt = now;
    connection.send(requestAt(this.#requests, index));
  }

  #fresh(): number | undefined {
    if (this.#next === this.#requests.count && this.#repeat) this.#next = 0;
    return this.#next < this.#requests.count ? this.#next++ : undefined;
  }

  #onRefusal(status: number, connection: Connection, now: number): void {
    this.#refused[status] = (this.#refused[status] ?? 0) + 1;
    this.#refusedInARow += 1;
    if (this.#refusedInARow > MAX_REFUSED_IN_A_ROW || (status !== 503 && status !== 429)) {
      return this.#done.reject(new Error(`the server answered ${status} (${this.#refused[status]} times)`));
    }
    if (this.#seconds === undefined) this.#again.push(connection.index);
    setTimeout(() => this.#advance(connection, performance.now()), now >= this.#endAt ? 0 : AGAIN_AFTER_MS);
  }
}
