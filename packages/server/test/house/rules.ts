/** Who may import whom, and which words do not belong where: the table of ARCHITECTURE.md. */

export interface Rule {
  /** Beginning of the paths it is about; the first rule that fits a file counts. */
  readonly files: string;
  /**
   * What they may import: a package's name, `node:*`, or the beginning of a path; ending in `.ts` a path is that file alone.
   * `type ` before it: for its types only. A file may always import from `own`.
   */
  readonly may: readonly string[];
  /** Beginning of the paths that are theirs; `files` unless told. */
  readonly own?: string | null;
  /** Words that must not stand in their code. */
  readonly never?: RegExp;
}

const SERVER = 'packages/server/src/';
const SDK = 'packages/sdk/src/';
const CLOCKS = String.raw`\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\b|\bperformance\.now\b`;
const CONSOLE = String.raw`\bconsole\.(?:log|error|warn|info|debug)\b`;
const PURE = new RegExp(`${CLOCKS}|${CONSOLE}`);
/** `paybell` speaks on the terminal in one place. */
const QUIET = new RegExp(String.raw`${CONSOLE}|\bprocess\.(?:exit|exitCode|stdout|stderr|argv)\b`);

export const RULES: readonly Rule[] = [
  { files: `${SDK}providers/index.ts`, own: `${SDK}providers/`, may: [`type ${SDK}provider.ts`], never: PURE },
  {
    files: `${SDK}providers/`,
    // Strangers to each other.
    own: null,
    may: [
      ...['access', 'bytes', 'currency', 'headers', 'json', 'money', 'provider', 'reading'].map((name) => `${SDK}${name}.ts`),
      `${SDK}schemes/`,
      `${SDK}ledger/transaction.ts`,
      'node:crypto',
    ],
    never: PURE,
  },
  { files: SDK, may: ['node:crypto'], never: PURE },
  { files: `${SERVER}ledger/`, may: ['@paybell/sdk', `type ${SERVER}storage/contract.ts`], never: PURE },
  {
    files: `${SERVER}engine/`,
    may: ['@paybell/sdk', `${SERVER}ledger/`, `type ${SERVER}storage/contract.ts`, `type ${SERVER}config/vault.ts`, 'node:crypto'],
    never: new RegExp(String.raw`${CLOCKS}|${CONSOLE}|\bDate\b`),
  },
  { files: `${SERVER}storage/contract.ts`, own: null, may: ['type @paybell/sdk'], never: PURE },
  { files: `${SERVER}storage/open.ts`, own: `${SERVER}storage/`, may: ['node:*'], never: QUIET },
  {
    files: `${SERVER}storage/sqlite/`,
    may: ['@paybell/sdk', `type ${SERVER}storage/contract.ts`, `${SERVER}ledger/`, 'node:*'],
    never: QUIET,
  },
  {
    files: `${SERVER}storage/postgres/`,
    may: ['@paybell/sdk', `type ${SERVER}storage/contract.ts`, `${SERVER}ledger/`, 'pg', 'node:*'],
    never: QUIET,
  },
  {
    files: `${SERVER}storage/move/`,
    own: `${SERVER}storage/`,
    may: ['@paybell/sdk', `${SERVER}ledger/`, 'pg', 'node:*'],
    never: QUIET,
  },
  {
    files: `${SERVER}send/`,
    may: [`type ${SERVER}engine/ports.ts`, `type ${SERVER}engine/deliver/causes.ts`, 'ipaddr.js', 'undici', 'node:*'],
    never: QUIET,
  },
  { files: `${SERVER}signal/`, may: [`type ${SERVER}engine/ports.ts`, '@redis/client'], never: QUIET },
  { files: `${SERVER}live/`, may: [`type ${SERVER}engine/`, 'node:*'], never: QUIET },
  {
    files: `${SERVER}telemetry/`,
    may: [`type ${SERVER}engine/`, 'pino', 'prom-client', 'node:*'],
    never: new RegExp(String.raw`${CONSOLE}|\bprocess\.exit`),
  },
  {
    files: `${SERVER}http/`,
    may: [
      '@paybell/sdk',
      'fastify',
      '@fastify/*',
      'typebox',
      'node:*',
      `type ${SERVER}engine/`,
      `${SERVER}engine/refusal.ts`,
      `${SERVER}engine/deliver/durations.ts`,
      `${SERVER}engine/deliver/causes.ts`,
      `${SERVER}engine/deliver/masking.ts`,
      `type ${SERVER}storage/contract.ts`,
      `type ${SERVER}telemetry/`,
      `type ${SERVER}config/settings.ts`,
      `${SERVER}config/nearest.ts`,
      `${SERVER}live/`,
    ],
    never: QUIET,
  },
  { files: `${SERVER}config/`, may: ['node:*', `type ${SERVER}storage/contract.ts`], never: QUIET },
  // The demo is an outsider: it knows the server by HTTP alone.
  { files: `${SERVER}demo/`, may: ['@paybell/sdk', 'node:*'], never: QUIET },
  { files: `${SERVER}cli/start.ts`, own: `${SERVER}cli/`, may: [`${SERVER}config/`, `${SERVER}main.ts`, `${SERVER}demo/start.ts`] },
  { files: `${SERVER}cli/doctor.ts`, own: `${SERVER}cli/`, may: [`${SERVER}config/`, `${SERVER}storage/open.ts`, 'node:*'] },
  {
    files: `${SERVER}cli/migrate.ts`,
    own: `${SERVER}cli/`,
    may: [`${SERVER}config/`, `${SERVER}storage/open.ts`, `${SERVER}storage/move/`, `type ${SERVER}storage/contract.ts`, 'node:*'],
  },
  { files: `${SERVER}cli/`, may: ['@paybell/sdk', `${SERVER}config/`, 'node:*'] },
  // It may end the process, where going on would break a promise; words are the CLI's.
  { files: `${SERVER}main.ts`, may: [SERVER, '@paybell/sdk', 'node:*'], never: new RegExp(CONSOLE) },
  {
    // The causes are a table of words, shown as they stand.
    files: 'packages/console/src/',
    may: [
      'react',
      'react-dom',
      'wouter',
      'uplot',
      'radix-ui',
      '@tanstack/*',
      '@paybell/sdk',
      `type ${SERVER}http/schema/`,
      `${SERVER}engine/deliver/causes.ts`,
    ],
  },
];
