import type { AddedDelivery, EventWithBody } from '../storage/contract.ts';
import { dataOf } from './accept/data.ts';
import type { Deliver } from './deliver.ts';
import { matches } from './directory/matching.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, Engine, Observe, Resend } from './faces.ts';
import type { Clock, Storage } from './ports.ts';
import { deliveryRow } from './record/rows.ts';
import { Refusal } from './refusal.ts';
import type { Router } from './route.ts';

const PAGE = 200;
/** One call resends at most so many events; ask again with a later `since` for more. */
const MOST_EVENTS = 100_000;

export interface ResendParts {
  readonly storage: Storage;
  readonly directory: InnerDirectory;
  readonly deliver: Deliver;
  readonly router: Router;
  readonly observe: Observe;
  readonly clock: Clock;
}

/** New deliveries for events that are in the log. The event keeps its id, so that a receiver can tell a repeat. */
export function createResend(parts: ResendParts): Pick<Engine, 'resendEvent' | 'resendMany' | 'retryDelivery'> {
  const { storage, directory, deliver, router, observe, clock } = parts;

  function endpointsFor({ event }: EventWithBody, endpoint: string | undefined): readonly Endpoint[] {
    return endpoint === undefined ? directory.subscribers(event.merchant, event.type) : [directory.endpoint(event.merchant, endpoint)];
  }

  /** Where one of many goes: asked for failed ones, the endpoints that got the event rightly are left in peace. */
  async function wanting({ event }: EventWithBody, to: Endpoint | null, status: Resend['status']): Promise<readonly Endpoint[]> {
    if (to !== null) return status !== undefined || matches(to.events, event.type) ? [to] : [];
    if (status === undefined) return directory.subscribers(event.merchant, event.type);
    const { rows } = await storage.listDeliveries({ merchant: event.merchant, event: event.id, status, limit: PAGE, cursor: null });
    const ids = new Set(rows.map(({ endpoint }) => endpoint));
    return [...ids].flatMap((id) => directory.endpointById(id) ?? []).filter(({ active }) => active);
  }

  /** `forced`: a person wants this one sent, whatever was delivered since. */
  async function add(found: EventWithBody, endpoints: readonly Endpoint[], forced = false): Promise<string[]> {
    const { event } = found;
    const now = clock.now();
    const { id, type, request, transaction } = event;
    const routed = {
      id,
      type,
      data: dataOf(found),
      occurredAt: event.occurredAt ?? event.recordedAt,
      request,
      transaction,
      bodies: new Map(),
    };
    const added = endpoints.map((endpoint): AddedDelivery => ({
      ...router.deliveryTo(endpoint, routed, now),
      event: event.id,
      turn: 0,
      forced,
      createdAt: now,
    }));
    try {
      deliver.take(await storage.addDeliveries(added));
    } catch (error) {
      for (const delivery of added) deliver.unreserve(delivery);
      throw error;
    }
    for (const { id: made, endpoint, format, lease } of added) {
      const job = { id: made, merchant: event.merchant, event: id, eventType: type, endpoint, transaction, format };
      observe.emit('delivery', deliveryRow({ ...job, attempt: lease === null ? 0 : 1, createdAt: now }, { nextAttemptAt: now }));
      if (lease === null) deliver.wake(endpoint, 0, now);
    }
    return added.map(({ id }) => id);
  }

  return {
    async retryDelivery(merchant, id) {
      const found = await storage.getDelivery({ merchant, id });
      if (found === null) throw new Refusal('not_found', 'There is no delivery with this id.');
      if (directory.endpointById(found.delivery.endpoint) === undefined)
        throw new Refusal('conflict', 'The endpoint of this delivery was deleted. Resend the event to another one.');
      const now = clock.now();
      const row = (await storage.retryDelivery({ merchant, id, now })) ?? found.delivery;
      observe.emit('delivery', row);
      deliver.wake(row.endpoint, 0, now);
      return row;
    },
    async resendEvent(merchant, id, endpoint) {
      const found = await storage.getEvent({ merchant, id });
      if (found === null) throw new Refusal('not_found', 'There is no event with this id.');
      const endpoints = endpointsFor(found, endpoint);
      if (endpoints.length === 0) throw new Refusal('conflict', 'No active endpoint selects this event. Name one with "endpoint".');
      return { deliveries: await add(found, endpoints, true) };
    },
    async resendMany({ merchant, since, until, endpoint, status, dryRun = false }: Resend) {
      const to = endpoint === undefined ? null : directory.endpoint(merchant, endpoint);
      // Without a status an endpoint gets all that it selects, also from before it was made.
      const filter = status === undefined ? {} : { status, ...(to === null ? {} : { endpoint: to.id }) };
      const end = Math.min(until ?? Infinity, clock.now());
      const sum = { events: 0, deliveries: 0 };
      let cursor: string | null = null;
      do {
        const page = await storage.listEvents({
          merchant: to?.merchant ?? merchant,
          limit: PAGE,
          cursor,
          since,
          until: end,
          oldestFirst: true,
          ...filter,
        });
        for (const found of page.rows) {
          const endpoints = await wanting(found, to, status);
          if (endpoints.length === 0) continue;
          sum.events += 1;
          sum.deliveries += endpoints.length;
          if (!dryRun) await add(found, endpoints);
        }
        cursor = page.nextCursor;
      } while (cursor !== null && sum.events < MOST_EVENTS);
      return { ...sum, dryRun };
    },
  };
}
