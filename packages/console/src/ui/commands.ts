import type { HeaderFields } from '../api/types.ts';
import { headerPairs } from './headers.ts';

/** In the folder where Paybell was started; whoever set a key of his own has it in the environment. */
const KEY = 'PAYBELL_ADMIN_KEY=${PAYBELL_ADMIN_KEY:-$(cat data/admin-key)}';

/** For a POSIX shell: nothing inside single quotes means anything to it. */
export const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export const createSourceCommand = (origin: string): string =>
  [
    KEY,
    `curl ${origin}/v1/sources \\`,
    `  -H "authorization: Bearer $PAYBELL_ADMIN_KEY" \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '{"provider":"serixpay","secret":"a-test-secret"}'`,
  ].join('\n');

export const createEndpointCommand = (origin: string): string =>
  [
    KEY,
    `curl ${origin}/v1/endpoints \\`,
    `  -H "authorization: Bearer $PAYBELL_ADMIN_KEY" \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '{"url":"https://example.com/webhooks","events":["payment.*"]}'`,
  ].join('\n');

const FIRST_EVENTS: Readonly<Record<string, string>> = { stripe: 'payment_intent.succeeded', adyen: 'AUTHORISATION' };

export const triggerCommand = (provider: string, source: string | null): string =>
  `npx paybell trigger ${provider} ${FIRST_EVENTS[provider] ?? 'payment.completed'} --source ${source ?? 'src_…'}`;

/** Set by the connection itself; repeating them would contradict it. */
const CONNECTION_HEADERS = new Set(['host', 'content-length', 'connection', 'transfer-encoding', 'accept-encoding']);

export interface CurlRequest {
  readonly url: string;
  readonly headers: HeaderFields | null;
  readonly body: string;
}

/** The same request once more, byte for byte where its body is text. */
export function curlCommand({ url, headers, body }: CurlRequest): string {
  const fields = headerPairs(headers).filter(([name]) => !CONNECTION_HEADERS.has(name.toLowerCase()));
  return [
    `curl -X POST ${quote(url)}`,
    ...fields.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    `--data-binary ${quote(body)}`,
  ].join(' \\\n  ');
}
