import { createHash } from 'node:crypto';
import { forge, normalHeaders, parseJson, providers } from '@paybell/sdk';
import type { Fact, ForgeInput, Provider, SignedRequest, VerifyInput } from '@paybell/sdk';

/** 2026-11-22T09:00:00Z */
export const NOW = Date.UTC(2026, 10, 22, 9);

/** A secret in the provider's own form. */
export function secretFor(provider: Provider, word = 'one'): string {
  return provider.makeSecret(createHash('sha256').update(word).digest());
}

export function forged(provider: Provider, type: string, more: Partial<ForgeInput> = {}): SignedRequest {
  return forge({ provider, type, id: 'evt_1', now: NOW, secret: secretFor(provider), series: null, ...more });
}

export function inputOf(provider: Provider, request: SignedRequest, more: Partial<VerifyInput> = {}): VerifyInput {
  const options = provider.exampleOptions;
  return {
    body: request.body,
    headers: normalHeaders(request.headers),
    secrets: [secretFor(provider)],
    now: NOW,
    ...(options && { options }),
    ...more,
  };
}

export function readAll(provider: Provider, request: SignedRequest): readonly Fact[] {
  const options = provider.exampleOptions;
  return provider.read(parseJson(request.body), { digest: 'digest', headers: normalHeaders(request.headers), ...(options && { options }) });
}

/** Every provider with every event of it. */
export function everyEvent(): readonly { readonly provider: Provider; readonly type: string }[] {
  return providers.flatMap((provider) => Object.keys(provider.events).map((type) => ({ provider, type })));
}

export function provider(id: string): Provider {
  const found = providers.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no provider ${id}`);
  return found;
}
