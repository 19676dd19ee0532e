/** The reader of answers: how the bytes are cut must not matter, and no bytes may hurt it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_KEPT_BYTES, ResponseReader } from '../../src/send/response.ts';

function read(chunks: readonly Buffer[]): object {
  const reader = new ResponseReader();
  for (const chunk of chunks) if (reader.feed(chunk) === 'over') break;
  const { status, fault, truncated, reusable, head } = reader;
  return { status, fault, truncated, reusable, headers: { ...head?.headers }, body: Buffer.from(reader.body).toString('latin1') };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)).filter((chunk) => chunk.length > 0);
}

const body = fc.string({ maxLength: 300 }).map((text) => Buffer.from(text));
const headerLines = fc.array(fc.tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[!-~]{0,20}$/)), { maxLength: 5 });
const interims = fc.array(fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), {
  maxLength: 3,
});

const answers = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }),
    lines: headerLines,
    interims,
    body,
    chunk: fc.integer({ min: 1, max: 100 }),
    chunked: fc.boolean(),
  })
  .filter(({ status }) => status !== 204 && status !== 304)
  .map(({ status, lines, interims: before, body: content, chunk, chunked }) => {
    const start = `${before.join('')}HTTP/1.1 ${status} Text\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
    const coded: Buffer[] = [];
    for (let at = 0; at < content.length; at += chunk) {
      const piece = content.subarray(at, at + chunk);
      coded.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    }
    const bytes = chunked
      ? Buffer.concat([Buffer.from(`${start}transfer-encoding: chunked\r\n\r\n`), ...coded, Buffer.from('0\r\n\r\n')])
      : Buffer.concat([Buffer.from(`${start}content-length: ${content.length}\r\n\r\n`), content]);
    return { status, content, bytes };
  });

test('an answer reads the same, however its bytes are cut', () => {
  fc.assert(
    fc.property(answers, fc.array(fc.nat(), { maxLength: 20 }), ({ status, content, bytes }, cuts) => {
      const whole = read([bytes]);
      assert.deepEqual(read(cutAt(bytes, cuts)), whole);
      assert.deepEqual(
        { ...whole, headers: null },
        { status, fault: null, truncated: false, reusable: true, headers: null, body: content.toString('latin1') },
      );
    }),
    { numRuns: 300 },
  );
});

test('no bytes make it throw, keep too much, or call a broken answer reusable', () => {
  const pieces = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.',
    '\r\n',
    '\n',
    '\r',
    ':',
    'a: b\r\n',
    'content-length: 3\r\n',
    'transfer-encoding: chunked\r\n',
    '3\r\nabc\r\n',
    '0\r\n',
    'ffffffff\r\n',
    '\0\0\x12\x04',
    'HTTP/1.1 100 C\r\n\r\n',
  );
  const soup = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(answers, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([{ bytes }, at, value]) => {
      const spoilt = Buffer.from(bytes);
      spoilt[at % spoilt.length] = value;
      return spoilt;
    }),
  );
  fc.assert(
    fc.property(soup, fc.array(fc.nat(), { maxLength: 8 }), (bytes, cuts) => {
      const reader = new ResponseReader();
      for (const chunk of bytes.length === 0 ? [] : cutAt(bytes, cuts)) if (reader.feed(chunk) === 'over') break;
      reader.end(true);
      assert.ok(reader.body.length <= MAX_KEPT_BYTES);
      if (reader.reusable) assert.ok(reader.head !== null && reader.fault === null);
      if (reader.fault === null && reader.head !== null) assert.ok(reader.head.status >= 200 && reader.head.status <= 599);
    }),
    { numRuns: 1_000 },
  );
});
