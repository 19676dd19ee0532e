import { createAccept } from './accept.ts';
import { createDiagnosis } from './diagnosis.ts';
import { createDeliver } from './deliver.ts';
import type { Deliver } from './deliver.ts';
import type { DirectoryParts } from './directory/parts.ts';
import { createDirectory } from './directory.ts';
import type { Engine } from './faces.ts';
import { createIds } from './ids.ts';
import { createNodes } from './nodes.ts';
import { createObserve } from './observe.ts';
import type { Clock, Log, RandomBytes, Send, Signal, Storage, Timers } from './ports.ts';
import { createOperational } from './operational.ts';
import { createRecorder } from './record.ts';
import { createResend } from './resend.ts';
import { createMany } from './resend/many.ts';
import { createReverify } from './reverify.ts';
import { createRouter } from './route.ts';
import { dataOf } from './accept/data.ts';
import { createTest } from './test.ts';
import { createUpkeep } from './upkeep.ts';
import type { Retention } from './upkeep.ts';
import { watched } from './watched.ts';

export interface EngineParts {
  readonly storage: Storage;
  readonly signal: Signal;
  /** Names this node. */
  readonly node: string;
  readonly send: Send;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly vault: DirectoryParts['vault'];
  readonly judgeUrl: DirectoryParts['judgeUrl'];
  /** How long an endpoint may do nothing but fail before it is disabled; null: for ever; absent: five days. */
  readonly disableAfterMs?: number | null;
  /** Absent: everything is kept for ever. */
  readonly retention?: Retention;
  /** The store cannot be trusted any more: end the process. */
  readonly onFatal: (error: Error) => void;
}

const DISABLE_AFTER_MS = 5 * 24 * 3_600_000;

/** The five steps put together: accept, record, deliver, observe, over one store. */
export function createEngine(given: EngineParts): Engine {
  const parts = { ...given, storage: watched(given.storage, given.onFatal) };
  const { storage, clock, timers, random, log } = parts;
  const newId = createIds(clock, random);
  const observe = createObserve(log);
  const directory = createDirectory({ ...parts, newId });
  const recorder = createRecorder({
    ...parts,
    observe,
    onRecorded: (arrival, recorded) => router.recorded(arrival, recorded),
    onDropped: (arrival) => router.dropped(arrival),
    onUnsure: (arrival) => router.unsure(arrival),
  });
  const { disableAfterMs = DISABLE_AFTER_MS } = parts;
  const deliver = createDeliver({ ...parts, directory, observe, disableAfterMs, owner: parts.node });
  const nodes = createNodes({ ...parts, directory, deliver, observe });
  // What this node has no room for is told to the others.
  const told: Deliver = {
    ...deliver,
    wake(endpoint, turn, at) {
      deliver.wake(endpoint, turn, at);
      if (!deliver.hasRoom(endpoint, turn)) nodes.due(endpoint);
    },
  };
  const router = createRouter({ directory, deliver: told, observe, newId });
  const accept = createAccept({ ...parts, directory, recorder, router, observe, newId });
  const operational = createOperational({ ...parts, directory, observe, publish: accept.publish });
  const resend = createResend({ storage, directory, deliver: told, router, observe, clock });
  const many = createMany({ ...parts, directory, deliver: told, router, observe, newId, owner: parts.node });
  const reverify = createReverify({ storage, directory, accept });
  const diagnose = createDiagnosis({ storage, directory });
  const test = createTest({ ...parts, directory, newId });
  const upkeep = createUpkeep({ ...parts, observe });

  return {
    directory,
    nodes: nodes.face,
    observe,
    accept: accept.accept,
    publish: accept.publish,
    ...test,
    ...resend,
    resendMany: many.resendMany,
    cancelResend: many.cancelResend,
    reverify,
    diagnose,
    dataOf,
    endpointNow: deliver.now,
    gauges: () => ({ waiting: recorder.waiting(), hanging: recorder.hanging(), ...deliver.gauges() }),
    async start() {
      await directory.load();
      await deliver.start();
      await many.start();
      await nodes.start();
      upkeep.start();
    },
    async stop(withinMs) {
      operational.stop();
      many.stop();
      // A store that hangs keeps nobody from stopping: leases end by themselves.
      const end = clock.now() + withinMs;
      let cancel = (): void => undefined;
      const late = new Promise<void>((resolve) => (cancel = timers.after(withinMs, resolve)));
      await Promise.race([Promise.all([upkeep.stop(), recorder.idle()]), late]);
      await deliver.stop(Math.max(0, end - clock.now()));
      await Promise.race([nodes.stop(), late]);
      cancel();
    },
  };
}
