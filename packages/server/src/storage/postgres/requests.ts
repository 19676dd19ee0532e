import type { Pool } from 'pg';
import type { ById, Page, QuarantineBounds, RequestQuery, RequestRow } from '../contract.ts';
import { goneSince } from './contents.ts';
import { ask, condition, ofMerchant, page } from './page.ts';
import { once } from './transact.ts';

const COLUMNS = `q.id, q.merchant, q.source, q.provider, q.received_at AS "receivedAt", q.verdict, q.reason, q.diagnosis, q.size, q.sha256,
  coalesce(c.headers, '[]') AS headers, q.duplicates, ${goneSince('contents', 'q.received_at', 'c.headers')} AS "expiredAt"`;

const contentOf = (column: 'headers' | 'body'): string =>
  `requests q LEFT JOIN LATERAL (SELECT ${column} FROM contents WHERE at = q.received_at AND id = q.id OFFSET 0) c ON true`;

/** Of requests that are `gone`. */
export const WITH_CONTENT = 'DELETE FROM contents c USING gone g WHERE c.at = g.received_at AND c.id = ANY (ARRAY[g.id])';

/**
 * Oldest first, each with what there was when those before it had gone: while that lies beyond a bound, it goes. What has been accepted
 * meanwhile does not; the condition says so in a form that leads nobody through the index of all that was not.
 */
const PRUNE = {
  name: 'prune',
  text: `WITH held AS (SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM requests WHERE source = $1 AND verdict = 'rejected'),
      oldest AS (SELECT seq, size FROM requests WHERE source = $1 AND verdict = 'rejected' ORDER BY seq LIMIT $4),
      ranked AS (SELECT seq, row_number() OVER oldest - 1 AS before, sum(size) OVER oldest - size AS bytes_before
        FROM oldest WINDOW oldest AS (ORDER BY seq)),
    beyond AS (SELECT seq FROM ranked, held WHERE count - before > $2 OR bytes - bytes_before > $3),
    gone AS (DELETE FROM requests q USING beyond b WHERE q.seq = ANY (ARRAY[b.seq]) AND q.verdict || '' = 'rejected' RETURNING q.id, q.received_at),
    emptied AS (${WITH_CONTENT})
    SELECT id FROM gone`,
};

/** Reads requests, and keeps the quarantine within its bounds. */
export function requestOperations(hot: Pool, reads: Pool) {
  return {
    listRequests: (query: RequestQuery): Promise<Page<RequestRow>> => {
      const conditions = [condition('q.source = ?', query.source), condition('q.verdict = ?', query.verdict)];
      const rejectedOfSource = query.source !== undefined && query.verdict !== undefined && query.verdict !== 'accepted';
      return page<RequestRow>(reads, {
        query,
        columns: `q.seq, ${COLUMNS}`,
        from: contentOf('headers'),
        walked: 'requests q',
        alias: 'q',
        // The index of what was not accepted needs the source; a merchant's own is looked through.
        ...(rejectedOfSource ? { found: conditions } : { filters: conditions }),
        oldestBy: query.oldestFirst === true ? 'requests_seq_seq' : undefined,
      });
    },
    async getRequest({ merchant, id }: ById): Promise<RequestRow | null> {
      const tenant = ofMerchant(merchant, 'q.merchant');
      const [row] = await ask<RequestRow>(reads, `SELECT ${COLUMNS} FROM ${contentOf('headers')} WHERE q.id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      return row ?? null;
    },
    async getRequestBody({ merchant, id }: ById): Promise<Uint8Array | null> {
      const tenant = ofMerchant(merchant, 'q.merchant');
      const [row] = await ask<{ body: Uint8Array | null }>(
        reads,
        `SELECT c.body FROM ${contentOf('body')} WHERE q.id = ? AND ${tenant.sql}`,
        [id, ...tenant.values],
      );
      return row?.body ?? null;
    },
    async prune({ source, maxCount, maxBytes, limit }: QuarantineBounds): Promise<number> {
      return (await once(hot, { ...PRUNE, values: [source, maxCount, maxBytes, limit] })).length;
    },
  };
}
