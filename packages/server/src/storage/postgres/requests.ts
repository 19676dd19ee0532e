import type { Pool } from 'pg';
import type { ById, Page, QuarantineBounds, RequestQuery, RequestRow } from '../contract.ts';
import { ask, condition, ofMerchant, page } from './page.ts';
import { once } from './transact.ts';

const COLUMNS = `id, merchant, source, provider, received_at AS "receivedAt", verdict, reason, diagnosis, size, sha256, headers, duplicates`;

/** Newest first, each with the bytes of those before it: what lies beyond a bound goes. */
const PRUNE = {
  name: 'prune',
  text: `DELETE FROM requests WHERE seq IN (
      SELECT seq FROM (SELECT seq, received_at, row_number() OVER newest AS place, sum(size) OVER newest AS bytes
        FROM requests WHERE source = $1 AND verdict = 'rejected' WINDOW newest AS (ORDER BY seq DESC)) q
      WHERE place > $2 OR bytes > $3 OR received_at < $4) RETURNING seq`,
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
      const [row] = await ask<{ body: Uint8Array }>(reads, `SELECT body FROM requests WHERE id = ? AND ${tenant.sql}`, [
        id,
        ...tenant.values,
      ]);
      return row?.body ?? null;
    },
    async prune({ source, maxCount, maxBytes, olderThan }: QuarantineBounds): Promise<number> {
      return (await once(hot, { ...PRUNE, values: [source, maxCount, maxBytes, olderThan] })).length;
    },
  };
}
