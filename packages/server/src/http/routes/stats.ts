import { STATUS_TABLE } from '@paybell/sdk';
import type { Status } from '@paybell/sdk';
import { parseDuration } from '../../engine/deliver/durations.ts';
import type * as store from '../../storage/contract.ts';
import { merchantOf } from '../auth.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { problems } from '../schema/common.ts';
import { Stats, StatsQuery } from '../schema/stats.ts';
import { maybeTime, rfc3339 } from '../time.ts';

const MAX_WINDOW_MS = 31 * 86_400_000;
const MAX_BUCKETS = 1_500;

export const stats: Routes = (api, { storage, clock }) => {
  api.get(
    '/stats',
    {
      schema: {
        tags: ['stats'],
        summary: 'Counts and money by provider, rail and status; delivery health',
        querystring: StatsQuery,
        response: { 200: Stats, ...problems('invalid_query', 'forbidden') },
      },
    },
    async (request) => {
      const { window = '15m', bucket = '1m', merchant } = request.query;
      const windowMs = span(window, { name: 'window', least: 1_000, most: MAX_WINDOW_MS });
      const bucketMs = span(bucket, { name: 'bucket', least: Math.max(1_000, Math.ceil(windowMs / MAX_BUCKETS)), most: windowMs });
      // Buckets lie on round times, so that a chart does not jitter from one call to the next.
      const to = Math.ceil((clock.now() + 1) / bucketMs) * bucketMs;
      const from = to - Math.ceil(windowMs / bucketMs) * bucketMs;
      const found = await storage.stats({ merchant: merchantOf(request.caller, merchant), from, to: to - 1, bucketMs });
      return { window, bucket, from: rfc3339(from), to: rfc3339(to), ...present(found) };
    },
  );
};

function present({ money, standing, series, providers, deliveries }: store.Stats) {
  return {
    money: [...money],
    pending: standing.filter(({ status }) => !STATUS_TABLE[status as Status].terminal),
    standing: [...standing],
    series: series.map(({ at, succeeded, failed, ...counts }) => ({
      at: rfc3339(at),
      ...counts,
      deliveries: succeeded,
      failedDeliveries: failed,
    })),
    providers: providers.map(({ lastAt, ...counts }) => ({ ...counts, lastAt: maybeTime(lastAt) })),
    deliveries,
  };
}

function span(text: string, { name, least, most }: { name: string; least: number; most: number }): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= least && ms <= most) return ms;
  const message = `must be between ${Math.ceil(least / 1_000)}s and ${Math.floor(most / 1_000)}s.`;
  throw new Problem('invalid_query', `${name}: ${message}`, { errors: [{ path: name, message }] });
}
