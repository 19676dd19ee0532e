import { didYouMean } from '../packages/server/src/config/nearest.ts';
import { soak, type SoakOptions } from '../packages/server/test/soak/soak.ts';
import { buildConsole } from './build-console.ts';

// npm run soak -- [--minutes N] [--kills N] [--rate N] [--seed N] [--pictures DIR] [--database-url URL]
// Exit codes: 0 every promise held, 1 something did not, 2 wrong arguments.

const NUMBERS = { '--minutes': 10, '--kills': 100, '--rate': 20, '--seed': Date.now() % 2 ** 31 };
const TEXTS = ['--pictures', '--database-url'] as const;
const USAGE = `usage: npm run soak -- [--minutes 10] [--kills 100] [--rate 20] [--seed N] [--pictures DIR] [--database-url URL]

Five simulated providers send to a real server, which is killed again and again and delivers to a sink that fails in every way in turn.
In the end everything that was acknowledged must be in the log, in the ledger and delivered.
  --rate          webhooks and published events per second, about
  --seed          kills at the same moments and tells the same stories as the run that printed it
  --pictures      take pictures of the console telling the stories of transactions chosen at random (takes Chromium)
  --database-url  an empty PostgreSQL database instead of the embedded store
`;

class UsageError extends Error {}

type NumberFlag = keyof typeof NUMBERS;

function parse(args: readonly string[]): SoakOptions {
  const numbers: Record<NumberFlag, number> = { ...NUMBERS };
  const texts = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const [flag = '', value] = args.slice(at, at + 2);
    const isNumber = Object.hasOwn(NUMBERS, flag);
    if (!isNumber && !TEXTS.some((one) => one === flag))
      throw new UsageError(`there is no option ${flag}.${didYouMean(flag, [...Object.keys(NUMBERS), ...TEXTS])}`);
    if (value === undefined) throw new UsageError(`${flag} needs a value`);
    if (!isNumber) texts.set(flag, value);
    else if (/^\d{1,10}(\.\d+)?$/.test(value)) numbers[flag as NumberFlag] = Number(value);
    else throw new UsageError(`${flag} needs a number`);
  }
  return {
    seconds: numbers['--minutes'] * 60,
    kills: Math.floor(numbers['--kills']),
    perSecond: numbers['--rate'],
    seed: numbers['--seed'],
    pictures: texts.get('--pictures') ?? null,
    databaseUrl: texts.get('--database-url') ?? null,
    log: (line) => void process.stdout.write(`${line}\n`),
  };
}

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parse(process.argv.slice(2));
  if (options.pictures !== null) await buildConsole();
  const { findings, figures } = await soak(options);
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  for (const [name, figure] of Object.entries(figures)) process.stdout.write(`${name.padEnd(width)}  ${figure}\n`);
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  process.stdout.write(
    findings.length === 0 ? 'Every promise held.\n' : `${findings.length} findings. Run it again with --seed ${options.seed}\n`,
  );
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const wrong = error instanceof UsageError;
  process.stderr.write(`${error instanceof Error ? (wrong ? error.message : error.stack) : String(error)}\n${wrong ? `\n${USAGE}` : ''}`);
  process.exitCode = wrong ? 2 : 1;
}
