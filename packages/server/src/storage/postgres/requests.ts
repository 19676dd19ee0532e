import type { Pool } from 'pg';
import type { ById, Page, QuarantineBounds, RequestQuery, RequestRow } from '../contract.ts';
import { ask, condition, ofMerchant, page } from './page.ts';
import { once } from './transact.ts';

const COLUMNS = `id, merchant, source, provider, received_at AS "receivedAt", verdict, reason, diagnosis, size, sha256, headers, duplicates, expired_at AS "expiredAt"`;

/** Oldest first, each with what there was when those before it had gone: while that lies beyond a bound, it goes. */
const PRUNE = {
  name: 'prune',
  text: `WITH held AS (SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM requests WHERE source = $1 AND verdict = 'rejected'),
      oldest AS (SELECT seq, size FROM requests WHERE source = $1 AND verdict = 'rejected' ORDER BY seq LIMIT $4),
      ranked AS (SELECT seq, row_number() OVER oldest - 1 AS before, sum(size) OVER oldest - size AS bytes_before
        FROM oldest WINDOW oldest AS (ORDER BY seq))
    DELETE FROM requests WHERE seq IN (SELECT seq FROM ranked, held WHERE count - before > $2 OR bytes - bytes_before > $3) AND verdict = 'rejected' RETURNING seq`,
};

/** Reads requests, and keeps the quarantine within its bounds. */
export function requestOperations(hot: Pool, reads: Pool) {
  return {
    listRequests: (query: RequestQuery): Promise<Page<RequestRow>> => {
      const conditions = [condition('source = ?', query.source), condition('verdict = ?', query.verdict)];
      const rejectedOfSource = query.source !== undefined && query.verdict !== undefined && query.verdict !== 'accepted';
      return page<RequestRow>(reads, {
        query,
        columns: `seq, ${COLUMNS}`,
        from: 'requests',
        // The index of what was not accepted needs the source; a merchant's own is looked through.
        ...(rejectedOfSource ? { found: conditions } : { filters: conditions }),
        oldestBy: query.oldestFirst === true ? 'requests_seq_seq' : undefined,
      });
    },
    async getRequest({ merchant, id }: ById): Promise<RequestRow | null> {
      const tenant = ofMerchant(merchant);
      const [row] = await ask<RequestRow>(reads, `SELECT ${COLUMNS} FROM requests WHERE id = ? AND ${tenant.sql}`, [id, ...tenant.values]);
      return row ?? null;
    },
    async getRequestBody({ merchant, id }: ById): Promise<Uint8Array | null> {
      const tenant = ofMerchant(merchant);
      const [row] = await ask<{ body: Uint8Array | null }>(reads, `SELECT body FROM requests WHERE id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      return row?.body ?? null;
    },
    async prune({ source, maxCount, maxBytes, limit }: QuarantineBounds): Promise<number> {
      return (await once(hot, { ...PRUNE, values: [source, maxCount, maxBytes, limit] })).length;
    },
  };
}
