import { utf8 } from './bytes.ts';
import { toJson } from './json.ts';
import type { Provider } from './provider.ts';
import { resolveOptions, resolveProvider } from './verify.ts';

export interface Sendable {
  /** Event id, the same on every try: letters, digits, "-" and "_". */
  readonly id: string;
  /** The provider's event name. */
  readonly type: string;
  /** Plain data; amounts as text or bigint keep every digit. */
  readonly data: unknown;
  /** When it happened, milliseconds since 1970. */
  readonly occurredAt: number;
  /** When it is sent: `Date.now()`. */
  readonly now: number;
  /** The current secret first. */
  readonly secret: string | readonly string[];
  readonly options?: object;
}

/** A webhook ready to be posted: send exactly these bytes. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Puts an event into a provider's format and signs it. Throws for a secret or options that it cannot sign with. */
export function sign(provider: Provider | string, event: Sendable): SignedRequest {
  const profile = resolveProvider(provider);
  const { id, type, occurredAt } = event;
  const body = profile.envelope({ id, type, data: toJson(event.data), occurredAt }, resolveOptions(profile, event.options));
  return signBody(profile, { ...event, body });
}

/** Signs bytes that are in the provider's format already. */
export function signBody(
  provider: Provider | string,
  input: Pick<Sendable, 'id' | 'now' | 'secret' | 'options'> & { readonly body: Uint8Array | string },
): SignedRequest {
  const profile = resolveProvider(provider);
  const body = typeof input.body === 'string' ? utf8(input.body) : input.body;
  const secrets = typeof input.secret === 'string' ? [input.secret] : input.secret;
  const options = resolveOptions(profile, input.options);
  const signed = profile.sign({ body, secrets, id: input.id, now: input.now, ...(options === undefined ? {} : { options }) });
  return { headers: { 'content-type': 'application/json', ...signed.headers }, body: signed.body ?? body };
}
