import { parseJson, toJson } from '@paybell/sdk';
import type { JsonValue } from '@paybell/sdk';
import { HIDDEN, isSecretHeader } from '../engine/deliver/masking.ts';
import type { Endpoint, EndpointNow, EndpointSigning, Source } from '../engine/faces.ts';
import type * as store from '../storage/contract.ts';
import type { Attempt, DeliveryRow } from './schema/deliveries.ts';
import type { EndpointRow } from './schema/endpoints.ts';
import type { EventRow } from './schema/events.ts';
import type { RequestDetail, RequestRow } from './schema/requests.ts';
import type { ResendRow } from './schema/resends.ts';
import type { SourceRow } from './schema/sources.ts';
import { maybeTime, rfc3339 } from './time.ts';

// How rows look from outside: times as text, bytes as text, secrets hidden.

type HeaderMap = Record<string, string | string[]>;

const hide = (name: string, value: string): string => (isSecretHeader(name, value) ? HIDDEN : value);

function headerMap(pairs: readonly (readonly [string, string])[]): HeaderMap {
  const map = Object.create(null) as HeaderMap;
  for (const [raw, clear] of pairs) {
    const name = raw.toLowerCase();
    const value = hide(name, clear);
    const before = map[name];
    map[name] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value];
  }
  return map;
}

const pairsOf = (text: string): [string, string][] => JSON.parse(text) as [string, string][];

/** From JSON text of an object of headers. */
function headersOf(text: string | null): HeaderMap {
  if (text === null) return {};
  const entries = Object.entries(JSON.parse(text) as Record<string, string | string[]>);
  return headerMap(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : value.map((one) => [name, one] as const))),
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text where they are UTF-8, else as base64. */
export function bodyText(bytes: Uint8Array): { readonly body: string; readonly encoding: 'utf-8' | 'base64' } {
  try {
    return { body: utf8.decode(bytes), encoding: 'utf-8' };
  } catch {
    return { body: Buffer.from(bytes).toString('base64'), encoding: 'base64' };
  }
}

export function presentSource(source: Source, origin: string): SourceRow {
  const { id, merchant, provider, name, active } = source;
  const ingestPath = `/in/${id}`;
  return {
    id,
    merchant,
    provider,
    name,
    ingestPath,
    ingestUrl: `${origin}${ingestPath}`,
    options: source.options as Record<string, unknown> | null,
    secrets: source.secrets.length,
    active,
    createdAt: rfc3339(source.createdAt),
  };
}

function presentHealth(tried: store.EndpointHealth | undefined, now: EndpointNow): EndpointRow['health'] {
  const total = (tried?.succeeded ?? 0) + (tried?.failed ?? 0);
  return {
    successRate: tried === undefined || total === 0 ? null : tried.succeeded / total,
    p50Ms: tried?.p50Ms ?? null,
    p95Ms: tried?.p95Ms ?? null,
    lastFailureAt: maybeTime(tried?.lastFailureAt ?? null),
    lastFailureCause: tried?.lastFailureCause ?? null,
    backlog: tried?.backlog ?? 0,
    breaker: now.breaker,
    limit: now.limit,
    nextProbeAt: maybeTime(now.probeAt),
    failingSince: maybeTime(now.failingSince),
  };
}

export interface PresentedEndpoint {
  readonly endpoint: Endpoint;
  readonly signing: EndpointSigning;
  /** Absent where it was made a moment ago. */
  readonly tried: store.EndpointHealth | undefined;
  readonly now: EndpointNow;
}

