import { existsSync } from 'node:fs';
import { loadSettings } from '../config/load.ts';
import { isPostgres } from '../config/read.ts';
import { openStorage } from '../storage/open.ts';
import { EXIT, Failure } from './command.ts';
import type { Command } from './command.ts';
import { plain } from './table.ts';

export const doctor: Command = {
  about: 'Checks the promises against the store, row by row: nothing lost, nothing counted twice, the books balance.',
  arguments: [],
  flags: {
    data: { value: 'DIR', help: 'Data folder; ./data unless said. A server may run on it meanwhile.' },
    'database-url': { value: 'URL', help: 'Database file or postgres:// address, where it is not in the data folder.' },
    json: { help: 'One JSON object per finding, then one with the figures.' },
  },
  async run({ flags }, io) {
    const given = Object.fromEntries(['data', 'database-url'].flatMap((name) => (flags.has(name) ? [[name, flags.one(name) ?? '']] : [])));
    const settings = loadSettings({ flags: given, env: io.env });
    if (!isPostgres(settings.databaseUrl) && !existsSync(settings.databaseUrl))
      throw new Failure(`There is no store at ${settings.databaseUrl}: say where it is with --data.`);
    const storage = await openStorage(settings.databaseUrl, { readOnly: true, threads: false });
    await storage.open();
    try {
      const findings = await storage.check({ now: Date.now() });
      const facts = await storage.facts();
      for (const finding of findings) {
        io.print(flags.has('json') ? JSON.stringify(finding) : `${finding.invariant}  ${finding.id ?? '-'}  ${plain(finding.sentence)}`);
      }
      if (flags.has('json')) io.print(JSON.stringify({ findings: findings.length, ...facts }));
      else report(findings.length, { ...facts }, io.print);
      return findings.length === 0 ? EXIT.ok.code : EXIT.failed.code;
    } finally {
      await storage.close();
    }
  },
};

function report(findings: number, facts: Readonly<Record<string, unknown>>, print: (line: string) => void): void {
  for (const [name, value] of Object.entries(facts)) print(`${name.padEnd(14)}${String(value)}`);
  print(findings === 0 ? 'All promises hold.' : `${findings} findings.`);
}
