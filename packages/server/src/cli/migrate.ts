import { join } from 'node:path';
import { existsSync, statSync } from 'node:fs';
import { database, isPostgres } from '../config/read.ts';
import { moveInstallation } from '../storage/move/move.ts';
import { databasePath, openStorage } from '../storage/open.ts';
import type { Finding, StorageFacts } from '../storage/contract.ts';
import { EXIT, Failure, UsageError } from './command.ts';
import type { Command, Io } from './command.ts';
import { plain } from './table.ts';

/** What two stores of the same facts have in common. */
const COMPARED = ['accepted', 'delivered', 'failed', 'pending', 'notSubscribed'] as const;

const BAR_CHARS = 30;

export const migrateCommand: Command = {
  about: 'Moves an embedded installation to PostgreSQL: everything, verified on both sides. The source stays as it is.',
  arguments: [],
  flags: {
    from: { value: 'DIR', help: 'Data folder (or database file) to move; ./data unless said. No server may run on it.' },
    to: { value: 'URL', help: 'postgres:// address of an empty database.' },
    json: { help: 'One JSON object at the end, with the rows moved and the figures of both sides.' },
  },
  examples: ['paybell migrate --from ./data --to postgres://paybell@db.internal/paybell'],
  async run({ flags }, io) {
    const to = target(flags.one('to'));
    const from = source(flags.one('from') ?? 'data');
    const draw = progressBar(io);
    let before: Doctor | null = null;
    const rows = await explained(() =>
      moveInstallation({
        from,
        to,
        now: Date.now(),
        async before() {
          io.note(`Checking ${from} ...`);
          before = await examine(from);
          // Leases of the process before are ended by the move.
          const findings = before.findings.filter(({ invariant }) => invariant !== 'lease_in_time');
          if (findings.length === 0) return;
          for (const finding of findings) io.note(sentenceOf(finding));
          throw new Failure(`The source has ${findings.length} findings (above). Nothing was moved.`);
        },
        onProgress: draw,
      }),
    );
    io.note('Checking what was moved ...');
    const [left, right] = [before as Doctor | null, await explained(() => examine(to))];
    const differing = COMPARED.filter((name) => left?.facts[name] !== right.facts[name]);
    if (flags.has('json'))
      io.print(JSON.stringify({ rows, source: left?.facts, target: right.facts, findings: right.findings, differing }));
    else for (const [table, count] of Object.entries(rows)) io.print(`${table.padEnd(16)}${count}`);
    for (const finding of right.findings) io.note(sentenceOf(finding));
    for (const name of differing) io.note(`${name}: ${left?.facts[name]} in the source, ${right.facts[name]} in the target.`);
    if (right.findings.length > 0 || differing.length > 0)
      throw new Failure('The target is not what the source was. Keep the source, empty the target, and report this.');
    io.note(
      `Moved. Start Paybell with PAYBELL_DATABASE_URL and the same master keys (${join(from, '..', 'master-keys')} or PAYBELL_MASTER_KEYS).`,
    );
    io.note('Do not start one on the old folder again: it would send once more what was still pending. Keep it until you are content.');
    return EXIT.ok.code;
  },
};

interface Doctor {
  readonly findings: readonly Finding[];
  readonly facts: StorageFacts;
}

async function examine(url: string): Promise<Doctor> {
  const storage = await openStorage(url, { readOnly: true, threads: false });
  await storage.open();
  try {
    return { findings: await storage.check({ now: Date.now() }), facts: await storage.facts() };
  } finally {
    await storage.close();
  }
}

function target(given: string | undefined): string {
  if (given === undefined || !isPostgres(given)) throw new UsageError('--to must be the postgres:// address of an empty database.');
  return database(given);
}

function source(given: string): string {
  if (isPostgres(given)) throw new UsageError('--from must be the data folder of an embedded installation.');
  const path = database(given);
  return existsSync(path) && statSync(path).isDirectory() ? databasePath(path) : path;
}

/** What a store says is a sentence already. */
async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Failure ? error : new Failure((error as Error).message);
  }
}

function sentenceOf({ invariant, id, sentence }: Finding): string {
  return `${invariant}  ${id ?? '-'}  ${plain(sentence)}`;
}

/** Where a person looks on, a bar that moves; elsewhere a line for each tenth. */
function progressBar(io: Io): Parameters<typeof moveInstallation>[0]['onProgress'] {
  let shown = -1;
  return ({ table, done, of }) => {
    const percent = of === 0 ? 100 : Math.floor((100 * done) / of);
    const step = io.interactive ? percent : percent - (percent % 10);
    if (step === shown) return;
    shown = step;
    const filled = Math.round((BAR_CHARS * percent) / 100);
    const line = `${'█'.repeat(filled)}${'░'.repeat(BAR_CHARS - filled)} ${String(percent).padStart(3)} %  ${table}`;
    if (io.interactive) io.draw(percent === 100 ? `${line}\n` : line);
    else io.note(`${percent} %  ${table}`);
  };
}
