import { join } from 'node:path';
import { didYouMean } from './nearest.ts';
import { SETTINGS } from './settings.ts';
import type { Setting, Settings } from './settings.ts';

/** Says everything that is wrong with the settings, one sentence each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export interface SettingsInput {
  /** By name without dashes; `true` for a flag that stands alone. */
  readonly flags: Readonly<Record<string, string | true>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Variables of the project's own tests and benchmarks: no settings, and no typing errors of one. */
const NOT_SETTINGS = /^PAYBELL_(?:(?:TEST|BENCH)_|CHROMIUM$)/;
const DAY_MS = 86_400_000;
const DISABLE_AFTER_MS = 5 * DAY_MS;
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Reads all settings, flags before environment. Throws SettingsError. */
export function loadSettings(input: SettingsInput): Settings {
  const problems = [...unknownFlags(input.flags), ...unknownVariables(input.env)];
  const given: Record<string, unknown> = {};
  for (const setting of SETTINGS) {
    const text = textOf(setting, input);
    if (text === null) continue;
    try {
      given[setting.name] = setting.read(text.value);
    } catch (error) {
      problems.push(`${text.from} ${error instanceof Error ? error.message : 'cannot be read.'}`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return withFallbacks(given as Partial<Settings>);
}

function textOf(setting: Setting, { flags, env }: SettingsInput): { readonly from: string; readonly value: string } | null {
  const flag = setting.flag === null ? undefined : flags[setting.flag];
  if (flag !== undefined) return { from: `--${setting.flag}`, value: flag === true ? '' : flag };
  const variable = setting.env === null ? undefined : env[setting.env];
  // An empty variable is how shells and compose files say "not set".
  return variable === undefined || variable === '' ? null : { from: setting.env ?? setting.name, value: variable };
}

function unknownFlags(flags: SettingsInput['flags']): string[] {
  const known = SETTINGS.flatMap((setting) => setting.flag ?? []);
  return Object.keys(flags)
    .filter((flag) => !known.includes(flag))
    .map(
      (flag) =>
        `--${flag} is not a setting.${didYouMean(
          `--${flag}`,
          known.map((name) => `--${name}`),
        )}`,
    );
}

function unknownVariables(env: SettingsInput['env']): string[] {
  const known = SETTINGS.flatMap((setting) => setting.env ?? []);
  return Object.keys(env)
    .filter((name) => name.startsWith('PAYBELL_') && !known.includes(name) && !NOT_SETTINGS.test(name))
    .map((name) => `${name} is not a setting.${didYouMean(name, known)}`);
}

function withFallbacks(given: Partial<Settings>): Settings {
  const demo = given.demo ?? false;
  const dataDir = given.dataDir ?? join(process.cwd(), 'data', ...(demo ? ['demo'] : []));
  const cidrs = given.allowPrivateCidrs ?? [];
  return {
    port: given.port ?? 4400,
    host: given.host ?? '127.0.0.1',
    dataDir,
    databaseUrl: given.databaseUrl ?? join(dataDir, 'paybell.db'),
    redisUrl: given.redisUrl ?? null,
    masterKeys: given.masterKeys ?? null,
    adminKey: given.adminKey ?? null,
    publicUrl: given.publicUrl ?? null,
    allowPrivateCidrs: demo ? [...new Set([...cidrs, ...LOOPBACK])] : cidrs,
    // Null is an answer: never.
    disableAfterMs: given.disableAfterMs === undefined ? DISABLE_AFTER_MS : given.disableAfterMs,
    retentionBodies: given.retentionBodies === undefined ? 180 * DAY_MS : given.retentionBodies,
    retentionAttempts: given.retentionAttempts === undefined ? 90 * DAY_MS : given.retentionAttempts,
    retentionQuarantine: given.retentionQuarantine === undefined ? 7 * DAY_MS : given.retentionQuarantine,
    logLevel: given.logLevel ?? 'info',
    demo,
  };
}
