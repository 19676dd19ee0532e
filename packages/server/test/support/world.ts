import { join } from 'node:path';
import { forge, normalHeaders, providerById } from '@paybell/sdk';
import type { ForgeInput, Provider } from '@paybell/sdk';
import { makeVault } from '../../src/config/vault.ts';
import type { Vault } from '../../src/config/vault.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Accepted, Engine, Inbound, NewEndpoint, Source } from '../../src/engine/faces.ts';
import type { Retention } from '../../src/engine/upkeep.ts';
import type { Clock, Log, SendRequest, SendResult, Timers } from '../../src/engine/ports.ts';
import { noSignal } from '../../src/signal/signal.ts';
import { causeOfStatus } from '../../src/send/faults.ts';
import type { Storage } from '../../src/storage/contract.ts';
import { openStorage } from '../../src/storage/open.ts';
import { tempDir } from './server.ts';

/** 2026-11-22T09:00:00Z */
export const START = Date.UTC(2026, 10, 22, 9);
/** Due work is looked for this long after it is due at the latest: bounds how late a try can be. */
export const LOOK_MS = 5;

export interface Time {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Runs what is due, timer by timer, until `ms` have passed. */
  advance(ms: number): Promise<void>;
  /** Sets the clock without running timers: a machine that was suspended. */
  jump(ms: number): void;
}

/** Lets everything that waits for nothing but its turn run. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes only when it is told to. */
export function manualTime(start = START): Time {
  let now = start;
  let made = 0;
  const waiting = new Map<number, { readonly at: number; readonly run: () => void }>();
  const next = (until: number): number | undefined => {
    const due = [...waiting].filter(([, { at }]) => at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b);
    return due[0]?.[0];
  };
  return {
    clock: { now: () => now },
    timers: {
      after(ms, run) {
        const id = (made += 1);
        waiting.set(id, { at: now + ms, run });
        return () => waiting.delete(id);
      },
    },
    async advance(ms) {
      const until = now + ms;
      await quiet();
      for (let id = next(until); id !== undefined; id = next(until)) {
        const { at, run } = waiting.get(id) as { at: number; run: () => void };
        waiting.delete(id);
        now = Math.max(now, at);
        run();
        await quiet();
      }
      now = until;
    },
    jump: (ms) => void (now += ms),
  };
}

/** Bytes that look random and are the same in every run. */
export function seededBytes(seed = 1): (size: number) => Uint8Array {
  let state = seed;
  return (size) => Uint8Array.from({ length: size }, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24);
}

export interface Call {
  readonly at: number;
  readonly request: SendRequest;
}

/** What an endpoint answers: a status with headers, or a result that the test gives itself, when it likes. */
export type Answer = number | { readonly status: number; readonly headers: Readonly<Record<string, string>> } | Promise<SendResult>;

