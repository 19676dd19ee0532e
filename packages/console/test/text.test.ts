import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { readDiagnosis } from '../src/pages/requests/findings.ts';
import { curlCommand } from '../src/ui/commands.ts';
import { headerPairs } from '../src/ui/headers.ts';
import { pretty } from '../src/ui/pretty.ts';

test('pretty keeps every digit, every key and every string as written', () => {
  const text = '{"a":1000.10,"a":90071992547409931,"s":"x\\u0041, {y}: \\"z\\"","e":[],"o":{},"n":[1,null]}';
  assert.equal(
    pretty(text),
    [
      '{',
      '  "a": 1000.10,',
      '  "a": 90071992547409931,',
      '  "s": "x\\u0041, {y}: \\"z\\"",',
      '  "e": [],',
      '  "o": {},',
      '  "n": [',
      '    1,',
      '    null',
      '  ]',
      '}',
    ].join('\n'),
  );
  assert.equal(pretty('no json, {'), 'no json, {');
});

test('a copied cURL command gives the shell the very bytes, whatever is in them', () => {
  const body = `it's $HOME \`id\` "\\n"\n{"amount":1000.10}\n`;
  const command = curlCommand({
    url: 'http://127.0.0.1:1/in/src_1',
    headers: [
      ['x-signature', "a'b"],
      ['content-length', '9'],
      ['Host', 'evil'],
    ],
    body,
  });
  const seen = execFileSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${command}`])
    .toString()
    .split('\0');
  assert.deepEqual(seen.slice(0, -1), ['-X', 'POST', 'http://127.0.0.1:1/in/src_1', '-H', "x-signature: a'b", '--data-binary', body]);
});

test('headers read the same from pairs and from an object', () => {
  assert.deepEqual(
    headerPairs([
      ['a', '1'],
      ['a', '2'],
    ]),
    headerPairs({ a: ['1', '2'] }),
  );
  assert.deepEqual(headerPairs(null), []);
});

test('a diagnosis of any shape is read without a fault', () => {
  const finding = { cause: 'x', sentence: 'A.', fix: 'B.', certain: true };
  assert.deepEqual(readDiagnosis({ detail: 'D.', findings: [finding, null, 'x', { sentence: 1 }] }), { detail: 'D.', findings: [finding] });
  for (const odd of [null, 'text', 7, [], { findings: 'x' }]) assert.deepEqual(readDiagnosis(odd).findings, []);
});
