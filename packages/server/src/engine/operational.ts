import { timeText, toJson } from '@paybell/sdk';
import type { Accept } from './accept.ts';
import { CAUSES } from './deliver/causes.ts';
import { OPERATOR } from './directory.ts';
import type { InnerDirectory } from './directory.ts';
import type { Happenings, Observe } from './faces.ts';
import { Notices } from './operational/notices.ts';
import type { Notice, NoticeType } from './operational/notices.ts';
import type { Clock, Log, Timers } from './ports.ts';

const AGAIN_MS = 5_000;

export interface OperationalParts {
  readonly directory: InnerDirectory;
  readonly observe: Observe;
  readonly publish: Accept['publish'];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Tells whoever runs Paybell of endpoints that fail, by events of its own: published like any other, of the merchant `operator`, to
 * the endpoints that it has. An endpoint of the operator that fails makes none, so there is no loop.
 */
export function createOperational({ directory, observe, publish, clock, timers, log }: OperationalParts): { stop(): void } {
  const notices = new Notices();
  let cancel: (() => void) | null = null;
  let stopped = false;

  function add(type: NoticeType, { merchant, endpoint, ...more }: Omit<Notice, 'type' | 'at'> & { readonly merchant: string }): void {
    if (stopped || merchant === OPERATOR || directory.subscribers(OPERATOR, type).length === 0) return;
    const url = directory.endpointById(endpoint)?.url;
    if (url === undefined) return;
    notices.add({ ...more, type, endpoint, at: clock.now(), data: { merchant, endpoint, url, ...more.data } });
    plan();
  }

  function plan(): void {
    const at = notices.nextAt();
    if (at === null || cancel !== null || stopped) return;
    cancel = timers.after(Math.max(1, at - clock.now()), () => void tell());
  }

  async function tell(): Promise<void> {
    const ready = notices.take(clock.now());
    try {
      const items = ready.map(({ type, at, data }) => ({ type, occurredAt: at, data: toJson(data) }));
      if (items.length > 0) await publish(OPERATOR, items);
    } catch (error) {
      log.warn({ error: String(error), notices: ready.length }, 'the operator could not be told; trying again');
      notices.putBack(ready, clock.now() + AGAIN_MS);
    }
    cancel = null;
    plan();
  }

  const off = [
    observe.on('endpoint', ({ id, merchant, happened, reason, since, failures }) => {
      if (happened === 'opened' || happened === 'closed') return;
      const data = { reason, message: messageOf(happened, reason), since: since === null ? null : timeText(since), failures };
      add(`endpoint.${happened}`, { merchant, endpoint: id, data });
    }),
    observe.on('delivery', (row) => {
      if (row.status === 'failed') add('delivery.exhausted', exhausted(row));
    }),
  ];
  return {
    stop() {
      stopped = true;
      cancel?.();
      for (const stop of off) stop();
    },
  };
}

function messageOf(happened: string, reason: string): string {
  return happened === 'disabled' ? `${sentence(reason)} ${WHEN_DISABLED}` : sentence(reason);
}

const WHEN_DISABLED =
  'What waits for it stays pending and goes out when it is enabled again; what comes meanwhile is not routed to it, and can be resent as "missing" then.';

function sentence(reason: string): string {
  if (reason === 'failing') return 'The endpoint has done nothing but fail for as long as is allowed, so it was disabled.';
  return Object.hasOwn(CAUSES, reason) ? CAUSES[reason as keyof typeof CAUSES].sentence : reason;
}

function exhausted({
  id,
  merchant,
  endpoint,
  event,
  eventType,
  transaction,
  cause,
  statusCode,
  attemptCount,
  createdAt,
}: Happenings['delivery']) {
  const reason = cause ?? 'interrupted';
  const data = {
    reason,
    message: sentence(reason),
    since: timeText(createdAt),
    delivery: id,
    event,
    eventType,
    transaction,
    statusCode,
    attempts: attemptCount,
  };
  return { merchant, endpoint, delivery: id, data };
}
