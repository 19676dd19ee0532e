import type { Batch } from './stream.ts';

interface Pulse {
  readonly at: number;
  readonly requests: number;
  readonly rejected: number;
  readonly transactions: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly failedDeliveries: number;
}

const KEEP_MS = 30_000;
let pulses: readonly Pulse[] = [];
const seen = new Set<string>();

export function forgetPulses(): void {
  pulses = [];
  seen.clear();
}

/** Requests that came since `from` (milliseconds since 1970), for a chart that moves between two answers of `/v1/stats`. */
export function arrivalsSince(from: number): readonly Pulse[] {
  return pulses.filter((pulse) => pulse.at > from);
}

export function countArrivals(batch: Batch): void {
  const now = Date.now();
  const fresh = batch.request.filter((row) => !seen.has(row.id));
  for (const row of fresh) seen.add(row.id);
  for (const id of seen) {
    if (seen.size <= 5_000) break;
    seen.delete(id);
  }
  const pulse: Pulse = {
    at: now,
    requests: fresh.length,
    rejected: fresh.filter((row) => row.verdict === 'rejected').length,
    transactions: batch.transaction.length,
    succeeded: batch.transaction.filter((row) => row.status === 'succeeded').length,
    failed: batch.transaction.filter((row) => row.status === 'failed').length,
    failedDeliveries: batch.delivery.filter((row) => row.status === 'failed').length,
  };
  pulses = [...pulses.filter((earlier) => earlier.at > now - KEEP_MS), pulse];
}

/** One sentence on the last seconds for people who listen instead of look. */
export function summary(sinceMs: number): string {
  const recent = arrivalsSince(Date.now() - sinceMs);
  const sum = (pick: (pulse: Pulse) => number): number => recent.reduce((total, pulse) => total + pick(pulse), 0);
  const changes = sum((pulse) => pulse.transactions);
  if (changes === 0 && sum((pulse) => pulse.requests) === 0) return '';
  const parts = [
    `${changes} transaction updates`,
    `${sum((pulse) => pulse.succeeded)} succeeded`,
    `${sum((pulse) => pulse.failed)} failed`,
  ];
  const failedDeliveries = sum((pulse) => pulse.failedDeliveries);
  if (failedDeliveries > 0) parts.push(`${failedDeliveries} deliveries failed`);
  return `${parts.join(', ')}.`;
}
