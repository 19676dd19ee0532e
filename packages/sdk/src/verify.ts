import { createHash } from 'node:crypto';
import { asObject } from './access.ts';
import { utf8 } from './bytes.ts';
import { normalHeaders } from './headers.ts';
import type { HeadersLike } from './headers.ts';
import { parseJson, toJson } from './json.ts';
import type { JsonObject } from './json.ts';
import { nearestName } from './nearest.ts';
import type { Fact, Provider, Rejection, Verdict, VerifyInput } from './provider.ts';
import { providerById, providers } from './providers/index.ts';

export interface Received {
  /** The exact bytes of the body. A string is taken as UTF-8: never pass `JSON.stringify` of a parsed body. */
  readonly body: Uint8Array | string;
  /** As your framework has them: a record in any case, or a `Headers` object. */
  readonly headers: HeadersLike;
  /** One secret, or several while you change it, exactly as the provider shows them. */
  readonly secret: string | readonly string[];
  /** When it arrived: `Date.now()`. */
  readonly now: number;
  /** The public address it was sent to, for providers that sign it. */
  readonly url?: string;
  /** The provider's own options, as plain data. */
  readonly options?: object;
}

/**
 * Judges whether a webhook is from the provider; never throws for what the sender sent.
 *
 * ```ts
 * app.post('/webhooks/serixpay', express.raw({ type: '*' + '/*' }), (req, res) => {
 *   const verdict = verify('serixpay', { body: req.body, headers: req.headers, secret: process.env.SERIXPAY_SECRET ?? '', now: Date.now() });
 *   if (!verdict.ok) return res.status(401).json({ error: verdict.reason });
 *   res.json({ received: true });
 * });
 * ```
 */
export function verify(provider: Provider | string, received: Received): Verdict {
  const profile = resolveProvider(provider);
  return profile.verify(verifyInput(profile, received));
}

export type Reception =
  | { readonly ok: true; readonly verdict: Verdict & { readonly ok: true }; readonly facts: readonly Fact[] }
  | { readonly ok: false; readonly reason: Rejection | 'body_unreadable'; readonly detail: string };

/** Verifies a webhook and reads what it says, from the bytes that were vouched for; never throws for what the sender sent. */
export function receive(provider: Provider | string, received: Received): Reception {
  const profile = resolveProvider(provider);
  const input = verifyInput(profile, received);
  const verdict = profile.verify(input);
  if (!verdict.ok) return verdict;
  const bytes = verdict.authenticated ?? input.body;
  try {
    const context = {
      digest: createHash('sha256').update(bytes).digest('hex'),
      headers: input.headers,
      ...(input.options && { options: input.options }),
    };
    return { ok: true, verdict, facts: profile.read(parseJson(bytes), context) };
  } catch (error) {
    return { ok: false, reason: 'body_unreadable', detail: error instanceof Error ? error.message : 'The body cannot be read.' };
  }
}

/** The provider itself, or the one of that id. Throws RangeError for an id that is not known. */
export function resolveProvider(provider: Provider | string): Provider {
  if (typeof provider !== 'string') return provider;
  const profile = providerById(provider);
  if (profile !== undefined) return profile;
  const ids = providers.map(({ id }) => id);
  throw new RangeError(`There is no provider "${provider}". Did you mean "${nearestName(provider, ids) ?? ids.join('", "')}"?`);
}

/** Options as JSON. Throws RangeError with the sentence of what is wrong with them. */
export function resolveOptions(provider: Provider, options: object | undefined): JsonObject | undefined {
  if (options === undefined) return undefined;
  const json = asObject(toJson(options));
  const wrong = provider.checkOptions === undefined ? `${provider.name} has no options.` : provider.checkOptions(json);
  if (wrong !== null && Object.keys(json).length > 0) throw new RangeError(wrong);
  return json;
}

export function verifyInput(provider: Provider, received: Received): VerifyInput {
  const options = resolveOptions(provider, received.options);
  return {
    body: typeof received.body === 'string' ? utf8(received.body) : received.body,
    headers: normalHeaders(received.headers),
    secrets: typeof received.secret === 'string' ? [received.secret] : received.secret,
    now: received.now,
    ...(received.url === undefined ? {} : { url: received.url }),
    ...(options === undefined ? {} : { options }),
  };
}
