/** A JSON number that keeps the text it was written with, so that no digit is ever lost. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;
/** Has no prototype: `__proto__` and `constructor` are plain keys. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

type Fields = Record<string, JsonValue>;

// An object made by `Object.create(null)` starts in V8's slow dictionary mode; one made by a constructor whose
// prototype is empty has no inherited names either, and stays in fast mode.
const Bare = function Bare() {} as unknown as new () => Fields;
Bare.prototype = Object.create(null) as object;

/** An empty JSON object to be filled: no key of it can touch a prototype. */
export function jsonObject(entries: Readonly<Record<string, JsonValue | undefined>> = {}): Record<string, JsonValue> {
  const object = new Bare();
  for (const key of Object.keys(entries)) {
    const value = entries[key];
    if (value !== undefined) object[key] = value;
  }
  return object;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !(value instanceof JsonNumber) && !Array.isArray(value);
}

export type JsonErrorCode = 'invalid_utf8' | 'invalid_json' | 'too_deep';

/** Why a text is no JSON; `position` counts UTF-16 units from 0, and is -1 where the bytes are no UTF-8. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly code: JsonErrorCode;
  readonly position: number;
  constructor(code: JsonErrorCode, position: number, message: string) {
    super(message);
    this.code = code;
    this.position = position;
  }
}

export interface JsonLimits {
  /** Levels of arrays and objects; 64 unless told. */
  readonly depth?: number;
}

const DEPTH = 64;
const decoder = new TextDecoder('utf-8', { fatal: true });
const ambiguous = new WeakSet<object>();

/**
 * Reads JSON without losing anything: numbers keep their text, a repeated key is noticed (`isAmbiguous`; the last value wins, as
 * everywhere). One byte order mark before the text is skipped, as RFC 8259 allows. Throws JsonError.
 */
export function parseJson(source: Uint8Array | string, limits: JsonLimits = {}): JsonValue {
  const scanner = new Scanner(typeof source === 'string' ? source.replace(/^\ufeff/, '') : decode(source), limits.depth ?? DEPTH);
  const value = scanner.document();
  if (scanner.repeated && typeof value === 'object' && value !== null) ambiguous.add(value);
  return value;
}

/** True for a value that `parseJson` returned and in whose text some object had one key twice. */
export function isAmbiguous(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && ambiguous.has(value);
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new JsonError('invalid_utf8', -1, 'The body is not UTF-8 text.');
  }
}

class Scanner {
  readonly #text: string;
  readonly #depthLimit: number;
  #at = 0;
  #depth = 0;
  repeated = false;

  constructor(text: string, depthLimit: number) {
    this.#text = text;
    this.#depthLimit = depthLimit;
  }

  document(): JsonValue {
    const value = this.#value(this.#skipSpace());
    if (!Number.isNaN(this.#skipSpace())) throw this.#unexpected('more text after the end');
    return value;
  }

  /** The next character's code; NaN at the end. */
  #skipSpace(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = this.#text.charCodeAt(++this.#at);
    return code;
  }

  #value(code: number): JsonValue {
    if (code === 34) return this.#string();
    if (code === 123) return this.#object();
    if (code === 91) return this.#array();
    if (code === 45 || (code >= 48 && code <= 57)) return this.#number(code);
    if (code === 116) return this.#word('true', true);
    if (code === 102) return this.#word('false', false);
    if (code === 110) return this.#word('null', null);
    throw this.#unexpected('a value is expected');
  }

