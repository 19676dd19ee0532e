import type { AddedDelivery, EventWithBody } from '../storage/contract.ts';
import type { Deliver } from './deliver.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, Engine, Observe } from './faces.ts';
import type { Clock, Storage } from './ports.ts';
import { deliveryRow } from './record/rows.ts';
import { Refusal } from './refusal.ts';
import { reserved, routedOf } from './route.ts';
import type { Router } from './route.ts';

export interface ResendParts {
  readonly storage: Storage;
  readonly directory: InnerDirectory;
  readonly deliver: Deliver;
  readonly router: Router;
  readonly observe: Observe;
  readonly clock: Clock;
}

const expired = (sentence: string): Refusal =>
  new Refusal('expired', `${sentence} Look at its transaction, which is kept, or ask the provider to send it anew.`);

/** New deliveries for events that are in the log. The event keeps its id, so that a receiver can tell a repeat. */
export function createResend(parts: ResendParts): Pick<Engine, 'resendEvent' | 'retryDelivery'> {
  const { storage, directory, deliver, router, observe, clock } = parts;

  function endpointsFor({ event }: EventWithBody, endpoint: string | undefined): readonly Endpoint[] {
    return endpoint === undefined ? directory.subscribers(event.merchant, event.type) : [directory.endpoint(event.merchant, endpoint)];
  }

  /** `forced`: a person wants this one sent, whatever was delivered since. */
  async function add(found: EventWithBody, endpoints: readonly Endpoint[], forced = false): Promise<string[]> {
    const { event } = found;
    const now = clock.now();
    const { id, type, transaction } = event;
    const routed = routedOf(found);
    const added = endpoints.map((endpoint): AddedDelivery => ({
      ...router.deliveryTo(endpoint, routed, deliver.reserve(endpoint, now)),
      event: event.id,
      forced,
      createdAt: now,
    }));
    try {
      deliver.take(await storage.addDeliveries(added));
    } catch (error) {
      for (const delivery of added) deliver.unreserve(delivery);
      deliver.owe(reserved(added, now));
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
      if (found.expiredAt !== null) throw expired('The body of this delivery expired, so it cannot be sent again.');
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
      if (found.event.expiredAt !== null) throw expired('The content of this event expired, so it cannot be sent again.');
      const endpoints = endpointsFor(found, endpoint);
      if (endpoints.length === 0) throw new Refusal('conflict', 'No active endpoint selects this event. Name one with "endpoint".');
      return { deliveries: await add(found, endpoints, true) };
    },
  };
}
