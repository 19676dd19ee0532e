import type { DeliveryDetail, EndpointRow } from '../../api/types.ts';
import { Countdown } from '../../ui/time.tsx';

export interface WaitingProps {
  readonly delivery: Pick<DeliveryDetail, 'status' | 'transaction' | 'attemptCount' | 'createdAt' | 'nextAttemptAt'>;
  readonly endpoint: Pick<EndpointRow, 'active' | 'ordered' | 'health'> | undefined;
}

/** What a pending delivery waits for. */
export function Waiting({ delivery, endpoint }: WaitingProps) {
  const { status, transaction, attemptCount, createdAt, nextAttemptAt } = delivery;
  if (status !== 'pending') return null;
  if (endpoint?.active === false) return <>, waits until its endpoint is switched on</>;
  if (endpoint !== undefined && endpoint.health.breaker !== 'closed') {
    const { nextProbeAt } = endpoint.health;
    return (
      <>, waits until its endpoint answers again; one call finds out {nextProbeAt === null ? 'now' : <Countdown at={nextProbeAt} />}</>
    );
  }
  const behind = endpoint?.ordered === true && transaction !== null && attemptCount === 0 && nextAttemptAt !== createdAt;
  if (nextAttemptAt === null) return behind ? <>, waits for events of its transaction that come before it</> : null;
  return behind ? (
    <>
      , waits for the event before it; goes <Countdown at={nextAttemptAt} /> at the latest
    </>
  ) : (
    <>
      , next try <Countdown at={nextAttemptAt} />
    </>
  );
}
