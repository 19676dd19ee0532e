import { isJsonObject, isList, JsonNumber, jsonObject } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';

const EMPTY: JsonObject = jsonObject();
const MAX_ID = 200;
const MAX_TEXT = 500;
const CONTROL = /[\u0000-\u001f\u007f]/;
const CONTROLS = /[\u0000-\u001f\u007f]+/g;

/** The member as an object; an empty one where it is none. */
export function objectAt(value: JsonValue | undefined, key: string): JsonObject {
  return asObject(memberAt(value, key) ?? null);
}

/** The value itself as an object; an empty one where it is none. */
export function asObject(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : EMPTY;
}

export function listAt(value: JsonValue | undefined, key: string): readonly JsonValue[] {
  const member = memberAt(value, key);
  return member !== undefined && isList(member) ? member : [];
}

export function memberAt(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[key] : undefined;
}

/** The first of the members that is a text for people, control characters made spaces, cut at 500 characters. */
export function textAt(value: JsonValue | undefined, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const member = memberAt(value, key);
    if (typeof member !== 'string' || member === '') continue;
    const text = CONTROL.test(member) ? member.replace(CONTROLS, ' ') : member;
    return (text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text).toWellFormed();
  }
  return undefined;
}

/**
 * The first of the members that can serve as an identity: a text of at most 200 characters without control characters, or a number as it
 * was written. Anything else is no identity: cutting it could make two transactions one.
 */
export function idAt(value: JsonValue | undefined, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const member = memberAt(value, key);
    const text = member instanceof JsonNumber ? member.text : member;
    if (typeof text === 'string' && text !== '' && text.length <= MAX_ID && !CONTROL.test(text) && text.isWellFormed()) return text;
  }
  return undefined;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;
const UNIX = /^\d{9,14}$/;
const YEAR_2100 = 4_102_444_800_000;

/** A time as milliseconds since 1970: RFC 3339 with its zone, Unix seconds, or Unix milliseconds; null for all else. */
export function timeAt(value: JsonValue | undefined, ...keys: readonly string[]): number | null {
  for (const key of keys) {
    const member = memberAt(value, key);
    const text = member instanceof JsonNumber ? member.text : member;
    if (typeof text !== 'string') continue;
    const time = UNIX.test(text)
      ? Number(text) * (text.length < 12 ? 1000 : 1)
      : RFC3339.test(text)
        ? Date.parse(text.replace(' ', 'T'))
        : NaN;
    if (time >= 0 && time < YEAR_2100) return time;
  }
  return null;
}

/** RFC 3339 in UTC, without milliseconds where there are none. */
export function timeText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/** A phone number as `+` and digits where it has a country code, else as it was written. */
export function phoneAt(value: JsonValue | undefined, ...keys: readonly string[]): string | undefined {
  const phone = idAt(value, ...keys);
  return phone !== undefined && /^[1-9]\d{10,14}$/.test(phone) ? `+${phone}` : phone;
}
