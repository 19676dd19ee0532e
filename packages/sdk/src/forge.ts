import { createHash } from 'node:crypto';
import { utf8 } from './bytes.ts';
import { renameIdentities } from './forge/identities.ts';
import { setPath } from './forge/set.ts';
import { toJson } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { nearestName } from './nearest.ts';
import type { Provider } from './provider.ts';
import type { SignedRequest } from './sign.ts';
import { resolveOptions, resolveProvider } from './verify.ts';

export const FAULTS = ['bad-signature', 'no-signature', 'changed-body', 'old-timestamp', 'invalid-json'] as const;
/** `old-timestamp` shows only with providers that sign a time; `invalid-json` is rightly signed. */
export type Fault = (typeof FAULTS)[number];

export interface ForgeInput {
  readonly provider: Provider | string;
  /** An event of the provider's catalogue. */
  readonly type: string;
  /** Event id. */
  readonly id: string;
  /** When it is sent, milliseconds since 1970. */
  readonly now: number;
  readonly secret: string;
  /** When it happened; `now` unless told. */
  readonly occurredAt?: number;
  readonly options?: object;
  /** The event's data in place of the catalogue's example: taken as it is. */
  readonly data?: JsonValue;
  /** Events of one series tell of the same transactions; `id` unless told, null for the example's own references. */
  readonly series?: string | null;
  /** Members to change, by dotted path. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
}

const HOUR = 3_600_000;

/**
 * A webhook as the provider would send it, rightly signed or with one fault: for tests, demonstrations and simulators.
 * Throws RangeError for an event that the provider does not have, with the nearest name.
 */
export function forge(input: ForgeInput): SignedRequest {
  const provider = resolveProvider(input.provider);
  const options = resolveOptions(provider, input.options) ?? provider.exampleOptions;
  const { id, type, fault } = input;
  const data = forgeData(provider, input);
  const written = provider.envelope({ id, type, data, occurredAt: input.occurredAt ?? input.now }, options);
  const body = fault === 'invalid-json' ? written.subarray(0, written.length - 1) : written;
  const signed = signFor(provider, input, { body, options });
  if (fault === 'no-signature') return { headers: { 'content-type': 'application/json' }, body };
  return fault === 'changed-body' ? { ...signed, body: change(signed.body) } : signed;
}

/** The data of the event that `forge` would send. */
export function forgeData(provider: Provider, input: Pick<ForgeInput, 'type' | 'id' | 'data' | 'series' | 'set'>): JsonValue {
  const spec = Object.hasOwn(provider.events, input.type) ? provider.events[input.type] : undefined;
  if (spec === undefined) throw new RangeError(unknownEvent(provider, input.type));
  const series = input.series === undefined ? input.id : input.series;
  const example = toJson(spec.example);
  let data = input.data ?? (series === null ? example : renameIdentities(example, series));
  for (const [path, value] of Object.entries(input.set ?? {})) data = setPath(data, path, value);
  return data;
}

function unknownEvent(provider: Provider, type: string): string {
  const nearest = nearestName(type, Object.keys(provider.events));
  const hint = nearest === null ? `It has: ${Object.keys(provider.events).join(', ')}.` : `Did you mean "${nearest}"?`;
  return `${provider.name} has no event "${type}". ${hint}`;
}

function signFor(
  provider: Provider,
  input: ForgeInput,
  { body, options }: { body: Uint8Array; options: JsonObject | undefined },
): SignedRequest {
  const other = (): string => provider.makeSecret(createHash('sha256').update(`not ${input.secret}`).digest());
  const secret = input.fault === 'bad-signature' ? other() : input.secret;
  const now = input.fault === 'old-timestamp' ? input.now - HOUR : input.now;
  const headers = { 'content-type': 'application/json' };
  try {
    const signed = provider.sign({ body, secrets: [secret], id: input.id, now, ...(options === undefined ? {} : { options }) });
    return { headers: { ...headers, ...signed.headers }, body: signed.body ?? body };
  } catch (error) {
    // A signature that lives in the body cannot be put into one that is no JSON.
    if (input.fault === 'invalid-json' && error instanceof Error && error.name === 'JsonError') return { headers, body };
    throw error;
  }
}

/** Changes the first digit: the JSON stays whole. */
function change(body: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(body);
  const at = text.search(/\d/);
  return utf8(at < 0 ? `${text} ` : text.slice(0, at) + String((Number(text[at]) + 1) % 10) + text.slice(at + 1));
}
