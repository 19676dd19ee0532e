import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';

/** The list of all commands. */
export async function helpOnAll(): Promise<string> {
  const rows = await Promise.all(Object.entries(COMMANDS).map(async ([words, load]) => [words, (await load()).about] as const));
  return [
    'paybell: the webhook platform for payments.',
    '',
    'Usage: paybell COMMAND [...]',
    '',
    ...columns(rows),
    '',
    'paybell COMMAND --help says more. --json prints one JSON object per line on stdout; all other words go to stderr.',
    `Exit codes: ${Object.values(EXIT)
      .map((exit) => `${exit.code} ${exit.means}`)
      .join('; ')}.`,
  ].join('\n');
}

export function helpOn(words: string, command: Command): string {
  const flags = Object.entries(command.flags).map(([name, flag]) => {
    return [
      `--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
      `${flag.help}${flag.many ? ' May be given several times.' : ''}`,
    ] as const;
  });
  return [
    command.about,
    '',
    `Usage: ${usage(words, command)}`,
    ...section(
      '',
      command.arguments.map((argument) => [argument.name, argument.help] as const),
    ),
    ...section('', flags),
    ...(command.examples === undefined ? [] : ['', ...command.examples.map((line) => `  ${line}`)]),
  ].join('\n');
}

function usage(words: string, command: Command): string {
  const args = command.arguments.map((argument) => (argument.optional ? `[${argument.name}]` : argument.name));
  return ['paybell', words, ...args, ...(Object.keys(command.flags).length > 0 ? ['[flags]'] : [])].join(' ');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length === 0 ? [] : [title, ...columns(rows)];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
}