  #object(): JsonObject {
    const object = new Bare();
    this.#enter();
    if (this.#skipSpace() === 125) return this.#leave(object);
    for (;;) {
      if (this.#skipSpace() !== 34) throw this.#unexpected('a key in quotes is expected');
      const key = this.#string();
      if (this.#skipSpace() !== 58) throw this.#unexpected('":" is expected');
      this.#at++;
      if (object[key] !== undefined) this.repeated = true;
      object[key] = this.#value(this.#skipSpace());
      const next = this.#skipSpace();
      if (next === 125) return this.#leave(object);
      if (next !== 44) throw this.#unexpected('"," or "}" is expected');
      this.#at++;
    }
  }

  #array(): JsonValue[] {
    const list: JsonValue[] = [];
    this.#enter();
    if (this.#skipSpace() === 93) return this.#leave(list);
    for (;;) {
      list.push(this.#value(this.#skipSpace()));
      const next = this.#skipSpace();
      if (next === 93) return this.#leave(list);
      if (next !== 44) throw this.#unexpected('"," or "]" is expected');
      this.#at++;
    }
  }

  #enter(): void {
    if (++this.#depth > this.#depthLimit)
      throw new JsonError('too_deep', this.#at, `The JSON is nested deeper than ${this.#depthLimit} levels.`);
    this.#at++;
  }

  #leave<T>(value: T): T {
    this.#depth--;
    this.#at++;
    return value;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    let end = start;
    let escaped = false;
    for (;;) {
      const code = text.charCodeAt(end);
      if (code === 34) break;
      if (code === 92) {
        escaped = true;
        end++;
      } else if (!(code >= 32)) {
        this.#at = end;
        throw this.#unexpected('a string holds a control character or has no end');
      }
      end++;
    }
    this.#at = end + 1;
    return escaped ? this.#unescape(start, end) : text.slice(start, end);
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start - 1, end + 1)) as string;
    } catch {
      this.#at = start;
      throw this.#unexpected('a string holds an unknown escape');
    }
  }

  #number(first: number): JsonNumber {
    const text = this.#text;
    const start = this.#at;
    let code = first === 45 ? text.charCodeAt(++this.#at) : first;
    if (code === 48) code = text.charCodeAt(++this.#at);
    else code = this.#digits();
    if (code === 46) {
      this.#at++;
      code = this.#digits();
    }
    if (code === 101 || code === 69) {
      code = text.charCodeAt(++this.#at);
      if (code === 43 || code === 45) this.#at++;
      this.#digits();
    }
    return new JsonNumber(text.slice(start, this.#at));
  }

  #digits(): number {
    const start = this.#at;
    let code = this.#text.charCodeAt(start);
    while (code >= 48 && code <= 57) code = this.#text.charCodeAt(++this.#at);
    if (this.#at === start) throw this.#unexpected('a digit is expected');
    return code;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value is expected');
    this.#at += word.length;
    return value;
  }

  #unexpected(what: string): JsonError {
    const where = this.#at >= this.#text.length ? 'at the end' : `at position ${this.#at}`;
    return new JsonError('invalid_json', this.#at, `This is no JSON: ${what}, ${where}.`);
  }
}

/** Compact JSON; numbers are written with the text they came with. */
export function stringifyJson(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) return value.text;
  let text = '';
  if (isList(value)) {
    for (const item of value) text += (text === '' ? '' : ',') + stringifyJson(item);
    return `[${text}]`;
  }
  for (const key of Object.keys(value)) text += `${text === '' ? '' : ','}${quote(key)}:${stringifyJson(value[key] as JsonValue)}`;
  return `{${text}}`;
}

const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  // Most texts need no escape, and JSON.stringify is slow to find that out.
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Lifts plain JavaScript data to JSON; `undefined` members are left out. Throws TypeError for what JSON cannot say. */
export function toJson(plain: unknown): JsonValue {
  if (plain === null || typeof plain === 'boolean' || typeof plain === 'string' || plain instanceof JsonNumber) return plain;
  if (typeof plain === 'bigint') return new JsonNumber(plain.toString());
  if (typeof plain === 'number' && Number.isFinite(plain)) return new JsonNumber(String(plain));
  if (Array.isArray(plain)) return plain.map(toJson);
  if (typeof plain !== 'object') throw new TypeError(`JSON has no ${typeof plain === 'number' ? String(plain) : typeof plain}.`);
  const object = new Bare();
  for (const [key, member] of Object.entries(plain)) if (member !== undefined) object[key] = toJson(member);
  return object;
}

export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
