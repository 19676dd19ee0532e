import { cpus } from 'node:os';
import { drawTable } from '../bench/figures.ts';
import { BENCHMARKS, type Benchmark, type Flag, type Report, type RunOptions, type Store } from '../bench/run.ts';
import { didYouMean } from '../packages/server/src/config/nearest.ts';

// npm run bench -- NAME [--store sqlite|postgres] [--json] [--seconds N] [--rounds N] [--events N] [--nodes N]
// Exit codes: 0 measured, 1 failed, 2 wrong arguments.

const LIMITS: Readonly<Record<Flag, number>> = { seconds: 600, rounds: 100, events: 10_000_000, nodes: 8 };
const FLAGS = ['--store', '--json', '--seconds', '--rounds', '--events', '--nodes'];

class UsageError extends Error {}

interface Request {
  readonly name: string;
  readonly benchmark: Benchmark;
  readonly json: boolean;
  readonly store: Store;
  readonly counts: { readonly [flag in Flag]?: number };
}

function usage(): string {
  const names = Object.entries(BENCHMARKS).map(([name, { about, flags }]) => `  ${name.padEnd(10)} ${about} (--${flags.join(', --')})`);
  return `usage: npm run bench -- NAME [--store sqlite|postgres] [--json] [--seconds N] [--rounds N] [--events N] [--nodes N]\n\n${names.join('\n')}`;
}

function unknown(what: string, given: string, known: readonly string[]): UsageError {
  return new UsageError(`there is no ${what} ${given}.${didYouMean(given, known)}`);
}

function parse(args: readonly string[]): Request {
  const [name, ...rest] = args;
  if (name === undefined || name.startsWith('-')) throw new UsageError('the name of a benchmark comes first');
  const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) throw unknown('benchmark', name, Object.keys(BENCHMARKS));
  let store: Store = 'sqlite';
  let json = false;
  const counts: { [flag in Flag]?: number } = {};
  const words = rest.flatMap((word) =>
    /^--\w+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  );
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--json') json = true;
    else if (word === '--store') store = readStore(words[(at += 1)]);
    else if (word === '--seconds' || word === '--rounds' || word === '--events' || word === '--nodes') {
      const flag = word.slice(2) as Flag;
      if (!benchmark.flags.includes(flag)) throw new UsageError(`${name} takes no ${word}; it takes --${benchmark.flags.join(' and --')}`);
      counts[flag] = readCount(flag, words[(at += 1)]);
    } else throw unknown('option', word, FLAGS);
  }
  if ((counts.nodes ?? 1) > 1 && store === 'sqlite') throw new UsageError('several nodes need --store postgres');
  return { name, benchmark, json, store, counts };
}

function readStore(text: string | undefined): Store {
  if (text === 'sqlite' || text === 'postgres') return text;
  throw text === undefined ? new UsageError('--store needs sqlite or postgres') : unknown('store', text, ['sqlite', 'postgres']);
}

function readCount(flag: Flag, text: string | undefined): number {
  const count = /^[1-9]\d{0,8}$/.test(text ?? '') ? Number(text) : NaN;
  if (!(count <= LIMITS[flag])) throw new UsageError(`--${flag} needs a whole number from 1 to ${LIMITS[flag]}`);
  return count;
}

function print(request: Request, report: Report): void {
  const { name, store, json } = request;
  process.stdout.write(`\n${name} on ${store}\n\n${drawTable(report.table)}\n\n`);
  for (const note of report.notes) process.stdout.write(`${note}\n`);
  const machine = { cores: cpus().length, node: process.versions.node };
  if (json) process.stdout.write(`${JSON.stringify({ name, store, ...report.fields, machine })}\n`);
}

async function main(): Promise<number> {
  try {
    const request = parse(process.argv.slice(2));
    const options: RunOptions = { store: request.store, ...request.counts, log: (line) => void process.stderr.write(`${line}\n`) };
    const benchmark = await request.benchmark.load();
    print(request, await benchmark.run(options));
    return 0;
  } catch (error) {
    const wrong = error instanceof UsageError;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${wrong ? `\n${usage()}\n` : ''}`);
    return wrong ? 2 : 1;
  }
}

// Leaving through `exit` lets the server under test be stopped and its data removed.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
process.exitCode = await main();
