import type { DeliveryDetail } from '../../api/types.ts';
import { explainCause } from './causes.ts';

/** Why a delivery ended that no attempt ended. */
export function Ended({ delivery }: { readonly delivery: Pick<DeliveryDetail, 'status' | 'cause' | 'attempts'> }) {
  const { status, cause, attempts } = delivery;
  if (status !== 'failed' || cause === null || attempts.at(-1)?.cause === cause) return null;
  return (
    <p className="cause">
      <code>{cause}</code> {explainCause(cause)}
    </p>
  );
}
