import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAmbiguous, JsonError, JsonNumber, parseJson, stringifyJson, toJson } from '@paybell/sdk';
import type { JsonValue } from '@paybell/sdk';

function lower(value: JsonValue): unknown {
  return JSON.parse(stringifyJson(value));
}

function refusal(text: string | Uint8Array): JsonError {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof JsonError, `threw ${String(error)}`);
    return error;
  }
  return assert.fail(`accepted ${String(text)}`);
}

test('every JSON text means the same as to JSON.parse', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 12 }), (text) => {
      assert.deepEqual(lower(parseJson(text)), JSON.parse(text));
      assert.deepEqual(lower(parseJson(Buffer.from(text))), JSON.parse(text));
    }),
  );
});

test('accepts exactly the texts that JSON.parse accepts', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '0',
    '1',
    '-',
    '.',
    'e',
    '+',
    'true',
    'null',
    'fals',
    ' ',
    '\t',
    '\n',
    '\\u0041',
    '\\',
    '\u0001',
    'é',
    '\u00a0',
    '\ufeff',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (source) => {
      if (source.startsWith('\ufeff')) return;
      let expected: unknown;
      let valid = true;
      try {
        expected = JSON.parse(source);
      } catch {
        valid = false;
      }
      if (valid) assert.deepEqual(lower(parseJson(source)), expected);
      else assert.equal(refusal(source).code, 'invalid_json');
    }),
    { numRuns: 3000 },
  );
});

test('numbers keep the text they were written with', () => {
  for (const text of ['9007199254740993', '1.00', '1e400', '-0', '1E+2', '0.1000', '123456789012345678901234567890']) {
    const value = parseJson(`[${text}]`);
    assert.equal(((value as readonly JsonValue[])[0] as JsonNumber).text, text);
    assert.equal(stringifyJson(value), `[${text}]`);
  }
});

test('hostile keys are data', () => {
  const value = parseJson(
    '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"toString":1,"hasOwnProperty":2}',
  ) as Record<string, JsonValue>;
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString', 'hasOwnProperty']);
  assert.equal(({} as { admin?: unknown }).admin, undefined);
  assert.equal(parseJson('{}') instanceof Object, false);
  assert.equal((parseJson('{}') as Record<string, JsonValue>)['toString'], undefined);
  assert.equal(stringifyJson(toJson(JSON.parse('{"__proto__":1}'))), '{"__proto__":1}');
});

test('a key that comes twice is noticed at any depth, and the last value wins', () => {
  assert.equal(isAmbiguous(parseJson('{"a":{"b":1,"c":2,"b":3}}')), true);
  assert.equal(isAmbiguous(parseJson('[{"a":null,"\\u0061":1}]')), true);
  assert.equal(isAmbiguous(parseJson('{"a":{"b":1},"b":2}')), false);
  assert.equal(stringifyJson(parseJson('{"a":1,"a":2}')), '{"a":2}');
});

test('depth is bounded before anything is built', () => {
  assert.equal(refusal('['.repeat(1_000_000)).code, 'too_deep');
  assert.equal(refusal('{"a":'.repeat(1_000_000)).code, 'too_deep');
  assert.ok(parseJson('['.repeat(64) + ']'.repeat(64)));
  assert.equal(refusal('['.repeat(65) + ']'.repeat(65)).code, 'too_deep');
});

test('bytes must be UTF-8; one byte order mark before the text is skipped', () => {
  assert.equal(refusal(Uint8Array.of(0x22, 0xff, 0x22)).code, 'invalid_utf8');
  assert.equal(refusal(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)).code, 'invalid_utf8');
  assert.equal(stringifyJson(parseJson(Buffer.from('\ufeff{"a":1}'))), '{"a":1}');
  assert.equal(stringifyJson(parseJson('\ufeff{"a":1}')), '{"a":1}');
  assert.equal(refusal(Buffer.from('\ufeff\ufeff{}')).code, 'invalid_json');
});

test('errors name the place', () => {
  assert.equal(refusal('{"a":1,}').position, 7);
  assert.match(refusal('{"a":tru}').message, /position 5/);
  assert.match(refusal('{"a":1').message, /at the end/);
  assert.match(refusal('').message, /at the end/);
  assert.match(refusal('"\\x"').message, /escape/);
  assert.match(refusal('"a\nb"').message, /control character/);
});

test('plain data is lifted exactly, or not at all', () => {
  assert.equal(
    stringifyJson(toJson({ a: 12345678901234567890n, b: 1.5, c: undefined, d: [null, true, 'x'] })),
    '{"a":12345678901234567890,"b":1.5,"d":[null,true,"x"]}',
  );
  for (const bad of [NaN, Infinity, () => 1, Symbol('x')]) assert.throws(() => toJson([bad]), TypeError);
});
