import { pino, destination } from 'pino';
import type { Log } from '../engine/ports.ts';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Fields that never belong into a log. Bodies, secrets and personal data are not logged; this is the net below. */
const SECRET_FIELDS = [
  'body',
  'data',
  'secret',
  'secrets',
  'key',
  'token',
  'password',
  'authorization',
  'cookie',
  'headers',
  'customer',
  'email',
  'phone',
] as const;

/** JSON lines on stderr; stdout belongs to the words that programs read. */
export function createLog(options: { readonly level: LogLevel; readonly write?: (line: string) => void }): Log {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[hidden]' },
  };
  const { write } = options;
  const logger = pino(settings, write === undefined ? destination({ fd: 2, sync: true }) : { write });
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
