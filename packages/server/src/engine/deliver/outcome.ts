import type { AttemptRow, DeliveryRow, LeasedDelivery, RetryPolicy, Settlement } from '../../storage/contract.ts';
import { providerOf } from '../directory/rules.ts';
import type { Endpoint } from '../faces.ts';
import type { SendRequest, SendResult } from '../ports.ts';
import { deliveryRow } from '../record/rows.ts';
import { judge } from './judge.ts';
import { HIDDEN } from './masking.ts';
import { nextTry, planRetries } from './schedule.ts';
import type { RetrySchedule } from './schedule.ts';

const ONCE: RetrySchedule = { delaysMs: [0], jitter: 0 };

export interface Ended {
  readonly job: LeasedDelivery;
  /** Null: deleted while it was in flight; nothing is tried again. One that is disabled keeps its tries. */
  readonly endpoint: Endpoint | null;
  readonly request: SendRequest | null;
  readonly result: SendResult;
  readonly owner: string;
  readonly startedAt: number;
  readonly now: number;
  readonly random: number;
}

export interface Outcome {
  readonly settlement: Settlement;
  readonly disable: boolean;
}

/** What an answered call means for its delivery. Pure. */
export function outcomeOf(ended: Ended): Outcome {
  const { job, endpoint, result, owner, now, random } = ended;
  const schedule = endpoint === null ? ONCE : scheduleOf(endpoint, job.eventType);
  const failures = job.failures + 1;
  const next = nextTry({ schedule, failures, now, retryAfter: result.retryAfter, random });
  const judgement = judge(result.cause, next !== 'exhausted' && endpoint !== null);
  const settlement: Settlement = {
    delivery: job.id,
    merchant: job.merchant,
    owner,
    attempt: attemptRow(ended),
    next:
      judgement.verdict === 'succeeded'
        ? { status: 'succeeded' }
        : judgement.verdict === 'retry' && next !== 'exhausted'
          ? { status: 'pending', at: next.at }
          : { status: 'failed' },
    finishedAt: now,
    ...(job.ordered === true ? { ordered: true } : {}),
  };
  return { settlement, disable: judgement.verdict !== 'succeeded' && judgement.disableEndpoint };
}

/** The endpoint's own schedule, else its provider's; an event marked so is sent once. */
export function scheduleOf(endpoint: Endpoint, eventType: string): RetrySchedule {
  const provider = providerOf(endpoint.provider);
  const spec = Object.hasOwn(provider.events, eventType) ? provider.events[eventType] : undefined;
  if (spec?.retry === false) return ONCE;
  return planned(endpoint.retry ?? provider.retry);
}

const plans = new WeakMap<object, RetrySchedule>();

function planned(policy: RetryPolicy): RetrySchedule {
  let schedule = plans.get(policy);
  if (schedule === undefined) {
    const plan = planRetries(
      'delays' in policy ? { delays: policy.delays, ...(policy.jitter === undefined ? {} : { jitter: policy.jitter }) } : policy,
    );
    schedule = plan.ok ? plan.schedule : ONCE;
    plans.set(policy, schedule);
  }
  return schedule;
}

/** The headers as the log holds them: a secret in clear stays out of the store. */
function shown({ headers, hide }: SendRequest): SendRequest['headers'] {
  return hide === undefined ? headers : { ...headers, ...Object.fromEntries(hide.map((name) => [name, HIDDEN])) };
}

export function attemptRow({ job, request, result, startedAt }: Omit<Ended, 'endpoint' | 'owner' | 'now' | 'random'>): AttemptRow {
  return {
    n: job.attempt,
    startedAt,
    durationMs: result.durationMs,
    outcome: result.cause === 'ok' ? 'succeeded' : 'failed',
    cause: result.cause,
    statusCode: result.status,
    requestHeaders: request === null ? null : JSON.stringify(shown(request)),
    responseHeaders: JSON.stringify(result.headers),
    responseBody: result.body.byteLength === 0 ? null : result.body,
    truncated: result.truncated,
    timings: JSON.stringify(result.timings),
  };
}

/** The delivery's row once that is written. */
export function settledRow(job: LeasedDelivery, { attempt, next, finishedAt }: Settlement): DeliveryRow {
  const nextAttemptAt = next.status === 'pending' ? next.at : null;
  return deliveryRow(job, {
    status: next.status,
    statusCode: attempt.statusCode,
    cause: attempt.cause,
    nextAttemptAt,
    finishedAt: nextAttemptAt === null ? finishedAt : null,
  });
}
