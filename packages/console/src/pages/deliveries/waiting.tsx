import type { DeliveryDetail } from '../../api/types.ts';
import { Countdown } from '../../ui/time.tsx';

export interface WaitingProps {
  readonly delivery: Pick<DeliveryDetail, 'status' | 'transaction' | 'attemptCount' | 'createdAt' | 'nextAttemptAt'>;
  /** Whether its endpoint takes the events of one transaction in order. */
  readonly ordered: boolean;
}

/** What a pending delivery waits for. */
export function Waiting({ delivery, ordered }: WaitingProps) {
  const { status, transaction, attemptCount, createdAt, nextAttemptAt } = delivery;
  if (status !== 'pending') return null;
  const behind = ordered && transaction !== null && attemptCount === 0 && nextAttemptAt !== createdAt;
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
