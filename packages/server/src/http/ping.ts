import type { Endpoint, Engine } from '../engine/faces.ts';
import { CAUSES } from '../engine/deliver/causes.ts';
import { Problem } from './problems.ts';
import { presentAttempt } from './rows.ts';
import type { Attempt } from './schema/deliveries.ts';

/** Tries an endpoint before it is saved, where that was asked for; a `Problem` with the attempt where it does not accept. */
export async function pinged(engine: Engine, endpoint: Endpoint, wanted: boolean | undefined): Promise<{ readonly ping?: Attempt }> {
  if (wanted !== true) return {};
  const { request, attempt } = await engine.ping(endpoint);
  const ping = presentAttempt(attempt, request.body);
  if (attempt.outcome === 'succeeded') return { ping };
  const { sentence, hint } = CAUSES[attempt.cause as keyof typeof CAUSES];
  const status = attempt.statusCode === null ? '' : ` (HTTP ${attempt.statusCode})`;
  throw new Problem('ping_failed', `Nothing was saved. ${sentence.replace(/\.$/, `${status}.`)} ${hint}`.trim(), { more: { ping } });
}
