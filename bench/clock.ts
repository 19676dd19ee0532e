import { performance } from 'node:perf_hooks';

// The monotonic clock of the machine is the same in every process, and no clock adjustment can bend a latency measured across two of them.
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds, with fractions, on a clock that all processes of this machine share. */
export function sharedNow(): number {
  return performance.now() + offsetMs;
}

/** What to add to `sharedNow()` to get milliseconds since 1970, as a browser page sees them. */
export function wallOffsetMs(): number {
  return performance.timeOrigin + performance.now() - sharedNow();
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Resolves at `atMs` of the shared clock to within a tenth of a millisecond; a timer alone is up to 1 ms late. */
export async function until(atMs: number): Promise<void> {
  const coarseMs = atMs - sharedNow() - 1.5;
  if (coarseMs > 0) await new Promise((resolve) => setTimeout(resolve, coarseMs));
  const restMs = atMs - sharedNow();
  if (restMs > 0) Atomics.wait(sleeper, 0, 0, restMs);
}
