import type { Command } from './command.ts';

/** Every command by its words; each file is loaded only when it is called. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  trigger: async () => (await import('./trigger.ts')).trigger,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  tail: async () => (await import('./tail.ts')).tail,
  'events list': async () => (await import('./events.ts')).eventsList,
  'events get': async () => (await import('./events.ts')).eventsGet,
  'events resend': async () => (await import('./events.ts')).eventsResend,
  'resends list': async () => (await import('./resends.ts')).resendsList,
  'resends cancel': async () => (await import('./resends.ts')).resendsCancel,
  'tx list': async () => (await import('./tx.ts')).txList,
  'tx get': async () => (await import('./tx.ts')).txGet,
  'tx why': async () => (await import('./tx.ts')).txWhy,
  'keys create': async () => (await import('./keys.ts')).keysCreate,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  doctor: async () => (await import('./doctor.ts')).doctor,
};
