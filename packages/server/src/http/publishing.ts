import { JsonNumber, isJsonObject, isList } from '@paybell/sdk';
import type { JsonObject, JsonValue } from '@paybell/sdk';
import { didYouMean } from '../config/nearest.ts';
import type { Publish } from '../engine/faces.ts';
import { Problem } from './problems.ts';
import type { FieldError } from './problems.ts';
import { BATCH_FIELDS, BATCH_ITEM_FIELDS, PUBLISH_FIELDS } from './schema/events.ts';
import { readTime } from './time.ts';
import { sentence } from './validate.ts';

/*
 * Reads published events by hand: a batch is on the measured path, and its numbers must keep their text, which general validators
 * do not know. The schemas in schema/events.ts say the same for OpenAPI; a test holds the two together.
 */

export const MAX_EVENT_BYTES = 262_144;
export const MAX_BATCH_BYTES = 8_388_608;
export const MAX_BATCH_EVENTS = 1_000;
const MAX_KEY = 255;
const MAX_ERRORS = 20;

export interface PublishCall {
  readonly merchant: string | undefined;
  readonly items: readonly Publish[];
}

type Draft = { -readonly [Name in keyof Publish]: Publish[Name] };

/** One event and its Idempotency-Key. Throws `invalid_body`. */
export function readPublish(body: JsonValue, key: string | undefined): PublishCall {
  const errors: FieldError[] = [];
  const item = readItem(body, { path: '', known: PUBLISH_FIELDS, errors });
  const merchant = isJsonObject(body) ? readMerchant(body, errors) : undefined;
  const idempotencyKey = readKey(key, 'Idempotency-Key', errors);
  refuse(errors);
  return { merchant, items: [idempotencyKey === undefined ? item! : { ...item!, idempotencyKey }] };
}

/** A batch; its Idempotency-Key counts for every event by its place. Throws `invalid_body` or `payload_too_large`. */
export function readBatch(body: JsonValue, key: string | undefined): PublishCall {
  const errors: FieldError[] = [];
  if (!isJsonObject(body)) throw invalid([{ path: '', message: 'must be an object with "events".' }]);
  refuseUnknown(body, { path: '', known: BATCH_FIELDS, errors });
  const list = body['events'];
  if (list === undefined || !isList(list)) errors.push({ path: 'events', message: 'must be a list of events.' });
  else if (list.length === 0 || list.length > MAX_BATCH_EVENTS)
    errors.push({ path: 'events', message: `must have 1 to ${MAX_BATCH_EVENTS} events.` });
  const batchKey = readKey(key, 'Idempotency-Key', errors);
  const merchant = readMerchant(body, errors);
  refuse(errors);
  const items = (list as readonly JsonValue[]).map((value, index) => {
    const path = `events.${index}`;
    const item = readItem(value, { path, known: BATCH_ITEM_FIELDS, errors });
    if (item === null) return null;
    const own = (value as JsonObject)['idempotencyKey'];
    const idempotencyKey =
      own === undefined ? (batchKey === undefined ? undefined : `${batchKey}/${index}`) : readKey(own, `${path}.idempotencyKey`, errors);
    if (idempotencyKey !== undefined) item.idempotencyKey = idempotencyKey;
    if (sizeLeft(item.data, MAX_EVENT_BYTES) < 0)
      throw new Problem('payload_too_large', `${path} has more than ${MAX_EVENT_BYTES} bytes; nothing was published.`);
    return item;
  });
  refuse(errors);
  return { merchant, items: items as Publish[] };
}

interface Place {
  readonly path: string;
  readonly known: readonly string[];
  readonly errors: FieldError[];
}

function readItem(value: JsonValue, place: Place): Draft | null {
  const { path, errors } = place;
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  if (!isJsonObject(value)) {
    errors.push({ path, message: 'must be an object with "type" and "data".' });
    return null;
  }
  const before = errors.length;
  refuseUnknown(value, place);
  const { type, data, url, occurredAt, provider } = value;
  if (typeof type !== 'string' || type === '' || type.length > 200)
    errors.push({ path: at('type'), message: 'must be a text of 1 to 200 characters.' });
  if (!isJsonObject(data)) errors.push({ path: at('data'), message: 'must be an object.' });
  if (url !== undefined && (typeof url !== 'string' || url.length > 2_048))
    errors.push({ path: at('url'), message: 'must be a URL of at most 2048 characters.' });
  if (provider !== undefined && typeof provider !== 'string')
    errors.push({ path: at('provider'), message: 'must be the id of a provider.' });
  const time = typeof occurredAt === 'string' ? readTime(occurredAt) : null;
  if (occurredAt !== undefined && time === null)
    errors.push({ path: at('occurredAt'), message: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z.' });
  if (errors.length !== before) return null;
  const item: Draft = { type: type as string, data: data as JsonObject };
  if (url !== undefined) item.url = url as string;
  if (time !== null) item.occurredAt = time;
  if (provider !== undefined) item.provider = provider as string;
  return item;
}

function refuseUnknown(value: JsonObject, { path, known, errors }: Place): void {
  for (const name in value) {
    if (known.includes(name)) continue;
    const shown = name.slice(0, 64);
    errors.push({ path: path === '' ? shown : `${path}.${shown}`, message: `is not known.${didYouMean(shown, known)}` });
    if (errors.length >= MAX_ERRORS) return;
  }
}

function readMerchant(body: JsonObject, errors: FieldError[]): string | undefined {
  const merchant = body['merchant'];
  if (merchant === undefined) return undefined;
  if (typeof merchant === 'string' && merchant !== '' && merchant.length <= 100) return merchant;
  errors.push({ path: 'merchant', message: 'must be the id of a merchant.' });
  return undefined;
}

function readKey(key: JsonValue | undefined, path: string, errors: FieldError[]): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key === 'string' && key !== '' && key.length <= MAX_KEY) return key;
  errors.push({ path, message: `must be a text of 1 to ${MAX_KEY} characters.` });
  return undefined;
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(errors.slice(0, MAX_ERRORS));
}

const invalid = (errors: readonly FieldError[]): Problem => new Problem('invalid_body', sentence(errors), { errors });

/** What is left of `limit` after the JSON of a value, about; below zero: too large. Stops as soon as it is. */
function sizeLeft(value: JsonValue, limit: number): number {
  if (typeof value === 'string') return limit - value.length - 2;
  if (value instanceof JsonNumber) return limit - value.text.length;
  if (value === null || typeof value !== 'object') return limit - 5;
  let left = limit - 2;
  if (isList(value)) {
    for (const item of value) if ((left = sizeLeft(item, left - 1)) < 0) break;
    return left;
  }
  for (const name in value) if ((left = sizeLeft(value[name]!, left - name.length - 4)) < 0) break;
  return left;
}
