import type { EventWithBody, Resendable, ResendFilter } from '../../storage/contract.ts';
import { matches } from '../directory/matching.ts';
import type { InnerDirectory } from '../directory.ts';
import type { Endpoint } from '../faces.ts';
import type { Storage } from '../ports.ts';

export interface Target {
  readonly found: EventWithBody;
  readonly endpoints: readonly Endpoint[];
}

export interface Part {
  readonly merchant: string;
  readonly filter: ResendFilter;
  readonly cursor: string | null;
  readonly limit: number;
  readonly bodies: boolean;
}

/**
 * The next events of a resend, each with the endpoints it goes to: where they stand as asked, or, where that was not asked or none was made, the
 * one that was named or all that select it now. A named endpoint may be paused: then what is made for it waits.
 */
export async function nextTargets(
  { storage, directory }: { readonly storage: Storage; readonly directory: InnerDirectory },
  part: Part,
): Promise<{ readonly targets: readonly Target[]; readonly cursor: string | null }> {
  const { merchant, filter } = part;
  const named = filter.endpoint === null ? null : (directory.endpointById(filter.endpoint) ?? null);
  const endpointsFor = ({ found: { event }, endpoint }: Resendable): readonly Endpoint[] => {
    if (filter.types !== null && !matches(filter.types, event.type)) return [];
    if (endpoint !== null) {
      const stands = directory.endpointById(endpoint);
      return stands !== undefined && (stands.active || named !== null) ? [stands] : [];
    }
    if (named !== null) return matches(named.events, event.type) ? [named] : [];
    return directory.subscribers(merchant, event.type);
  };
  const { rows, cursor } = await storage.findResendable(part);
  const targets = rows
    .map((row): Target => ({ found: row.found, endpoints: endpointsFor(row) }))
    .filter(({ endpoints }) => endpoints.length > 0);
  return { targets, cursor };
}

const COUNTED_AT_ONCE = 1_000;

/** How much a resend would send now. */
export async function countTargets(
  parts: { readonly storage: Storage; readonly directory: InnerDirectory },
  what: { readonly merchant: string; readonly filter: ResendFilter },
): Promise<{ events: number; deliveries: number }> {
  const events = new Set<string>();
  let deliveries = 0;
  let cursor: string | null = null;
  do {
    const part = await nextTargets(parts, { ...what, cursor, limit: COUNTED_AT_ONCE, bodies: false });
    for (const { found, endpoints } of part.targets) {
      events.add(found.event.id);
      deliveries += endpoints.length;
    }
    cursor = part.cursor;
  } while (cursor !== null);
  return { events: events.size, deliveries };
}
