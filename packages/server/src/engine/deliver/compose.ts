import type { LeasedDelivery } from '../../storage/contract.ts';
import { providerOf } from '../directory/rules.ts';
import type { Endpoint } from '../faces.ts';
import type { SendRequest } from '../ports.ts';
import { parseDuration } from './durations.ts';
import { isSecretHeader } from './masking.ts';

const USER_AGENT = 'Paybell/0.1';
const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_WAIT_MS = 3_600_000;

/** Headers of an inbound request that belong to its own connection, or that are not the endpoint's business. */
const NOT_PASSED_ON = new Set([
  'host', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect', 'proxy-authorization',
  'proxy-connection', 'cookie', 'accept-encoding', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip',
]); // prettier-ignore

/** The longest that one try may take, in milliseconds: the endpoint's own, else its provider's. */
export function timeoutMs(endpoint: Endpoint): number {
  return parseDuration(endpoint.timeout ?? providerOf(endpoint.provider).retry.timeout) ?? DEFAULT_TIMEOUT_MS;
}

/** How long an ordered delivery waits for those before it. */
export function orderedWaitMs({ orderedWait }: Endpoint): number {
  return parseDuration(orderedWait ?? '') ?? DEFAULT_WAIT_MS;
}

/** The call for one try: the body as it always was, timestamp and signature as of now. Throws where the secret cannot sign. */
export function compose(job: LeasedDelivery, endpoint: Endpoint, now: number): SendRequest {
  const deadlineMs = timeoutMs(endpoint);
  if (job.format === 'request') {
    const headers = { ...passedOn(job), ...endpoint.headers };
    return { url: endpoint.url, method: 'POST', headers, body: job.body, deadlineMs, ...hiding(headers) };
  }
  // No provider's body is empty: this one was lost, and an empty call would look like a fact.
  if (job.body.byteLength === 0) throw new Error('its body is gone; paybell doctor says more');
  const { headers, body } = providerOf(endpoint.provider).sign({
    body: job.body,
    secrets: endpoint.secrets,
    id: job.event,
    now,
    url: endpoint.url,
    ...(endpoint.options === null ? {} : { options: endpoint.options }),
  });
  return {
    url: endpoint.url,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': USER_AGENT, ...endpoint.headers, ...headers },
    body: body ?? job.body,
    deadlineMs,
    ...hiding(endpoint.headers),
  };
}

/** Which headers the log shows without their values. */
function hiding(headers: Readonly<Record<string, string>>): Pick<SendRequest, 'hide'> {
  const hide = Object.keys(headers).filter((name) => isSecretHeader(name, headers[name] ?? ''));
  return hide.length === 0 ? {} : { hide };
}

/** The inbound request's own headers, its signature among them, so that the endpoint can verify the provider itself. */
function passedOn(job: LeasedDelivery): Record<string, string> {
  const pairs = JSON.parse(job.requestHeaders ?? '[]') as [string, string][];
  const headers: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (!NOT_PASSED_ON.has(key)) headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${value}` : value;
  }
  return headers;
}
