import type { KeyPairForm, Provider } from '@paybell/sdk';
import type { RandomBytes } from '../ports.ts';
import { Refusal } from '../refusal.ts';
import { checkSecret } from './rules.ts';
import type { SecretEntry } from './secrets.ts';

/** How an endpoint signs where its provider has a choice (Standard Webhooks): shared secret, key pair, or both in one header. */
export type Signing = 'v1' | 'v1a' | 'both';

type Form = 'v1' | 'v1a';

const FORMS: Readonly<Record<Signing, readonly Form[]>> = { v1: ['v1'], v1a: ['v1a'], both: ['v1', 'v1a'] };

function formOf(provider: Provider, secret: string): Form {
  return (provider.keyPair?.publicKeyOf(secret) ?? null) === null ? 'v1' : 'v1a';
}

/** How these secrets sign; null where the provider has no choice. */
export function signingOf(provider: Provider, secrets: readonly string[]): Signing | null {
  if (provider.keyPair === undefined) return null;
  const forms = new Set(secrets.map((secret) => formOf(provider, secret)));
  return forms.size > 1 ? 'both' : ([...forms][0] ?? 'v1');
}

/** What a receiver checks with: never the secret half of a key pair. */
export function receiverSecrets(provider: Provider, secrets: readonly string[]): readonly string[] {
  return secrets.map((secret) => provider.keyPair?.publicKeyOf(secret) ?? secret);
}

/** The public key that a receiver may check with, where there is a key pair. */
export function publicKeyOf(provider: Provider, secrets: readonly string[]): string | null {
  return secrets.map((secret) => provider.keyPair?.publicKeyOf(secret) ?? null).find((key) => key !== null) ?? null;
}

interface Asked {
  readonly signing?: Signing | undefined;
  readonly secret?: string | undefined;
}

/** The secrets of a new endpoint: the one that was given, and fresh ones in the forms that it lacks. */
export function firstSecrets(provider: Provider, { signing, secret }: Asked, random: RandomBytes): SecretEntry[] {
  if (secret !== undefined) checkSigningSecret(provider, secret);
  const given = secret === undefined ? null : formOf(provider, secret);
  const forms = formsOf(provider, signing ?? given ?? 'v1');
  if (given !== null && !forms.includes(given))
    throw new Refusal('invalid_secret', `This secret signs "${given}", and "signing" is "${signing ?? ''}".`);
  return forms.map((form) => ({ text: form === given && secret !== undefined ? secret : fresh(provider, form, random), until: null }));
}

/** The secrets after a change of `signing`: what signs otherwise is gone at once, what is missing is made. */
export function changedSecrets(
  provider: Provider,
  { entries, signing }: { readonly entries: readonly SecretEntry[]; readonly signing: Signing },
  random: RandomBytes,
): SecretEntry[] {
  const forms = formsOf(provider, signing);
  const kept = entries.filter(({ text }) => forms.includes(formOf(provider, text)));
  const missing = forms.filter((form) => kept.every(({ text }) => formOf(provider, text) !== form));
  return [...kept, ...missing.map((form) => ({ text: fresh(provider, form, random), until: null }))];
}

/** Refuses secrets that another provider cannot use as they are meant. */
export function checkMovable(from: Provider, to: Provider, entries: readonly SecretEntry[]): void {
  if (to.keyPair === undefined && entries.some(({ text }) => formOf(from, text) === 'v1a'))
    throw new Refusal('invalid_secret', `${to.name} knows no key pairs, and this endpoint signs with one. Set "signing" to "v1" first.`);
  for (const { text } of entries) checkSecret(to, text);
}

export interface Turn {
  readonly provider: Provider;
  /** Those in use, newest first. */
  readonly entries: readonly SecretEntry[];
  /** Set instead of making fresh ones. */
  readonly secret: string | undefined;
}

/** The secrets that take over: the one that was given, or a fresh one in each form that the endpoint signs in. */
export function nextSecrets({ provider, entries, secret }: Turn, random: RandomBytes): readonly string[] {
  const forms = new Set(entries.map(({ text }) => formOf(provider, text)));
  if (secret === undefined) return [...forms].sort().map((form) => fresh(provider, form, random));
  checkSigningSecret(provider, secret);
  if (!forms.has(formOf(provider, secret)))
    throw new Refusal('invalid_secret', `This secret signs "${formOf(provider, secret)}", and the endpoint does not. Set "signing" first.`);
  if (entries.some(({ text }) => text === secret)) throw new Refusal('invalid_secret', 'The endpoint signs with this secret already.');
  return [secret];
}

/** Puts the next secrets first; those that they take over from end at `endsAt`, those of another form stay. */
export function turned(
  provider: Provider,
  { entries, next, endsAt }: { entries: readonly SecretEntry[]; next: readonly string[]; endsAt: number },
) {
  const forms = new Set(next.map((text) => formOf(provider, text)));
  const others = entries.map(({ text, until }) =>
    forms.has(formOf(provider, text)) ? { text, until: until === null ? endsAt : Math.min(until, endsAt) } : { text, until },
  );
  return [...next.map((text): SecretEntry => ({ text, until: null })), ...others];
}

function formsOf(provider: Provider, signing: Signing): readonly Form[] {
  if (provider.keyPair === undefined && signing !== 'v1')
    throw new Refusal('invalid_options', `${provider.name} signs in one way only. Leave "signing" out.`);
  return FORMS[signing];
}

function fresh(provider: Provider, form: Form, random: RandomBytes): string {
  const maker: Pick<KeyPairForm, 'makeSecret'> = form === 'v1a' && provider.keyPair !== undefined ? provider.keyPair : provider;
  return maker.makeSecret(random(32));
}

function checkSigningSecret(provider: Provider, secret: string): void {
  checkSecret(provider, secret);
  if (provider.keyPair?.publicKeyOf(secret) === secret)
    throw new Refusal('invalid_secret', 'This is a public key, which cannot sign. Give the secret key, "whsk_...", or leave "secret" out.');
}
