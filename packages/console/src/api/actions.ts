import { call } from './client.ts';
import { queryClient } from './queries.ts';
import type {
  Attempt,
  EndpointRow,
  EndpointSecrets,
  EndpointWithSecret,
  ResendRow,
  ResentMany,
  Reverified,
  Rotated,
  SourceRow,
} from './types.ts';

const one = (path: string, id: string): string => `${path}/${encodeURIComponent(id)}`;

/** Sends an event again to whoever is subscribed to it, or to one endpoint. */
export async function resendEvent(id: string, endpoint?: string): Promise<string> {
  const answer = await call<{ deliveries?: unknown } | undefined>(`${one('/v1/events', id)}/resend`, {
    method: 'POST',
    body: endpoint === undefined ? {} : { endpoint },
  });
  const count = Array.isArray(answer?.deliveries)
    ? answer.deliveries.length
    : typeof answer?.deliveries === 'number'
      ? answer.deliveries
      : null;
  if (count === 0) return 'No endpoint is subscribed to it';
  return count === null ? 'Sent again' : `${count} new ${count === 1 ? 'delivery' : 'deliveries'}`;
}

export async function retryDelivery(id: string): Promise<string> {
  await call(`${one('/v1/deliveries', id)}/retry`, { method: 'POST' });
  void queryClient.invalidateQueries({ queryKey: ['delivery', 'one', id] });
  return 'Due now';
}

/** What is to be sent again, as the API takes it. */
export interface ResendWish {
  readonly since: string;
  readonly endpoint?: string;
  readonly status?: 'failed' | 'missing';
  readonly perSecond?: number;
}

export async function countResend(wish: ResendWish): Promise<{ readonly events: number; readonly deliveries: number }> {
  const { events, deliveries } = await call<ResentMany>('/v1/events/resend', { method: 'POST', body: { ...wish, dryRun: true } });
  return { events, deliveries };
}

/** Answers with null where in the meantime nothing is left to send. */
export async function beginResend(wish: ResendWish): Promise<ResendRow | null> {
  const { resend } = await call<ResentMany>('/v1/events/resend', { method: 'POST', body: wish });
  for (const changed of ['resends', 'missed']) void queryClient.invalidateQueries({ queryKey: [changed] });
  return resend;
}

export async function cancelResend(id: string): Promise<string> {
  const row = await call<ResendRow>(`${one('/v1/resends', id)}/cancel`, { method: 'POST', body: {} });
  queryClient.setQueryData(['resend', id], row);
  return 'Canceled';
}

export async function createEndpoint(body: Readonly<Record<string, unknown>>): Promise<EndpointWithSecret> {
  const created = await call<EndpointWithSecret>('/v1/endpoints', { method: 'POST', body });
  await queryClient.invalidateQueries({ queryKey: ['endpoints'] });
  return created;
}

export async function changeEndpoint(id: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  await call(one('/v1/endpoints', id), { method: 'PATCH', body });
  await queryClient.invalidateQueries({ queryKey: ['endpoints'] });
}

export async function setEndpointActive(id: string, active: boolean): Promise<void> {
  const row = await call<Partial<EndpointRow> | undefined>(one('/v1/endpoints', id), { method: 'PATCH', body: { active } });
  const changed = (old: EndpointRow): EndpointRow => ({ ...old, ...row, active, health: row?.health ?? old.health });
  queryClient.setQueryData<readonly EndpointRow[]>(['endpoints'], (rows) => rows?.map((old) => (old.id === id ? changed(old) : old)));
  queryClient.setQueryData<EndpointRow>(['endpoints', id], (old) => (old === undefined ? old : changed(old)));
}

export async function deleteEndpoint(id: string): Promise<void> {
  await call(one('/v1/endpoints', id), { method: 'DELETE' });
  await queryClient.invalidateQueries({ queryKey: ['endpoints'] });
}

export const revealSecrets = (id: string): Promise<EndpointSecrets> => call(`${one('/v1/endpoints', id)}/secret`);

/** Puts a fresh secret, or the one that is given, in the place of the current one, which signs too until the overlap ends. */
export async function rotateSecret(id: string, turn: { readonly overlap: string; readonly secret?: string }): Promise<Rotated> {
  const rotated = await call<Rotated>(`${one('/v1/endpoints', id)}/rotate-secret`, { method: 'POST', body: turn });
  await queryClient.invalidateQueries({ queryKey: ['endpoints'] });
  return rotated;
}

/** Sends a signed test event now. */
export async function testEndpoint(id: string): Promise<Attempt> {
  return call<Attempt>(`${one('/v1/endpoints', id)}/test`, { method: 'POST', body: {} });
}

export async function createSource(body: Readonly<Record<string, unknown>>): Promise<SourceRow> {
  const created = await call<SourceRow>('/v1/sources', { method: 'POST', body });
  await queryClient.invalidateQueries({ queryKey: ['sources'] });
  return created;
}

export async function deleteSource(id: string): Promise<void> {
  await call(one('/v1/sources', id), { method: 'DELETE' });
  await queryClient.invalidateQueries({ queryKey: ['sources'] });
}

/** Judges the quarantined requests of a source again. */
export async function reverifySource(id: string): Promise<string> {
  const { checked, accepted } = await call<Reverified>(`${one('/v1/sources', id)}/reverify`, { method: 'POST' });
  void queryClient.invalidateQueries({ queryKey: ['request'] });
  return checked === 0 ? 'Nothing in quarantine' : `${accepted} of ${checked} accepted now`;
}
