import { toJson } from '@paybell/sdk';
import type { LeasedDelivery } from '../storage/contract.ts';
import { compose } from './deliver/compose.ts';
import { attemptRow } from './deliver/outcome.ts';
import { matches } from './directory/matching.ts';
import { providerOf } from './directory/rules.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, Engine } from './faces.ts';
import type { IdPrefix } from './ids.ts';
import type { Clock, Send } from './ports.ts';
import { Refusal } from './refusal.ts';

export interface TestParts {
  readonly directory: InnerDirectory;
  readonly send: Send;
  readonly clock: Clock;
  readonly newId: (prefix: IdPrefix) => string;
}

/** Sends one signed example event to an endpoint and waits for the answer; leaves no trace in log or ledger. */
export function createTest({ directory, send, clock, newId }: TestParts): Pick<Engine, 'test' | 'ping'> {
  async function sendTo(endpoint: Endpoint, type: string | undefined): ReturnType<Engine['ping']> {
    const provider = providerOf(endpoint.provider);
    const types = Object.keys(provider.events);
    const name = type ?? types.find((one) => matches(endpoint.events, one)) ?? types[0] ?? 'test';
    const spec = Object.hasOwn(provider.events, name) ? provider.events[name] : undefined;
    if (spec === undefined)
      throw new Refusal(
        'invalid_event_type',
        `${provider.name} has no event "${name.slice(0, 64)}". It has: ${Object.keys(provider.events).join(', ')}.`,
      );
    const now = clock.now();
    const event = newId('evt');
    const body = provider.envelope({ id: event, type: name, data: toJson(spec.example), occurredAt: now }, endpoint.options ?? undefined);
    const job: LeasedDelivery = {
      id: newId('dlv'),
      merchant: endpoint.merchant,
      endpoint: endpoint.id,
      event,
      eventType: name,
      transaction: null,
      format: `provider:${provider.id}`,
      body,
      requestHeaders: null,
      attempt: 1,
      failures: 0,
      leasedAt: now,
      leaseUntil: now,
      turn: 0,
      createdAt: now,
    };
    const request = compose(job, endpoint, now);
    const result = await send(request);
    return { request, attempt: attemptRow({ job, request, result, startedAt: now }) };
  }
  return {
    test: async (merchant, id, type) => sendTo(directory.endpoint(merchant, id), type),
    ping: (endpoint) => sendTo(endpoint, undefined),
  };
}
