import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from './child.ts';
import { sharedNow } from './clock.ts';
import type { Generator } from './load/generator.ts';
import type { Sink } from './load/sink.ts';
import type { Paybell } from './paybell.ts';
import { makeTag } from './webhook.ts';

export const BATCH = 500;
/** Batches that wait for an answer at the same time. */
const PUBLISHERS = 4;
const POLL_MS = 200;
/** Without a delivery for so long, the run is over. */
const STALLED_AFTER_MS = 30_000;
const FINISHED = 'paybell_deliveries_finished_total';

export interface Part {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

export interface DeliverParties {
  readonly generator: Child<Generator>;
  readonly sink: Child<Sink>;
  readonly paybell: Paybell;
}

/** Publishes and waits until every delivery is recorded as succeeded. */
export async function deliver({ generator, sink, paybell }: DeliverParties, count: number): Promise<Part> {
  const tag = makeTag();
  await sink.call('expect', { tag, count });
  const target = paybell.target('/v1/events/batch');
  await generator.call('prepare', { name: 'batches', plan: { target, kind: 'batch', batch: BATCH, tag, first: 0, count: count / BATCH } });
  const [succeeded, failed, cpu] = await Promise.all([finished(paybell, 'succeeded'), finished(paybell, 'failed'), paybell.cpuMicros()]);
  const [published, endedAt] = await Promise.all([
    generator.call('closed', { name: 'batches', connections: PUBLISHERS }),
    allSucceeded(paybell, { succeeded: succeeded + count, failed }),
  ]);
  const used = (await paybell.cpuMicros()) - cpu;
  await check(sink, count);
  return { perSecond: (count * 1000) / (endedAt - published.startedAt), cpuMicros: used / count };
}

type Counting = Pick<Paybell, 'metric'>;

export const finished = (paybell: Counting, status: 'succeeded' | 'failed'): Promise<number> =>
  paybell.metric(FINISHED, `status="${status}"`);

export async function allSucceeded(paybell: Counting, goal: { readonly succeeded: number; readonly failed: number }): Promise<number> {
  let seen = -1;
  let seenAt = sharedNow();
  while (sharedNow() - seenAt < STALLED_AFTER_MS) {
    const succeeded = await finished(paybell, 'succeeded');
    if (succeeded >= goal.succeeded) return sharedNow();
    if (succeeded > seen) [seen, seenAt] = [succeeded, sharedNow()];
    await pause(POLL_MS);
  }
  const failed = (await finished(paybell, 'failed')) - goal.failed;
  throw new Error(`deliveries stalled: ${goal.succeeded - seen} are missing and ${failed} failed (from ${FINISHED} in /metrics)`);
}

/** Throws unless the sink has every event. */
export async function check(sink: Child<Sink>, count: number): Promise<void> {
  const { distinct, strays } = await sink.call('counts');
  if (distinct !== count)
    throw new Error(`the sink received ${distinct} of ${count} events, and ${strays} requests that it could not tell`);
}
