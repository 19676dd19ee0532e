import { randomBytes } from 'node:crypto';
import { SCENARIOS, scenarioNames } from '@paybell/sdk';
import type { Provider, ScenarioName, Step } from '@paybell/sdk';
import { didYouMean } from '../config/nearest.ts';
import { SERVER_FLAGS } from './client.ts';
import { EXIT, UsageError } from './command.ts';
import type { Call, Command, Flags } from './command.ts';
import { readOptions, readProvider, readSecret } from './input.ts';
import { sendAll } from './trigger/send.ts';
import type { Line } from './trigger/send.ts';
import { storyOf } from './trigger/story.ts';
import { targetOf } from './trigger/target.ts';

export const trigger: Command = {
  about: 'Sends realistic signed webhooks as that provider would.',
  arguments: [
    { name: 'PROVIDER', help: 'Such as serixpay, makapay, paybell.' },
    { name: 'EVENT', optional: true, help: "One of the provider's events; may be left out with --scenario." },
  ],
  flags: {
    to: { value: 'URL', help: 'Where to send it, with --secret.' },
    secret: { value: 'SECRET', help: 'Signing secret as the provider shows it; @FILE reads it from a file.' },
    options: { value: 'JSON', help: "The provider's own options, with --to." },
    source: { value: 'SOURCE', help: 'A source of a running server, by id or name: its address, secret and options are used.' },
    set: { value: 'PATH=VALUE', many: true, help: 'Changes a member of the data: amount=250, customer.name=Amina.' },
    scenario: { value: 'NAME', help: `A whole story: ${SCENARIOS.join(', ')}.` },
    count: { value: 'N', help: 'So many payments, each with its own references; 1 unless said.' },
    rate: { value: 'N', help: 'So many webhooks per second; otherwise one after the other.' },
    json: { help: 'One JSON object per webhook.' },
    ...SERVER_FLAGS,
  },
  examples: [
    'paybell trigger serixpay payment.completed --to http://127.0.0.1:3000/webhooks --secret s3cret --set amount=250',
    'paybell trigger makapay --scenario late-success --source src_...',
  ],
  async run(call, io) {
    const { flags } = call;
    const provider = readProvider(call.args[0] ?? '');
    const plan = { provider, type: call.args[1] ?? null, scenario: readScenario(provider, flags) };
    const count = flags.count('count', { from: 1, to: 1_000_000, fallback: 1 });
    const rate = flags.has('rate') ? flags.count('rate', { from: 1, to: 10_000, fallback: 1 }) : null;
    const set = readChanges(flags);
    // Wrong names and paths are told before anything is sent.
    storyOf(plan, { set, series: 'check', start: 0 });
    const target = await targetOf(provider, { flags, io, secret: readSecretFlag(call), options: readOptions(flags) });
    const series = `${Date.now().toString(36)}${randomBytes(3).toString('hex')}`;
    const shots = function* (): Generator<Step> {
      for (let n = 0; n < count; n += 1) yield* storyOf(plan, { set, series: `${series}${n}`, start: Date.now() });
    };
    const { sent, wrong } = await sendAll({ provider, target, shots: shots(), rate }, (line) =>
      io.print(flags.has('json') ? JSON.stringify(line) : sentence(line)),
    );
    if (!flags.has('json') && sent > 1) io.note(`${sent} sent, ${wrong} not answered as they should be.`);
    return wrong === 0 ? EXIT.ok.code : EXIT.failed.code;
  },
};

function sentence(line: Line): string {
  const fault = line.fault === null ? '' : `  (${line.fault})`;
  return `${line.status}  ${line.type}  ${line.id}  ${line.ms} ms${fault}${line.ok ? '' : `  ${line.answer}`}`;
}

function readScenario(provider: Provider, flags: Flags): ScenarioName | null {
  const name = flags.one('scenario');
  if (name === undefined) return null;
  const known = SCENARIOS.find((one) => one === name);
  if (known === undefined)
    throw new UsageError(`There is no scenario "${name}".${didYouMean(name, SCENARIOS)} There are: ${scenarioNames(provider).join(', ')}.`);
  return known;
}

function readChanges(flags: Flags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.many('set').map((text) => {
      const [, path = '', value = ''] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
      if (path === '') throw new UsageError(`--set must be PATH=VALUE, not "${text}".`);
      return [path, value];
    }),
  );
}

function readSecretFlag({ flags }: Call): string | undefined {
  const text = flags.one('secret');
  return text === undefined ? undefined : readSecret(text);
}
