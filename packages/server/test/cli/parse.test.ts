import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../src/cli/command.ts';
import { parseCall } from '../../src/cli/parse.ts';

const command = {
  arguments: [
    { name: 'PROVIDER', help: 'one' },
    { name: 'EVENT', optional: true, help: 'two' },
  ],
  flags: { to: { value: 'URL', help: '' }, set: { value: 'PATH=VALUE', many: true, help: '' }, json: { help: '' } },
} as const;
const parse = (...words: string[]) => parseCall(words, command);

describe('a command line', () => {
  it('has arguments and flags in any order, with a space or "="', () => {
    const { args, flags } = parse('--to', 'http://a', 'mpesa', '--set=a.b=c=d', '--json', 'x', '--set', '-1');
    assert.deepEqual(args, ['mpesa', 'x']);
    assert.equal(flags.one('to'), 'http://a');
    assert.deepEqual(flags.many('set'), ['a.b=c=d', '-1']);
    assert.equal(flags.has('json'), true);
  });

  it('ends its flags at "--"', () => {
    assert.deepEqual(parse('--', '--json', '--to').args, ['--json', '--to']);
  });

  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['a', '--jsno'], /no flag --jsno\. Did you mean --json\?/],
    [['a', '-j'], /no flag -j/],
    [['a', '-to', 'x'], /no flag -to\. Did you mean --to\?/],
    [['a', '--to'], /--to needs a value: --to URL/],
    [['a', '--to', '--json'], /--to needs a value/],
    [['a', '--to', 'x', '--to', 'y'], /--to is given twice/],
    [['a', '--json=yes'], /--json stands alone/],
    [['a', '--__proto__'], /no flag --__proto__/],
    [['a', '--constructor=1'], /no flag --constructor/],
    [[], /PROVIDER is missing: one/],
    [['a', 'b', 'c'], /"c" is one word too many/],
  ];
  for (const [words, sentence] of refused) {
    it(`is refused: ${words.join(' ')}`, () => {
      assert.throws(
        () => parse(...words),
        (error) => error instanceof UsageError && sentence.test(error.message),
      );
    });
  }

  it('takes whole numbers within their bounds', () => {
    const { flags } = parseCall(['--n', '5', '--m', '5x'], {
      arguments: [],
      flags: { n: { value: 'N', help: '' }, m: { value: 'N', help: '' } },
    });
    const bounds = { from: 1, to: 5, fallback: 2 };
    assert.equal(flags.count('n', bounds), 5);
    assert.equal(flags.count('absent', bounds), 2);
    assert.throws(() => flags.count('m', bounds), /--m must be a whole number from 1 to 5/);
    assert.throws(() => flags.count('n', { ...bounds, to: 4 }), UsageError);
  });
});
