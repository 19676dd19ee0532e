import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { RULES } from './rules.ts';
import type { Rule } from './rules.ts';

export interface Violation {
  readonly file: string;
  readonly what: string;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?'([^']+)'|\bimport\('([^']+)'\)/g;

/** Everything in the sources under `root` that the table does not allow. */
export function violations(root: string): readonly Violation[] {
  return sourceFiles(root).flatMap((file) => {
    const rule = RULES.find(({ files }) => file.startsWith(files));
    if (rule === undefined) return [{ file, what: 'has no rule' }];
    const code = withoutComments(readFileSync(join(root, file), 'utf8'));
    const word = rule.never?.exec(code)?.[0];
    return [...wrongImports(file, rule, code), ...(word === undefined ? [] : [{ file, what: `has ${word} in it` }])];
  });
}

/** Relative paths with "/", in order. */
export function sourceFiles(root: string): readonly string[] {
  return globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted();
}

function wrongImports(file: string, rule: Rule, code: string): Violation[] {
  const own = rule.own === undefined ? rule.files : rule.own;
  return [...code.matchAll(IMPORT)].flatMap(([, type, fixed, lazy]) => {
    const name = fixed ?? lazy ?? '';
    const target = name.startsWith('.') ? posix.join(dirname(file), name) : name;
    if (own !== null && target.startsWith(own)) return [];
    if (target.endsWith('.css')) return [];
    const allowed = rule.may.some((entry) => {
      const typeOnly = entry.startsWith('type ');
      return matches(target, typeOnly ? entry.slice(5) : entry) && (!typeOnly || type !== undefined);
    });
    return allowed ? [] : [{ file, what: `imports ${type ?? ''}${target}` }];
  });
}

function matches(target: string, entry: string): boolean {
  if (entry.endsWith('*')) return target.startsWith(entry.slice(0, -1));
  if (entry.startsWith('packages/')) return entry.endsWith('.ts') ? target === entry : target.startsWith(entry);
  return target === entry || target.startsWith(`${entry}/`);
}

/** Good enough for our own code: a `//` inside a string would have to follow a space. */
export function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|\s)\/\/.*$/gm, '$1');
}