export function answered(status: number, headers: Readonly<Record<string, string>> = {}): SendResult {
  const retryAfter = headers['retry-after'];
  return {
    status,
    cause: causeOfStatus(status),
    headers,
    body: new Uint8Array(0),
    truncated: false,
    durationMs: 12,
    timings: { dnsMs: 1, connectMs: 1, tlsMs: 1, firstByteMs: 8 },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

export interface World extends Time {
  readonly path: string;
  readonly storage: Storage;
  readonly vault: Vault;
  readonly engine: Engine;
  /** Every call that was sent, in order. */
  readonly calls: Call[];
  /** What the log was told as a warning or an error. */
  readonly troubles: string[];
  /** What endpoints answer from now on; 200 at first. */
  answer(how: Answer | ((request: SendRequest, index: number) => Answer)): void;
  /** Answers with the endpoint's id, ready to be sent to. */
  endpoint(input?: Partial<NewEndpoint>): Promise<string>;
  /** One more engine on the same store, as after a restart or on a second node; not started. */
  another(over?: Storage): Engine;
  source(provider: string, more?: { secret?: string; merchant?: string }): Promise<Source>;
  /** Sends a rightly signed webhook (or with what `more` changes) to a source. */
  receive(source: Source, input: Partial<ForgeInput> & { type: string }): Promise<Accepted>;
  stop(): Promise<void>;
}

/** The real engine over the real embedded store; clock, timers, randomness and the endpoints' answers are the test's. */
export async function makeWorld({
  dir,
  wrap,
  retention,
}: { dir?: string; wrap?: (storage: Storage) => Storage; retention?: Retention } = {}): Promise<World> {
  const folder = dir === undefined ? tempDir() : { path: dir, remove: () => undefined };
  const path = join(folder.path, 'paybell.db');
  const time = manualTime();
  const random = seededBytes();
  const calls: Call[] = [];
  const troubles: string[] = [];
  let how: (request: SendRequest, index: number) => Answer = () => 200;
  const real = await openStorage(path, { threads: false });
  await real.open();
  const storage = wrap === undefined ? real : wrap(real);
  const log: Log = {
    info: () => undefined,
    warn: (_fields, message) => troubles.push(message),
    error: (fields, message) => troubles.push(`${message} ${JSON.stringify(fields)}`),
  };
  const vault = makeVault([{ name: 'test', bytes: Buffer.alloc(32, 7) }], seededBytes(9));
  const send = (request: SendRequest): Promise<SendResult> => {
    const given = how(request, calls.push({ at: time.clock.now(), request }) - 1);
    if (given instanceof Promise) return given;
    return Promise.resolve(typeof given === 'number' ? answered(given) : answered(given.status, given.headers));
  };
  let engines = 0;
  const another = (over: Storage = storage): Engine =>
    createEngine({
      signal: noSignal,
      node: `node_${(engines += 1)}`,
      storage: over,
      send,
      clock: time.clock,
      timers: time.timers,
      random,
      log,
      vault,
      judgeUrl: () => null,
      ...(retention === undefined ? {} : { retention }),
      onFatal: (error) => {
        throw error;
      },
    });
  const engine = another();
  await engine.start();
  return {
    ...time,
    path,
    storage,
    vault,
    engine,
    calls,
    troubles,
    another,
    answer: (next) => void (how = typeof next === 'function' ? next : () => next),
    async endpoint(input = {}) {
      const { id } = await engine.directory.createEndpoint({ merchant: 'default', url: 'https://shop.example/hook', ...input });
      // The store is asked once whether something waits for it already.
      await time.advance(LOOK_MS);
      return id;
    },
    source(id, { secret, merchant = 'default' } = {}) {
      const provider = profile(id);
      const options = provider.exampleOptions;
      return engine.directory.createSource({
        merchant,
        provider: id,
        secrets: [secret ?? secretOf(provider)],
        ...(options && { options }),
      });
    },
    receive: (source, input) => engine.accept(source.id, inbound(source, { now: time.clock.now(), ...input })),
    async stop() {
      const stopping = engine.stop(1000);
      await time.advance(1000);
      await stopping;
      await storage.close();
      folder.remove();
    },
  };
}

export function profile(id: string): Provider {
  const provider = providerById(id);
  if (provider === undefined) throw new Error(`There is no provider ${id}.`);
  return provider;
}

/** A secret in the provider's own form, the same in every run. */
export function secretOf(provider: Provider, seed = 3): string {
  return provider.makeSecret(seededBytes(seed)(32));
}

/** A webhook as it comes in at the door. */
export function inbound(source: Source, input: Partial<ForgeInput> & { type: string; now: number }): Inbound {
  const { secrets, options } = source;
  const made = forge({
    provider: source.provider,
    id: 'evt_1',
    secret: secrets[0] ?? '',
    ...(options === null ? {} : { options }),
    ...input,
  });
  return arriving(made.headers, made.body);
}

export function arriving(headers: Readonly<Record<string, string>>, body: Uint8Array): Inbound {
  return { body, headers: normalHeaders(headers), rawHeaders: Object.entries(headers).flat(), url: 'https://paybell.example/in/x' };
}

/** A promise that the test keeps when it likes. */
export function held(): { readonly result: Promise<SendResult>; end(status: number): void } {
  const { promise, resolve } = Promise.withResolvers<SendResult>();
  return { result: promise, end: (status) => resolve(answered(status)) };
}
