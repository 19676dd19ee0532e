import { SettingsError } from '../config/load.ts';
import { didYouMean } from '../config/nearest.ts';
import { EXIT, Failure, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOn, helpOnAll } from './help.ts';
import { parseCall } from './parse.ts';
import { processIo } from './process-io.ts';

// A reader that goes away (`paybell tail | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok.code : EXIT.failed.code));
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const io = processIo();
  try {
    const [name, load] = find(words);
    if (load === null) {
      io.print(await helpOnAll());
      return EXIT.ok.code;
    }
    const command = await load();
    const rest = words.slice(name.split(' ').length);
    const asksForHelp = rest.slice(0, endOfFlags(rest)).some((word) => word === '--help' || word === '-h');
    if (asksForHelp) {
      io.print(helpOn(name, command));
      return EXIT.ok.code;
    }
    return await command.run(parseCall(rest, command), io);
  } catch (error) {
    return explain(error, io.note);
  }
}

function find(words: readonly string[]): readonly [string, (typeof COMMANDS)[string] | null] {
  const [first = '', second = ''] = words;
  if (first === '' || first === 'help' || first === '--help' || first === '-h') return ['', null];
  for (const name of [`${first} ${second}`, first]) {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (load !== undefined) return [name, load];
  }
  const names = Object.keys(COMMANDS);
  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0)
    throw new UsageError(`paybell ${first} goes on with one of: ${group.map((name) => name.slice(first.length + 1)).join(', ')}.`);
  throw new UsageError(`There is no command ${first}.${didYouMean(first, new Set(names.map((name) => name.split(' ')[0] ?? name)))}`);
}

function endOfFlags(words: readonly string[]): number {
  const end = words.indexOf('--');
  return end < 0 ? words.length : end;
}

function explain(error: unknown, note: (line: string) => void): number {
  if (error instanceof UsageError) {
    note(error.message);
    note('paybell --help lists the commands, paybell COMMAND --help their flags.');
    return EXIT.usage.code;
  }
  if (error instanceof SettingsError) {
    for (const problem of error.problems) note(problem);
    return EXIT.usage.code;
  }
  if (error instanceof Failure) {
    note(error.message);
    return error.code;
  }
  // Anything else is unexpected: the message says what, the stack where.
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failed.code;
}
