import { parseJson } from '@paybell/sdk';
import type { JsonValue } from '@paybell/sdk';
import type { EventWithBody } from '../../storage/contract.ts';
import { headersOf } from './headers.ts';
import { providerOf } from '../directory/rules.ts';

/** The data of an event: published ones hold it, of inbound ones it is read from the request's bytes again. */
export function dataOf({ event, body, headers }: EventWithBody): JsonValue {
  if (event.data !== null) return parseJson(event.data);
  if (body === null) return null;
  try {
    const pairs = JSON.parse(headers ?? '[]') as [string, string][];
    const facts = providerOf(event.provider).read(parseJson(body), { digest: event.dedupeKey, headers: headersOf(pairs) });
    return facts[event.item]?.data ?? null;
  } catch {
    return new TextDecoder().decode(body.subarray(0, 64 * 1024));
  }
}
