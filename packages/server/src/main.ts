/** The composition root: the only file that knows every part. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keepLocalAdminKey } from './config/data-dir.ts';
import type { Settings } from './config/settings.ts';
import { unlockVault } from './config/vault.ts';
import type { Vault } from './config/vault.ts';
import { createEngine } from './engine/engine.ts';
import type { Engine } from './engine/faces.ts';
import { createIds } from './engine/ids.ts';
import type { Clock, Log, Storage, Timers } from './engine/ports.ts';
import { createHttp } from './http/app.ts';
import { createGuard } from './send/guard.ts';
import { createSender } from './send/http.ts';
import { openStorage } from './storage/open.ts';
import { connectRedis } from './signal/redis.ts';
import type { Wire } from './signal/redis.ts';
import { createSignal, noSignal } from './signal/signal.ts';
import type { RunningSignal } from './signal/signal.ts';
import { createLog } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

/** How long a stop waits for calls in flight. */
const DRAIN_MS = 12_000;
/** However much hangs, a stop ends soon enough for whoever kills what has not ended after fifteen seconds. */
const STOP_MS = 14_000;
/** Callers whose commit hangs are answered by then; what is left for the steps behind it. */
const HTTP_MS = 9_000;
const AT_LEAST_MS = 500;

const CONSOLE_DIR = join(import.meta.dirname, '..', 'console');

/** Small jumps of the wall clock must not make a lease end early or a retry come twice: time only goes forward here. */
const clock: Clock = (() => {
  let last = 0;
  return { now: () => (last = Math.max(last, Date.now())) };
})();

const timers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

export interface Running {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Present where a key was made by this start. */
  readonly adminKey?: string;
  stop(): Promise<void>;
}

/** Starts everything and serves; throws a sentence where it must not start. */
export async function startPaybell(settings: Settings): Promise<Running> {
  const log = createLog({ level: settings.logLevel });
  const storage = await openStorage(settings.databaseUrl);
  await storage.open();
  const closing: ((withinMs: number) => Promise<unknown>)[] = [() => storage.close()];
  const stop = async (): Promise<void> => {
    const end = clock.now() + STOP_MS;
    for (const close of closing.splice(0).reverse()) {
      const withinMs = Math.max(AT_LEAST_MS, end - clock.now());
      await within(withinMs, close(withinMs));
    }
  };
  try {
    // After a failed sync the system may have dropped pages that it once called written: only a fresh start reads what is really there.
    const onFatal = (error: Error): void => {
      log.error({ error: error.message }, 'the store cannot be trusted any more; ending');
      process.exit(1);
    };
    const { durability } = await storage.ready();
    if (durability.includes('no synchronous standby'))
      log.warn(
        { durability },
        'a failover of the database would lose what its standby had not got yet; set synchronous_standby_names where that must not be',
      );
    const vault = await unlockVault({ masterKeys: settings.masterKeys, dataDir: settings.dataDir, notes: storage, random: randomBytes });
    const guard = createGuard({ allowPrivateCidrs: settings.allowPrivateCidrs });
    const sender = createSender({ guard });
    closing.push(() => sender.close());
    const node = createIds(clock, randomBytes)('node');
    const signal = await openSignal({ node, redisUrl: settings.redisUrl, storage, vault, log });
    closing.push(() => signal.close());
    const engine = createEngine({
      storage,
      signal,
      node,
      send: sender.send,
      clock,
      timers,
      random: randomBytes,
      log,
      vault,
      judgeUrl: guard.judgeUrl,
      disableAfterMs: settings.disableAfterMs,
      retention: {
        bodiesMs: settings.retentionBodies,
        attemptsMs: settings.retentionAttempts,
        quarantineMs: settings.retentionQuarantine,
      },
      onFatal,
    });
    const metrics = createMetrics();
    metrics.watch(engine);
    await engine.start();
    closing.push((withinMs) => engine.stop(Math.min(DRAIN_MS, withinMs - AT_LEAST_MS)));
    const adminKey = await firstKey(engine, settings);
    const http = await createHttp({
      engine,
      storage,
      settings: { ...settings, consoleDir: CONSOLE_DIR },
      clock,
      log,
      metrics,
      vault,
      signal,
    });
    closing.push(() => within(HTTP_MS, http.close()));
    const url = await http.listen({ host: settings.host, port: settings.port });
    return { url, stop, ...(adminKey === null ? {} : { adminKey }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves when `work` has ended, or after that time. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<void>((resolve) => (cancel = timers.after(ms, resolve)));
  await Promise.race([work, late]).finally(() => cancel());
}

interface SignalInput {
  readonly node: string;
  readonly redisUrl: string | null;
  readonly storage: Storage;
  readonly vault: Vault;
  readonly log: Log;
}

async function openSignal({ node, redisUrl, storage, vault, log }: SignalInput): Promise<RunningSignal> {
  if (redisUrl === null) return noSignal;
  if (!storage.shared) log.warn({}, 'Redis is of use to several nodes on one PostgreSQL only; this one is alone with its database file');
  // One Redis may serve several installations: each has a channel of its own, named by its database.
  const installation = await storage.claimNote({ name: 'installation', text: randomBytes(16).toString('base64url') });
  const channel = `paybell:${installation}`;
  const connect = (hear: (message: string) => void): Wire => connectRedis({ url: redisUrl, channel, node, log, hear });
  return createSignal({ node, channel, sealerFor: vault.derive, connect });
}

/** Makes sure that there is an admin key; answers with one that was made, to be shown once. */
async function firstKey({ directory }: Engine, settings: Settings): Promise<string | null> {
  if (settings.adminKey !== null) {
    if (directory.keyHolder(settings.adminKey) === null)
      await directory.createKey({ name: 'PAYBELL_ADMIN_KEY', merchant: null, key: settings.adminKey });
    return null;
  }
  if (directory.keys().some(({ merchant }) => merchant === null)) return null;
  // The file first: a key that only the store knows the hash of would lock everybody out.
  const key = `pbk_${randomBytes(32).toString('base64url')}`;
  keepLocalAdminKey(settings.dataDir, key);
  await directory.createKey({ name: 'First admin key', merchant: null, key });
  return key;
}
