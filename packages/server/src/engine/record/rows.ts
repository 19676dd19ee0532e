import type { DeliveryRow, LeasedDelivery, NewRequest, Recorded, RequestRow } from '../../storage/contract.ts';

/** The rows as the store keeps them, made from what was just written: nothing is read back for the live stream. */
export function requestRow(request: NewRequest, recorded: Recorded): RequestRow {
  const variant = recorded.events.some(({ outcome }) => outcome === 'variant');
  return {
    id: request.id,
    merchant: request.merchant,
    source: request.source,
    provider: request.provider,
    receivedAt: request.receivedAt,
    verdict: recorded.requestVerdict ?? request.verdict,
    reason: variant ? 'variant' : request.reason,
    diagnosis: request.diagnosis,
    size: request.body.byteLength,
    sha256: request.sha256,
    headers: request.headers,
    duplicates: 0,
    expiredAt: null,
  };
}

/** What a delivery is known by, whether it is leased or not. */
export type DeliveryIdentity = Omit<LeasedDelivery, 'body' | 'requestHeaders' | 'failures' | 'leasedAt' | 'leaseUntil' | 'turn'>;

export function deliveryRow(job: DeliveryIdentity, now: Partial<DeliveryRow>): DeliveryRow {
  return {
    id: job.id,
    merchant: job.merchant,
    event: job.event,
    eventType: job.eventType,
    endpoint: job.endpoint,
    transaction: job.transaction,
    format: job.format,
    status: 'pending',
    attemptCount: job.attempt,
    statusCode: null,
    cause: null,
    nextAttemptAt: null,
    createdAt: job.createdAt,
    finishedAt: null,
    ...now,
  };
}
