import { nearestName, providerById, providers } from '@paybell/sdk';
import type { JsonObject, Provider } from '@paybell/sdk';
import type { RetryPolicy } from '../../storage/contract.ts';
import { parseDuration } from '../deliver/durations.ts';
import { planRetries } from '../deliver/schedule.ts';
import { Refusal } from '../refusal.ts';

const LONGEST_TIMEOUT_MS = 60_000;
const LEAST_DISABLE_AFTER_MS = 60_000;
const MOST_IN_FLIGHT = 256;
const LONGEST_SECRET = 1024;

/** The provider of that id, or a refusal that names those there are. */
export function providerOf(id: string): Provider {
  const provider = providerById(id);
  if (provider === undefined) {
    const shown = id.slice(0, 64);
    const near = nearestName(
      shown,
      providers.map((one) => one.id),
    );
    const hint = near === null ? '' : ` Did you mean ${near}?`;
    throw new Refusal('unknown_provider', `There is no provider "${shown}".${hint} GET /v1/providers lists them all.`);
  }
  return provider;
}

export function checkSecret(provider: Provider, secret: string): void {
  if (secret === '') throw new Refusal('invalid_secret', 'The secret is empty. Copy it from the provider once more.');
  if (secret.length > LONGEST_SECRET) throw new Refusal('invalid_secret', `The secret is longer than ${LONGEST_SECRET} characters.`);
  const wrong = provider.checkSecret?.(secret) ?? null;
  if (wrong !== null) throw new Refusal('invalid_secret', wrong);
}

export function checkOptions(provider: Provider, options: JsonObject | undefined): void {
  if (options === undefined || Object.keys(options).length === 0) return;
  const wrong =
    provider.checkOptions === undefined ? `${provider.name} takes no options. Leave "options" out.` : provider.checkOptions(options);
  if (wrong !== null) throw new Refusal('invalid_options', wrong);
}

const LONGEST_WAIT_MS = 30 * 86_400_000;

export interface EndpointRules {
  readonly orderedWait: string | null;
  readonly retry: RetryPolicy | null;
  readonly timeout: string | null;
  readonly disableAfter: string | null;
  readonly maxInFlight: number;
}

/** Refuses what an endpoint must not have, with a sentence on what it may have. */
export function checkEndpoint({ orderedWait, retry, timeout, disableAfter, maxInFlight }: EndpointRules): void {
  if (retry !== null) {
    const plan = planRetries(retry);
    if (!plan.ok) throw new Refusal('invalid_retry', plan.problem);
  }
  if (timeout !== null) {
    const ms = parseDuration(timeout);
    if (ms === null || ms < 1000 || ms > LONGEST_TIMEOUT_MS)
      throw new Refusal('invalid_timeout', '"timeout" is a duration from "1s" to "60s".');
  }
  if (orderedWait !== null) {
    const ms = parseDuration(orderedWait);
    if (ms === null || ms < 1000 || ms > LONGEST_WAIT_MS)
      throw new Refusal('invalid_timeout', '"orderedWait" is a duration from "1s" to "30d".');
  }
  if (disableAfter !== null && disableAfter !== 'never' && (parseDuration(disableAfter) ?? 0) < LEAST_DISABLE_AFTER_MS)
    throw new Refusal('invalid_timeout', '"disableAfter" is a duration from "1m" to "366d", or "never".');
  if (!Number.isInteger(maxInFlight) || maxInFlight < 1 || maxInFlight > MOST_IN_FLIGHT) {
    throw new Refusal('invalid_options', `"maxInFlight" is a whole number from 1 to ${MOST_IN_FLIGHT}.`);
  }
}
