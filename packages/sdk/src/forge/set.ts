import { isJsonObject, JsonNumber, jsonObject, toJson } from '../json.ts';
import type { JsonValue } from '../json.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Sets one member of an event's data by its dotted path, with or without `data.` before it. A text becomes a number or a truth value
 * where one stood before; everywhere else it stays text.
 */
export function setPath(data: JsonValue, path: string, value: unknown): JsonValue {
  const parts = path.split('.');
  while (parts.length > 1 && (parts[0] === 'data' || parts[0] === 'object') && !hasBranch(data, parts[0])) parts.shift();
  if (parts.some((part) => part === '')) throw new RangeError(`"${path}" is no path such as "amount" or "customer.name".`);
  return put(data, parts, toJson(value));
}

function put(target: JsonValue | undefined, [key = '', ...rest]: readonly string[], value: JsonValue): JsonValue {
  const object = target !== undefined && isJsonObject(target) ? target : jsonObject();
  const member = rest.length > 0 ? put(object[key], rest, value) : alike(object[key], value);
  return jsonObject({ ...object, [key]: member });
}

function alike(before: JsonValue | undefined, value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  if (before instanceof JsonNumber && NUMBER.test(value)) return new JsonNumber(value);
  return typeof before === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value;
}

function hasBranch(data: JsonValue, key: string): boolean {
  const member = isJsonObject(data) ? data[key] : undefined;
  return member !== undefined && isJsonObject(member);
}
