import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const LONGEST_RUN_MS = 60_000;
const STDERR = 2;

/**
 * Names the seed whose run never ends, and ends the process: a loop without an end leaves nobody else to do so. The answer says
 * which seed runs now.
 */
export function watchdog(): { now(seed: number): void; stop(): Promise<number> } {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), { workerData: shared });
  worker.unref();
  return {
    now(seed) {
      Atomics.store(shared, 0, seed);
      Atomics.add(shared, 1, 1);
      Atomics.notify(shared, 1);
    },
    stop: () => worker.terminate(),
  };
}

if (!isMainThread && workerData instanceof Int32Array) {
  for (;;) {
    const round = Atomics.load(workerData, 1);
    if (Atomics.wait(workerData, 1, round, LONGEST_RUN_MS) !== 'timed-out' || round === 0) continue;
    writeSync(
      STDERR,
      `\nSeed ${Atomics.load(workerData, 0)} never ends. Run it again with: PAYBELL_SIMULATION_SEED=${Atomics.load(workerData, 0)} npm test -- simulation/seeds\n`,
    );
    process.kill(process.pid, 'SIGKILL');
  }
}
