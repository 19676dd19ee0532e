import type { Stats } from '../../api/types.ts';
import { arrivalsSince } from '../../live/pulse.ts';

/** Columns as uPlot takes them: seconds since 1970, then values per second. */
export type Columns = [number[], number[], number[], number[]];

/** A fresh installation has no past: its chart begins with its first webhook, and is never narrower than this. */
const FEWEST_BUCKETS = 18;

function firstBusy(columns: readonly (readonly number[])[]): number {
  const first = Math.min(...columns.map((column) => column.findIndex((count) => count > 0)).filter((index) => index >= 0));
  return Number.isFinite(first) ? Math.max(0, first - 1) : 0;
}

export interface Counted {
  readonly stats: Stats;
  readonly bucketMs: number;
  /** When the server counted, milliseconds since 1970. */
  readonly countedAt: number;
}

/** The server's buckets, and what the stream brought since they were counted; gaps are zero, not nothing. */
export function toColumns({ stats, bucketMs, countedAt }: Counted, now: number): Columns {
  const span = Date.parse(stats.to) - Date.parse(stats.from);
  const first = Math.floor((now - span) / bucketMs) * bucketMs;
  const length = Math.floor((now - first) / bucketMs) + 1;
  const accepted = new Array<number>(length).fill(0);
  const rejected = new Array<number>(length).fill(0);
  const failedTries = new Array<number>(length).fill(0);
  const add = (column: number[], at: number, count: number): void => {
    const index = Math.floor((at - first) / bucketMs);
    const old = column[index];
    if (old !== undefined) column[index] = old + count;
  };
  for (const point of stats.series) {
    const at = Date.parse(point.at);
    add(accepted, at, point.requests - point.rejected);
    add(rejected, at, point.rejected);
    add(failedTries, at, point.failedTries);
  }
  for (const pulse of arrivalsSince(countedAt)) {
    add(accepted, pulse.at, pulse.requests - pulse.rejected);
    add(rejected, pulse.at, pulse.rejected);
  }
  // The running bucket is not over yet: its rate is over the part that has passed.
  const lastMs = Math.max(1_000, now - (first + (length - 1) * bucketMs));
  const perSecond = (column: number[]): number[] =>
    column.map((count, index) => count / ((index === length - 1 ? lastMs : bucketMs) / 1_000));
  const from = Math.min(firstBusy([accepted, rejected, failedTries]), Math.max(0, length - FEWEST_BUCKETS));
  const times = Array.from({ length }, (_, index) => (first + index * bucketMs) / 1_000);
  return [times.slice(from), perSecond(accepted).slice(from), perSecond(rejected).slice(from), perSecond(failedTries).slice(from)];
}
