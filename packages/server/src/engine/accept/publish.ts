import { hash } from 'node:crypto';
import { jsonObject, parseJson, stringifyJson } from '@paybell/sdk';
import type { Fact, JsonValue, Provider } from '@paybell/sdk';
import type { NewEvent } from '../../storage/contract.ts';
import { providerOf } from '../directory/rules.ts';
import type { Publish } from '../faces.ts';
import type { IdPrefix } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import { touching } from './read.ts';
import type { ReadEvent } from './read.ts';

const TYPE = /^[A-Za-z0-9_:-]+(\.[A-Za-z0-9_:-]+)*$/;
const LONGEST_TYPE = 128;
const LONGEST_KEY = 255;

export interface Publishing {
  readonly item: Publish;
  readonly merchant: string;
  /** Whose vocabulary it is in where the caller does not say. */
  readonly format: string;
  readonly now: number;
  readonly newId: (prefix: IdPrefix) => string;
}

/** One published event, read for the ledger in the vocabulary of its provider. Throws a Refusal for what cannot be an event. */
export function publishedEvent({ item, merchant, format, now, newId }: Publishing): ReadEvent {
  const { type, data, idempotencyKey } = item;
  if (type.length > LONGEST_TYPE || !TYPE.test(type)) {
    throw new Refusal(
      'invalid_event_type',
      `"type" is words of letters, digits, "_", ":" or "-" joined by dots, ${LONGEST_TYPE} characters at most.`,
    );
  }
  if (idempotencyKey !== undefined && (idempotencyKey === '' || idempotencyKey.length > LONGEST_KEY)) {
    throw new Refusal('idempotency_conflict', `Idempotency-Key is 1 to ${LONGEST_KEY} characters.`);
  }
  const provider = providerOf(item.provider ?? format);
  const id = newId('evt');
  const text = stringifyJson(data);
  const { fact, body } = readBack(provider, { id, type, data, occurredAt: item.occurredAt ?? now });
  const event: NewEvent = {
    id,
    merchant,
    provider: provider.id,
    source: null,
    request: null,
    item: 0,
    type,
    dedupeKey: idempotencyKey === undefined ? id : `key:${idempotencyKey}`,
    digest:
      idempotencyKey === undefined
        ? ''
        : hash('sha256', `${type}\n${item.url ?? ''}\n${item.occurredAt ?? ''}\n${item.provider ?? ''}\n${text}`),
    sequence: fact?.sequence ?? null,
    // The time it was published decides the order where nobody says when it happened.
    occurredAt: item.occurredAt ?? now,
    recordedAt: now,
    ...touching(merchant, provider.id, fact?.movement ?? null),
    // Free words are welcome where nobody claimed to speak a provider's language.
    ...(item.provider === undefined && !fact?.movement ? { state: 'recorded' as const } : {}),
    note: fact?.unmapped ?? null,
    data: text,
    deliveries: [],
  };
  return { event, data, ...(body === null ? {} : { body }) };
}

interface Outgoing {
  readonly id: string;
  readonly type: string;
  readonly data: JsonValue;
  readonly occurredAt: number;
}

/** What the event would say to a receiver of that provider's webhooks. */
function readBack(provider: Provider, outgoing: Outgoing): { fact: Fact | null; body: Uint8Array | null } {
  const { type, data } = outgoing;
  try {
    // The `paybell` envelope is these fields as they are: no need to write and read it.
    const body = provider.id === 'paybell' ? null : provider.envelope(outgoing);
    const value = body === null ? jsonObject({ type, data }) : parseJson(body);
    return { fact: provider.read(value, { digest: outgoing.id, headers: {} })[0] ?? null, body };
  } catch {
    return { fact: null, body: null };
  }
}
