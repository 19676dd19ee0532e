import { jsonObject, stringifyJson } from '@paybell/sdk';
import type { JsonValue } from '@paybell/sdk';
import type { Arrival, EventWithBody, Lease, LeasedDelivery, NewDelivery, NewEvent, Recorded } from '../storage/contract.ts';
import { dataOf } from './accept/data.ts';
import type { ReadEvent } from './accept/read.ts';
import { orderedWaitMs } from './deliver/compose.ts';
import type { OwedLease } from './deliver/leases.ts';
import type { Deliver } from './deliver.ts';
import { providerOf } from './directory/rules.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, Observe } from './faces.ts';
import type { IdPrefix } from './ids.ts';
import { deliveryRow, requestRow } from './record/rows.ts';

export interface RouterParts {
  readonly directory: InnerDirectory;
  readonly deliver: Deliver;
  readonly observe: Observe;
  readonly newId: (prefix: IdPrefix) => string;
}

/** Decides where events go before the commit, and sends them on their way after it. */
export interface Router {
  /** The event with a delivery for each endpoint that selects it; leased where it can be sent at once. */
  route(read: ReadEvent, now: number, alsoTo?: Endpoint | null): NewEvent;
  /** One more delivery of an event, for resending. */
  deliveryTo(endpoint: Endpoint, event: Routed, lease: Lease | null): NewDelivery;
  recorded(arrival: Arrival, recorded: Recorded): void;
  /** The commit did not happen: what was reserved is free again. */
  dropped(arrival: Arrival): void;
  /** The commit failed, and may stand all the same: what was leased with it is given back. */
  unsure(arrival: Arrival): void;
}

export interface Routed {
  readonly id: string;
  readonly type: string;
  readonly data: JsonValue;
  readonly occurredAt: number;
  readonly request: string | null;
  readonly transaction: string | null;
  /** Bodies made so far, by format: endpoints of one format share one. */
  readonly bodies: Map<string, Uint8Array>;
}

/** An event of the log, as what is delivered of it. */
export function routedOf(found: EventWithBody): Routed {
  const { id, type, occurredAt, recordedAt, request, transaction } = found.event;
  return { id, type, data: dataOf(found), occurredAt: occurredAt ?? recordedAt, request, transaction, bodies: new Map() };
}

const NO_BYTES = new Uint8Array(0);

export function createRouter({ directory, deliver, observe, newId }: RouterParts): Router {
  function deliveryTo(endpoint: Endpoint, event: Routed, lease: Lease | null): NewDelivery {
    const how = { lease, ...(endpoint.ordered ? { orderedWait: orderedWaitMs(endpoint) } : {}) };
    // What an event does not have (a published one a request, an unmapped one a transaction) it cannot send: then it goes in the endpoint's format.
    if (endpoint.content === 'transaction' && event.transaction !== null)
      return { id: newId('dlv'), endpoint: endpoint.id, format: 'transaction', body: null, ...how };
    if (endpoint.content === 'request' && event.request !== null)
      return { id: newId('dlv'), endpoint: endpoint.id, format: 'request', body: null, ...how };
    // Options may shape a body, so an endpoint that has some shares none.
    const format = endpoint.options === null ? `provider:${endpoint.provider}` : `provider:${endpoint.provider}:${endpoint.id}`;
    let body = event.bodies.get(format);
    if (body === undefined) {
      body = bodyFor(endpoint, event);
      event.bodies.set(format, body);
    }
    return { id: newId('dlv'), endpoint: endpoint.id, format, body, ...how };
  }

  function jobs(arrival: Arrival, recorded: Recorded): LeasedDelivery[] {
    const mine: LeasedDelivery[] = [];
    for (const [index, event] of arrival.events.entries()) {
      const line = recorded.events[index];
      if (line === undefined || line.outcome !== 'stored') {
        for (const delivery of event.deliveries) deliver.unreserve(delivery);
        continue;
      }
      for (const delivery of event.deliveries) {
        const made = line.bodies?.[delivery.id];
        const body = delivery.body ?? (made === undefined ? (arrival.request?.body ?? NO_BYTES) : Buffer.from(made));
        const job: LeasedDelivery = {
          id: delivery.id,
          merchant: event.merchant,
          endpoint: delivery.endpoint,
          event: event.id,
          eventType: event.type,
          transaction: event.transaction,
          format: delivery.format,
          body,
          requestHeaders: arrival.request?.headers ?? null,
          attempt: delivery.lease === null ? 0 : 1,
          failures: 0,
          leasedAt: event.recordedAt,
          leaseUntil: delivery.lease?.until ?? 0,
          turn: 0,
          createdAt: event.recordedAt,
        };
        observe.emit('delivery', deliveryRow(job, { nextAttemptAt: event.recordedAt }));
        if (delivery.lease === null) deliver.wake(delivery.endpoint, 0, event.recordedAt);
        else mine.push(job);
      }
    }
    return mine;
  }

  return {
    deliveryTo,
    route({ event, data, body }, now, alsoTo = null) {
      const endpoints = directory.subscribers(event.merchant, event.type);
      if (endpoints.length === 0 && alsoTo === null) return event;
      const { id, type, request, transaction } = event;
      const routed: Routed = { id, type, data, occurredAt: event.occurredAt ?? event.recordedAt, request, transaction, bodies: new Map() };
      if (body !== undefined) routed.bodies.set(`provider:${event.provider}`, body);
      const all = alsoTo === null ? endpoints : [...endpoints, alsoTo];
      return { ...event, deliveries: all.map((endpoint) => deliveryTo(endpoint, routed, deliver.reserve(endpoint, now))) };
    },
    recorded(arrival, recorded) {
      deliver.take(jobs(arrival, recorded));
      for (const json of recorded.transactions) observe.emit('transaction', { merchant: arrival.events[0]?.merchant ?? 'default', json });
      if (arrival.request !== null) observe.emit('request', requestRow(arrival.request, recorded));
    },
    dropped(arrival) {
      for (const event of arrival.events) for (const delivery of event.deliveries) deliver.unreserve(delivery);
    },
    unsure: ({ events }) => deliver.owe(events.flatMap(({ deliveries, recordedAt }) => reserved(deliveries, recordedAt))),
  };
}

/** The leases with which deliveries are recorded at that time. */
export function reserved(deliveries: readonly NewDelivery[], leasedAt: number): OwedLease[] {
  return deliveries.flatMap(({ id, lease }) => (lease === null ? [] : [{ id, attempt: 1, leasedAt, leaseUntil: lease.until }]));
}

/** The event in the endpoint's format; where that format cannot hold it, as plain JSON, because it must arrive. */
function bodyFor(endpoint: Endpoint, { id, type, data, occurredAt }: Routed): Uint8Array {
  try {
    return providerOf(endpoint.provider).envelope({ id, type, data, occurredAt }, endpoint.options ?? undefined);
  } catch {
    return Buffer.from(stringifyJson(jsonObject({ type, data })));
  }
}
