import { finding } from './diagnose/causes.ts';
import type { Cause, Finding } from './diagnose/causes.ts';
import { searchSignature } from './diagnose/search.ts';
import { bodyVariants, headerVariants, secretVariants } from './diagnose/variants.ts';
import type { Provider, Rejection, VerifyInput } from './provider.ts';
import { providers } from './providers/index.ts';

const TIMELY: readonly (Rejection | 'ok')[] = ['timestamp_too_old', 'timestamp_too_new'];

/**
 * Why a webhook was refused: tries what usually goes wrong, the certain findings first; empty where it passes. Costs some hundred
 * hashes of the body, so call it for a person who asks and not for every request. No finding holds a secret or a right signature.
 */
export function diagnose(provider: Provider, input: VerifyInput): readonly Finding[] {
  const verdict = provider.verify(input);
  if (verdict.ok) return [];
  const findings = [...certainFindings(provider, input), ...foreignFindings(provider, input)];
  const found = findings.length === 0 ? searchSignature(input) : null;
  if (found !== null) {
    const detail = `It is the ${found.encoding} HMAC-${found.hash.toUpperCase()} in ${found.header}.`;
    const cause: Cause =
      found.content === 'url'
        ? 'url'
        : found.key === 'decoded'
          ? 'secret_decoded'
          : verdict.reason === 'not_configured'
            ? 'not_configured'
            : causeOf(provider, input, found);
    findings.push(finding(cause, true, detail));
  }
  if (findings.length > 0) return unique(findings);
  if (verdict.reason === 'not_configured') return [finding('not_configured', true, verdict.detail)];
  if (hasMilliseconds(input)) return [finding('timestamp_milliseconds', true)];
  return [...guesses(provider, input), ...(verdict.reason === 'signature_mismatch' ? [finding('wrong_secret', false)] : [])];
}

/** Changes one thing, or the secret and the body, and judges again. */
function certainFindings(provider: Provider, input: VerifyInput): Finding[] {
  const times = timesOf(input);
  const passes = (changed: VerifyInput): readonly Cause[] | null => {
    const verdict = provider.verify(changed);
    if (verdict.ok) return [];
    if (!TIMELY.includes(verdict.reason)) return null;
    return times.some((now) => provider.verify({ ...changed, now }).ok) ? ['clock'] : null;
  };
  const found = (causes: readonly Cause[], changed: VerifyInput): Finding[] => {
    const more = passes(changed);
    return more === null ? [] : [...causes, ...more].map((cause) => finding(cause, true));
  };
  const plain = found([], input);
  if (plain.length > 0) return plain;
  const secrets = input.secrets.flatMap(secretVariants);
  const bodies = bodyVariants(input.body);
  for (const { cause, value } of bodies) {
    const findings = found([cause], { ...input, body: value });
    if (findings.length > 0) return findings;
  }
  for (const { cause, value } of secrets) {
    const changed = { ...input, secrets: [value] };
    const findings = [found([cause], changed), ...bodies.map((body) => found([cause, body.cause], { ...changed, body: body.value }))].find(
      (list) => list.length > 0,
    );
    if (findings !== undefined) return findings;
  }
  const expected = expectedHeader(provider, input);
  for (const { cause, value } of expected === null ? [] : headerVariants(input, expected)) {
    const findings = found([cause], { ...input, headers: value });
    if (findings.length > 0) return findings;
  }
  return [];
}

/** Is it what another provider would have sent with this secret? */
function foreignFindings(provider: Provider, input: VerifyInput): Finding[] {
  const { options: _options, ...plain } = input;
  const other = providers.find((candidate) => candidate.id !== provider.id && candidate.verify(plain).ok);
  return other === undefined ? [] : [finding('other_provider', true, `It is a webhook of ${other.name}.`)];
}

/** Without proof: a header that only another provider sends. */
function guesses(provider: Provider, input: VerifyInput): Finding[] {
  const own = expectedHeader(provider, input);
  if (own !== null && input.headers[own] !== undefined) return [];
  const other = providers.find((candidate) => {
    const name = candidate.id === provider.id ? null : expectedHeader(candidate, input);
    return name !== null && input.headers[name] !== undefined;
  });
  return other === undefined ? [] : [finding('other_provider', false, `It looks like a webhook of ${other.name}.`)];
}

const PROBE = new TextEncoder().encode('{}');

/** The header that the provider signs in, learned by letting it sign; null where it signs in the body or not at all yet. */
function expectedHeader(provider: Provider, input: VerifyInput): string | null {
  const options = input.options ?? provider.exampleOptions;
  try {
    const secret = provider.makeSecret(new Uint8Array(32));
    const { headers } = provider.sign({
      body: PROBE,
      secrets: [secret],
      id: 'probe',
      now: input.now,
      ...(options === undefined ? {} : { options }),
    });
    return Object.keys(headers).find((name) => name.includes('signature')) ?? null;
  } catch {
    return null;
  }
}

/** The times that the request itself names, in milliseconds. */
function timesOf(input: VerifyInput): readonly number[] {
  const seconds = stampsOf(input).filter((text) => text.length <= 11);
  return seconds.map((text) => Number(text) * 1000);
}

function hasMilliseconds(input: VerifyInput): boolean {
  return stampsOf(input).some((text) => text.length === 13);
}

function stampsOf({ headers }: VerifyInput): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const stamp = name.includes('timestamp') ? /^\d{9,14}$/.exec(value)?.[0] : /(?:^|[,;\s])ts?=(\d{9,14})(?:$|[,;\s])/.exec(value)?.[1];
    return stamp === undefined ? [] : [stamp];
  });
}

function causeOf(provider: Provider, input: VerifyInput, found: { readonly header: string }): Cause {
  return expectedHeader(provider, input) === found.header ? 'hash' : 'header_name';
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((one, index) => findings.findIndex((other) => other.cause === one.cause) === index);
}