export function presentEndpoint({ endpoint, signing, tried, now }: PresentedEndpoint): EndpointRow {
  const { id, merchant, url, provider, content, active, disabledReason, disableAfter, timeout, maxInFlight, ordered } = endpoint;
  return {
    id,
    merchant,
    url,
    provider,
    events: [...endpoint.events],
    customEvents: endpoint.customEvents,
    content,
    active,
    disabledReason,
    pause: endpoint.pause === null ? null : { since: rfc3339(endpoint.pause.since), until: maybeTime(endpoint.pause.until) },
    disableAfter,
    retry: endpoint.retry as EndpointRow['retry'],
    timeout,
    maxInFlight,
    ordered,
    orderedWait: endpoint.orderedWait,
    skipStale: endpoint.skipStale,
    headers: Object.fromEntries(Object.entries(endpoint.headers).map(([name, value]) => [name, hide(name, value)])),
    signing: signing.signing,
    publicKey: signing.publicKey,
    options: endpoint.options as Record<string, unknown> | null,
    createdAt: rfc3339(endpoint.createdAt),
    health: presentHealth(tried, now),
  };
}

export function presentRequest(row: store.RequestRow): RequestRow {
  const { id, merchant, source, provider, verdict, reason, size, sha256, duplicates } = row;
  return {
    id,
    merchant,
    source,
    provider,
    receivedAt: rfc3339(row.receivedAt),
    verdict,
    reason,
    diagnosis: row.diagnosis === null ? null : (JSON.parse(row.diagnosis) as RequestRow['diagnosis']),
    size,
    sha256,
    headers: headerMap(pairsOf(row.headers)),
    duplicates,
    expiredAt: maybeTime(row.expiredAt),
  };
}

export function presentRequestDetail(row: store.RequestRow): RequestDetail {
  return { ...presentRequest(row), rawHeaders: pairsOf(row.headers).map(([name, value]) => [name, hide(name.toLowerCase(), value)]) };
}

/** `data` keeps the text of its numbers: `JsonNumber` inside. */
export function presentEvent(row: store.EventRow, data: JsonValue): EventRow {
  const { id, merchant, provider, source, request, type, transaction, state, note, duplicates, variants } = row;
  return {
    id,
    merchant,
    provider,
    source,
    request,
    type,
    transaction,
    occurredAt: maybeTime(row.occurredAt),
    recordedAt: rfc3339(row.recordedAt),
    state,
    note,
    duplicates,
    variants,
    expiredAt: maybeTime(row.expiredAt),
    data,
  };
}

export function presentDelivery(row: store.DeliveryRow): DeliveryRow {
  const { id, merchant, event, eventType, endpoint, transaction, format, status, attemptCount, statusCode, cause } = row;
  return {
    id,
    merchant,
    event,
    eventType,
    endpoint,
    transaction,
    format,
    status,
    attemptCount,
    statusCode,
    cause,
    nextAttemptAt: maybeTime(row.nextAttemptAt),
    createdAt: rfc3339(row.createdAt),
    finishedAt: maybeTime(row.finishedAt),
  };
}

/** `sent`: the body of the call, the same for every attempt of a delivery. */
export function presentAttempt(row: store.AttemptRow, sent: Uint8Array | null): Attempt {
  const { n, durationMs, outcome, cause, statusCode, truncated } = row;
  const expiredAt = row.expiredAt ?? null;
  const answered = expiredAt === null && (statusCode !== null || row.responseHeaders !== null || row.responseBody !== null);
  return {
    n,
    startedAt: rfc3339(row.startedAt),
    durationMs,
    outcome,
    cause,
    statusCode,
    timings: row.timings === null ? null : (toJson(parseJson(row.timings)) as Record<string, unknown>),
    request: { headers: headersOf(row.requestHeaders), ...(sent === null ? { body: null, encoding: 'utf-8' } : bodyText(sent)) },
    response: answered ? { headers: headersOf(row.responseHeaders), ...bodyText(row.responseBody ?? new Uint8Array()), truncated } : null,
    expiredAt: maybeTime(expiredAt),
  };
}

export function presentResend({ filter, cursor: _cursor, ...row }: store.ResendRow): ResendRow {
  const { since, until, types, ...rest } = filter;
  const { made, pending, failed } = row;
  return {
    ...row,
    ...rest,
    types: types === null ? null : [...types],
    since: rfc3339(since),
    until: rfc3339(until),
    succeeded: made - pending - failed,
    createdAt: rfc3339(row.createdAt),
    finishedAt: maybeTime(row.finishedAt),
  };
}
