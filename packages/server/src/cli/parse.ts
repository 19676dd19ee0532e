import { didYouMean } from '../config/nearest.ts';
import { Flags, UsageError } from './command.ts';
import type { Argument, Call, Flag, FlagTable } from './command.ts';

/** Splits what stands after the command's name into arguments and flags; `--flag value` and `--flag=value` are one. Throws UsageError. */
export function parseCall(words: readonly string[], command: { readonly arguments: readonly Argument[]; readonly flags: FlagTable }): Call {
  const args: string[] = [];
  const values = new Map<string, string[]>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') {
      args.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      continue;
    }
    const { name, flag, inline } = readFlag(word, command.flags);
    const value = flag.value === undefined ? alone(name, inline) : (inline ?? words[(at += 1)]);
    if (value === undefined || (inline === undefined && flag.value !== undefined && value.startsWith('--'))) {
      throw new UsageError(`--${name} needs a value: --${name} ${flag.value}.`);
    }
    const before = values.get(name) ?? [];
    if (before.length > 0 && flag.many === undefined) throw new UsageError(`--${name} is given twice.`);
    values.set(name, [...before, value]);
  }
  checkArguments(args, command.arguments);
  return { args, flags: new Flags(values) };
}

function readFlag(word: string, flags: FlagTable): { readonly name: string; readonly flag: Flag; readonly inline: string | undefined } {
  const [, name = '', inline] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
  const flag = word.startsWith('--') && Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag !== undefined) return { name, flag, inline };
  throw new UsageError(
    `There is no flag ${word.split('=')[0]}.${didYouMean(
      `--${name}`,
      Object.keys(flags).map((known) => `--${known}`),
    )}`,
  );
}

function alone(name: string, inline: string | undefined): string {
  if (inline !== undefined) throw new UsageError(`--${name} stands alone: leave out "=${inline}".`);
  return '';
}

function checkArguments(args: readonly string[], wanted: readonly Argument[]): void {
  const missing = wanted[args.length];
  if (missing !== undefined && missing.optional === undefined) throw new UsageError(`${missing.name} is missing: ${missing.help}`);
  const extra = args[wanted.length];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many.`);
}
