import { batchBody, eventBody, signatureOf, timestampOf, webhookBody, type Tag } from '../webhook.ts';

/** Where requests go, and what they carry besides their body. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly authorization?: string;
}

/** What to send: signed webhooks, single events, or batches of `batch` events each. */
export interface RequestPlan {
  readonly target: Target;
  readonly kind: 'webhook' | 'event' | 'batch';
  readonly tag: Tag;
  readonly first: number;
  readonly count: number;
  /** For webhooks. */
  readonly secret?: string;
  /** For batches. */
  readonly batch?: number;
  /** For single events: published for so many merchants in turn, `mer_0000` and on. */
  readonly merchants?: number;
}

/** Requests as they go over the wire, all of one length, one after the other. */
export interface Requests {
  readonly target: Target;
  readonly bytes: Buffer;
  readonly size: number;
  readonly count: number;
}

/** Builds and signs everything, so that sending costs one write. */
export function buildRequests(plan: RequestPlan): Requests {
  const timestamp = timestampOf(Date.now());
  const one = (index: number): string => {
    const n = plan.first + index;
    if (plan.kind === 'event') return frame(plan.target, eventBody(plan.tag, n, plan.merchants));
    if (plan.kind === 'batch') return frame(plan.target, batchBody(plan.tag, plan.first + index * (plan.batch ?? 1), plan.batch ?? 1));
    const body = webhookBody(plan.tag, n, timestamp);
    return frame(plan.target, body, `x-serixpay-signature: ${signatureOf(plan.secret ?? '', body)}\r\n`);
  };
  const size = one(0).length;
  const bytes = Buffer.allocUnsafeSlow(size * plan.count);
  for (let index = 0; index < plan.count; index += 1) {
    const request = one(index);
    if (request.length !== size) throw new Error(`request ${index} has ${request.length} bytes and not ${size}`);
    bytes.write(request, index * size, 'latin1');
  }
  return { target: plan.target, bytes, size, count: plan.count };
}

function frame(target: Target, body: string, headers = ''): string {
  const authorization = target.authorization === undefined ? '' : `authorization: ${target.authorization}\r\n`;
  return (
    `POST ${target.path} HTTP/1.1\r\nhost: ${target.host}:${target.port}\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n${authorization}${headers}\r\n${body}`
  );
}

export function requestAt(requests: Requests, index: number): Buffer {
  return requests.bytes.subarray(index * requests.size, (index + 1) * requests.size);
}
