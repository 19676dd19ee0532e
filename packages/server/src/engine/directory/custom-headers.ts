import { providers } from '@paybell/sdk';
import type { JsonObject, Provider } from '@paybell/sdk';
import { HIDDEN } from '../deliver/masking.ts';
import { Refusal } from '../refusal.ts';

/** Names in lower case. */
export type CustomHeaders = Readonly<Record<string, string>>;

const MOST = 20;
const LONGEST_NAME = 64;
const LONGEST_VALUE = 4_096;
const MOST_CHARACTERS = 8_192;

/** No "_" at the start and no other signs: servers and proxies drop what they do not know. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** What the call itself says, what belongs to one connection, and who says that he passed it on. */
const RESERVED: ReadonlySet<string> = new Set([
  'host', 'connection', 'keep-alive', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'accept-encoding', 'te',
  'trailer', 'upgrade', 'expect', 'date', 'user-agent', 'http2-settings', 'proxy-authorization', 'proxy-authenticate', 'proxy-connection',
  'forwarded', 'via', 'x-real-ip',
]); // prettier-ignore
const RESERVED_START = /^(webhook-|x-forwarded-|proxy-)/;

/** The headers as they are kept, or a refusal that says which one cannot be sent. A value `[hidden]` keeps what was there `before`. */
export function customHeaders(
  given: CustomHeaders,
  { before = {}, provider, options }: { readonly before?: CustomHeaders; readonly provider: Provider; readonly options: JsonObject | null },
): CustomHeaders {
  const entries = Object.entries(given);
  if (entries.length > MOST) throw refusal(`An endpoint has at most ${MOST} headers of its own; these are ${entries.length}.`);
  const signed = signatureHeaders(provider, options);
  const kept: Record<string, string> = {};
  let characters = 0;
  for (const [written, value] of entries) {
    const name = checkedName(written, signed);
    if (Object.hasOwn(kept, name)) throw refusal(`The header "${name}" is given twice.`);
    kept[name] = value === HIDDEN ? keptValue(name, before) : checkedValue(name, value);
    characters += name.length + kept[name].length;
  }
  if (characters > MOST_CHARACTERS) throw refusal(`The headers are ${characters} characters long together; at most ${MOST_CHARACTERS}.`);
  return kept;
}

function checkedName(written: string, signed: ReadonlySet<string>): string {
  const shown = JSON.stringify(written.slice(0, LONGEST_NAME));
  if (written.length > LONGEST_NAME || !NAME.test(written))
    throw refusal(`${shown} is no header name: letters, digits, "-" and "_", ${LONGEST_NAME} characters at most.`);
  const name = written.toLowerCase();
  if (RESERVED.has(name) || RESERVED_START.test(name))
    throw refusal(`The header ${shown} is set by Paybell or belongs to the connection. Choose another name.`);
  if (signed.has(name) || name.includes('signature'))
    throw refusal(`The header ${shown} carries the signature of webhooks and cannot be set. Choose another name.`);
  return name;
}

function checkedValue(name: string, value: string): string {
  if (value.length > LONGEST_VALUE) throw refusal(`The value of "${name}" is longer than ${LONGEST_VALUE} characters.`);
  if (!VALUE.test(value))
    throw refusal(`The value of "${name}" is one line of plain ASCII characters without a space at either end, and not empty.`);
  return value;
}

function keptValue(name: string, before: CustomHeaders): string {
  const value = Object.hasOwn(before, name) ? before[name] : undefined;
  if (value === undefined) throw refusal(`"${HIDDEN}" keeps a value that is set, and "${name}" has none yet. Send the value itself.`);
  return value;
}

function refusal(sentence: string): Refusal {
  return new Refusal('invalid_headers', sentence);
}

const PROBE = new Uint8Array([0x7b, 0x7d]);
let everyProviders: ReadonlySet<string> | null = null;

/** Where any provider signs, so that a change of format or content never brings two signatures; and where this endpoint's options say. */
function signatureHeaders(provider: Provider, options: JsonObject | null): ReadonlySet<string> {
  everyProviders ??= new Set(providers.flatMap((one) => signedNames(one, one.exampleOptions ?? null)));
  return options === null ? everyProviders : new Set([...everyProviders, ...signedNames(provider, options)]);
}

/** Learned by letting it sign; none where it signs in the body, or not at all yet. */
function signedNames(provider: Provider, options: JsonObject | null): readonly string[] {
  const secrets = [provider.makeSecret(new Uint8Array(32))];
  try {
    return Object.keys(provider.sign({ body: PROBE, secrets, id: 'probe', now: 0, ...(options === null ? {} : { options }) }).headers);
  } catch {
    return [];
  }
}
