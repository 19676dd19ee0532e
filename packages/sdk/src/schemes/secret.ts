import type { Verdict } from '../provider.ts';

/** More signatures than this in one request are refused unread: each one costs a comparison. */
export const MAX_SIGNATURES = 16;

export function refuse(reason: Exclude<Verdict, { ok: true }>['reason'], detail: string): Verdict {
  return { ok: false, reason, detail };
}

/** The secrets as keys; an empty secret is none, since anybody can sign with it. */
export function keysOf<T>(secrets: readonly string[], toKey: (secret: string) => T | null): { readonly key: T; readonly index: number }[] {
  const keys: { key: T; index: number }[] = [];
  for (let index = 0; index < secrets.length; index++) {
    const secret = secrets[index] as string;
    const key = secret === '' ? null : toKey(secret);
    if (key !== null) keys.push({ key, index });
  }
  return keys;
}

export const NO_SECRET = refuse('not_configured', 'No usable secret is set: add the one that the provider shows for this webhook.');
export const NO_MATCH = refuse(
  'signature_mismatch',
  'The signature does not match: another secret, or another body than the one that was signed.',
);

/** The current secret, to sign with. Throws where there is none. */
export function currentSecret(secrets: readonly string[]): string {
  const secret = secrets[0];
  if (secret === undefined || secret === '') throw new Error('A secret is needed to sign.');
  return secret;
}
