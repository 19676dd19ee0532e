import { clearRunning, makeDataDir, readLocalAdminKey, writeRunning } from '../config/data-dir.ts';
import { loadSettings } from '../config/load.ts';
import { SETTINGS } from '../config/settings.ts';
import type { Settings } from '../config/settings.ts';
import { startPaybell } from '../main.ts';
import { EXIT, Failure } from './command.ts';
import type { Command, Flag, Flags, Io } from './command.ts';

const SENTENCES = new Set(['Error', 'VaultError', 'StorageError']);

export const start: Command = {
  about: 'Runs the server: API, console and deliveries. Ends on Ctrl-C or SIGTERM after finishing what is in flight.',
  arguments: [],
  flags: Object.fromEntries(SETTINGS.flatMap((setting) => (setting.flag === null ? [] : [[setting.flag, flagOf(setting)]]))),
  examples: ['paybell start --port 4400 --data ./data', 'paybell start --demo'],
  async run({ flags }, io) {
    const stopped = io.stopped();
    const settings = loadSettings({ flags: given(flags), env: io.env });
    const server = await startOrFail(settings);
    try {
      const key = settings.adminKey ?? server.adminKey ?? readLocalAdminKey(settings.dataDir);
      writeRunning(settings.dataDir, { pid: process.pid, url: server.url });
      greet({ settings, url: server.url, key, made: server.adminKey !== undefined }, io);
      io.print(`ready ${server.url}`);
      const demo = settings.demo && key !== null ? await runDemo({ url: server.url, key }, io) : null;
      await stopped;
      io.note('Stopping: what is in flight is finished first. Once more stops at once.');
      await demo?.stop();
    } finally {
      clearRunning(settings.dataDir);
      await server.stop();
    }
    return EXIT.ok.code;
  },
};

function flagOf(setting: (typeof SETTINGS)[number]): Flag {
  const help = `${setting.help} ${setting.alone ? '' : `Otherwise ${setting.env ?? ''}, or ${setting.fallback}.`}`.trim();
  return setting.alone ? { help } : { value: setting.type.toUpperCase().replace(/\W+/g, '-'), help };
}

function given(flags: Flags): Record<string, string | true> {
  return Object.fromEntries(
    SETTINGS.flatMap(({ flag, alone }) =>
      flag !== null && flags.has(flag) ? [[flag, alone ? true : (flags.one(flag) ?? '')] as const] : [],
    ),
  );
}

async function startOrFail(settings: Settings): ReturnType<typeof startPaybell> {
  try {
    makeDataDir(settings.dataDir);
    return await startPaybell(settings);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Failure(`Port ${settings.port} on ${settings.host} is taken: stop what listens there, or choose another with --port.`);
    if (code === 'EACCES' && settings.port > 0 && settings.port < 1024)
      throw new Failure(`Port ${settings.port} may not be used by this user: choose one above 1023 with --port.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Failure(`${settings.host} is no address of this machine: choose another with --host.`);
    // These say in a sentence why it must not start; anything else is unexpected and keeps its stack.
    if (error instanceof Error && SENTENCES.has(error.name)) throw new Failure(error.message);
    throw error;
  }
}

interface Greeting {
  readonly settings: Settings;
  readonly url: string;
  readonly key: string | null;
  /** True: the key was made now. */
  readonly made: boolean;
}

/** What a person needs now. The key goes to a terminal, or to whoever sees the first start: never into the log of every restart. */
function greet({ settings, url, key, made }: Greeting, io: Io): void {
  const show = key !== null && (made || settings.demo || io.interactive);
  io.note(show ? `Console, signed in: ${url}/#key=${encodeURIComponent(key)}` : `Console: ${url}`);
  if (made) io.note(`Admin key, shown once and kept in ${settings.dataDir}: ${key}`);
  io.note(`Data folder: ${settings.dataDir}`);
  if (settings.adminKey !== null && settings.adminKey.length < 16)
    io.note('PAYBELL_ADMIN_KEY is short: a key of 32 random characters cannot be guessed.');
}

async function runDemo(server: { url: string; key: string }, io: Io): Promise<{ stop(): Promise<void> }> {
  const { startDemo } = await import('../demo/start.ts');
  return startDemo({ ...server, note: io.note });
}
