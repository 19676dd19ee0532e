import { diagnose, normalHeaders, verify } from '@paybell/sdk';
import { EXIT, UsageError } from './command.ts';
import type { Command, Flags } from './command.ts';
import { readBytes, readOptions, readProvider, readSecret } from './input.ts';
import { plain } from './table.ts';

export const verifyCommand: Command = {
  about: 'Checks the signature of a webhook and, where it does not match, says why.',
  arguments: [],
  flags: {
    provider: { value: 'PROVIDER', help: 'Who sent it.' },
    secret: { value: 'SECRET', many: true, help: 'As the provider shows it; @FILE reads it from a file.' },
    body: { value: '@FILE', help: 'The exact bytes of the body: @FILE, @- for standard input, or the text itself.' },
    header: { value: "'NAME: VALUE'", many: true, help: 'A header as it came.' },
    url: { value: 'URL', help: 'The address it was sent to, for providers that sign it.' },
    options: { value: 'JSON', help: "The provider's own options." },
    at: { value: 'TIME', help: 'When it arrived, RFC 3339; now unless said.' },
    json: { help: 'The verdict and each finding as one JSON object.' },
  },
  examples: ["paybell verify --provider serixpay --secret s3cret --body @webhook.json --header 'X-SerixPay-Signature: 5f2a...'"],
  async run({ flags }, io) {
    const provider = readProvider(required(flags, 'provider'));
    const options = readOptions(flags);
    const wrong = options === null ? null : (provider.checkOptions?.(options) ?? null);
    if (wrong !== null) throw new UsageError(`--options: ${wrong}`);
    const secrets = flags.many('secret').map(readSecret);
    if (secrets.length === 0) throw new UsageError('--secret is missing.');
    const url = flags.one('url');
    const input = {
      body: await readBytes(required(flags, 'body'), io),
      headers: normalHeaders(readHeaders(flags.many('header'))),
      now: readTime(flags.one('at')),
      ...(url === undefined ? {} : { url }),
      ...(options === null ? {} : { options }),
    };
    const verdict = verify(provider, { ...input, secret: secrets });
    const findings = verdict.ok ? [] : diagnose(provider, { ...input, secrets });
    if (flags.has('json')) {
      const { ok } = verdict;
      io.print(
        JSON.stringify(
          ok
            ? { ok, authenticity: verdict.authenticity, secretIndex: verdict.secretIndex }
            : { ok, reason: verdict.reason, detail: verdict.detail, findings },
        ),
      );
    } else if (verdict.ok) {
      io.print(
        `ok: ${provider.name} sent this (${verdict.authenticity}${secrets.length > 1 ? `, secret number ${verdict.secretIndex + 1}` : ''}).`,
      );
    } else {
      io.print(`${verdict.reason}: ${plain(verdict.detail)}`);
      for (const { sentence, fix, certain } of findings) io.print(`  ${certain ? 'Cause' : 'Maybe'}: ${plain(sentence)} ${plain(fix)}`);
    }
    return verdict.ok ? EXIT.ok.code : EXIT.failed.code;
  },
};

function required(flags: Flags, name: string): string {
  const value = flags.one(name);
  if (value === undefined) throw new UsageError(`--${name} is missing.`);
  return value;
}

/** A header given twice stays twice: that is one of the faults to find. */
function readHeaders(lines: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+):[ \t]*([\s\S]*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') throw new UsageError(`--header must be 'NAME: VALUE', not '${plain(line)}'.`);
    (headers[name.toLowerCase()] ??= []).push(value);
  }
  return headers;
}

function readTime(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--at must be a time such as 2026-01-31T12:00:00Z, not "${plain(text)}".`);
  return time;
}
