import type { LeasedDelivery } from '../../storage/contract.ts';
import type { Endpoint } from '../faces.ts';
import type { Log, Send, SendRequest, SendResult } from '../ports.ts';
import { compose } from './compose.ts';

/** One try, from its signature to its answer. */
export interface Call {
  readonly job: LeasedDelivery;
  /** Null: it could not be signed. */
  readonly request: SendRequest | null;
  readonly startedAt: number;
  readonly result: SendResult;
}

const NOTHING_SENT: Omit<SendResult, 'cause'> = {
  status: null,
  headers: {},
  body: new Uint8Array(0),
  truncated: false,
  durationMs: 0,
  timings: { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null },
};

/** Signs and sends one delivery; whatever happens, `ended` is told once. */
export function caller({ send, log }: { readonly send: Send; readonly log: Log }) {
  return (
    { job, endpoint, now }: { readonly job: LeasedDelivery; readonly endpoint: Endpoint; readonly now: number },
    ended: (call: Call) => void,
  ): void => {
    let request: SendRequest;
    try {
      request = compose(job, endpoint, now);
    } catch (error) {
      log.warn({ endpoint: endpoint.id, error: String(error) }, 'a delivery could not be signed');
      ended({ job, request: null, startedAt: now, result: { ...NOTHING_SENT, cause: 'signing_failed' } });
      return;
    }
    send(request).then(
      (result) => ended({ job, request, startedAt: now, result }),
      (error: unknown) => {
        log.error({ endpoint: endpoint.id, error: String(error) }, 'the sender failed');
        ended({ job, request, startedAt: now, result: { ...NOTHING_SENT, cause: 'interrupted' } });
      },
    );
  };
}
