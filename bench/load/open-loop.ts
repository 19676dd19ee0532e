import { createHistogram } from 'node:perf_hooks';
import { sharedNow, until } from '../clock.ts';
import { Connection } from './connection.ts';
import { requestAt, type Requests } from './requests.ts';

export interface OpenPlan {
  readonly perSecond: number;
  readonly count: number;
  /** The first request of the prepared ones to send. */
  readonly from: number;
}

export interface OpenResult {
  /** When request 0 was due, on the shared clock; request i was due `i * 1000 / perSecond` later, whatever happened before it. */
  readonly startedAt: number;
  readonly accepted: number;
  readonly refused: Readonly<Record<number, number>>;
  /** How late this generator itself was. */
  readonly lateP99Ms: number;
}

const FIRST_CONNECTIONS = 16;
const MAX_CONNECTIONS = 1_000;
const LEAD_MS = 50;

/** Sends on a fixed timetable without waiting for answers: a stall of the server delays nothing, so all of it shows in the latencies. */
export async function runOpen(requests: Requests, plan: OpenPlan): Promise<OpenResult> {
  const { host, port } = requests.target;
  const done = Promise.withResolvers<void>();
  // A broken connection may come while the timetable is still running and nobody awaits the end yet.
  done.promise.catch(() => undefined);
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const refused: Record<number, number> = {};
  let accepted = 0;
  let answered = 0;
  const onAnswer = (status: number, connection: Connection): void => {
    if (status >= 200 && status < 300) accepted += 1;
    else refused[status] = (refused[status] ?? 0) + 1;
    idle.push(connection);
    answered += 1;
    if (answered === plan.count) done.resolve();
  };
  const open = async (): Promise<Connection> => {
    const connection = await Connection.open({ host, port, onAnswer, onBreak: done.reject });
    all.push(connection);
    return connection;
  };
  idle.push(...(await Promise.all(Array.from({ length: FIRST_CONNECTIONS }, open))));
  const late = createHistogram();
  const startedAt = sharedNow() + LEAD_MS;
  try {
    for (let index = 0; index < plan.count; index += 1) {
      const due = startedAt + (index * 1000) / plan.perSecond;
      await until(due);
      late.record(Math.max(1, Math.round((sharedNow() - due) * 1000)));
      const request = requestAt(requests, plan.from + index);
      // In turn: one that never says anything is closed by the server after a while.
      const connection = idle.shift();
      if (connection !== undefined) connection.send(request);
      else if (all.length < MAX_CONNECTIONS) open().then((fresh) => fresh.send(request), done.reject);
      else throw new Error(`${MAX_CONNECTIONS} requests wait for an answer: the server does not keep up with ${plan.perSecond} per second`);
    }
    await done.promise;
  } finally {
    for (const connection of all) connection.close();
  }
  return { startedAt, accepted, refused, lateP99Ms: late.percentile(99) / 1000 };
}
