/** Prints the docs that are made from tables: `node scripts/build-docs.ts` writes them, a test holds them to the tables. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../packages/server/src/cli/command.ts';
import type { Command } from '../packages/server/src/cli/command.ts';
import { COMMANDS } from '../packages/server/src/cli/commands.ts';
import { helpOn } from '../packages/server/src/cli/help.ts';
import { SETTINGS } from '../packages/server/src/config/settings.ts';
import { CAUSES } from '../packages/server/src/engine/deliver/causes.ts';

const PRINTED = '<!-- Printed by scripts/build-docs.ts. -->';

/** Text of every printed page by its path. */
export async function printedDocs(): Promise<Readonly<Record<string, string>>> {
  return { 'docs/settings.md': settings(), 'docs/cli.md': await cli(), 'docs/causes.md': causes() };
}

function settings(): string {
  const rows = SETTINGS.map(({ flag, env, type, fallback, help }) => [
    env === null ? '' : `\`${env}\``,
    flag === null ? '' : `\`--${flag}\``,
    type,
    fallback,
    help,
  ]);
  return page(
    'Settings',
    'Given to `paybell start` as flags or in the environment; flags win. Secrets have no flag, because a list of processes would show them.',
    'Unknown flags and unknown `PAYBELL_*` variables are refused at start with the nearest right name. An empty variable counts as not set.',
    table(['variable', 'flag', 'type', 'otherwise', 'meaning'], rows),
  );
}

async function cli(): Promise<string> {
  const commands = await Promise.all(Object.entries(COMMANDS).map(async ([words, load]) => section(words, await load())));
  const codes = table(
    ['code', 'meaning'],
    Object.values(EXIT).map(({ code, means }) => [String(code), means]),
  );
  return page(
    'Commands',
    '`npx paybell COMMAND`, from the clone or where the package is installed.',
    'With `--json`, standard output has one JSON object per line and nothing else; words for people go to standard error.',
    `## Exit codes\n\n${codes}`,
    ...commands,
  );
}

function section(words: string, command: Command): string {
  return `## paybell ${words}\n\n\`\`\`text\n${helpOn(words, command)}\n\`\`\``;
}

function causes(): string {
  const rows = Object.entries(CAUSES).map(([code, { sentence, hint, blames }]) => [`\`${code}\``, sentence, hint, blames]);
  return page(
    'Why an attempt ended as it did',
    'Every attempt of a delivery has one of these causes. The last column says whose doing it is.',
    table(['cause', 'what happened', 'what to do', 'whose'], rows),
  );
}

function page(title: string, ...parts: readonly string[]): string {
  return `# ${title}\n\n${PRINTED}\n\n${parts.join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')));
  const widths = head.map((name, column) => Math.max(3, name.length, ...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...escaped.map(line)].join('\n');
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const [path, text] of Object.entries(await printedDocs())) writeFileSync(join(root, path), text);
}
