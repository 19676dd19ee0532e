import type { DatabaseSync } from 'node:sqlite';
import type { ById, Page, QuarantineBounds, RequestQuery, RequestRow } from '../contract.ts';
import { condition, page } from './page.ts';
import type { PageOf } from './page.ts';
import { atomically } from './transact.ts';

const COLUMNS =
  'seq, id, merchant, source, provider, received_at AS receivedAt, verdict, reason, diagnosis, size, sha256, headers, duplicates, expired_at AS expiredAt';

/** Reads requests, and keeps the quarantine within its bounds. */
export function requestOperations(db: DatabaseSync) {
  const quarantined = `FROM requests INDEXED BY requests_quarantined WHERE source = ? AND verdict = 'rejected'`;
  const held = db.prepare(`SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes ${quarantined}`);
  const oldest = db.prepare(`SELECT seq, size ${quarantined} ORDER BY seq LIMIT ?`);
  const drop = db.prepare('DELETE FROM requests WHERE seq = ?');
  return {
    listRequests: (query: RequestQuery): Page<RequestRow> =>
      page<RequestRow>(db, {
        query,
        columns: COLUMNS,
        ...narrowed(query),
        ...(query.oldestFirst === true ? { oldestFirst: true } : {}),
      }),
    getRequest: ({ merchant, id }: ById): RequestRow | null => {
      const row = db.prepare(`SELECT ${COLUMNS} FROM requests WHERE id = ? AND (? IS NULL OR merchant = ?)`).get(id, merchant, merchant);
      return row === undefined ? null : (row as unknown as RequestRow);
    },
    getRequestBody: ({ merchant, id }: ById): Uint8Array | null => {
      const row = db.prepare('SELECT body FROM requests WHERE id = ? AND (? IS NULL OR merchant = ?)').get(id, merchant, merchant);
      return (row?.['body'] as Uint8Array | undefined) ?? null;
    },
    prune: ({ source, maxCount, maxBytes, limit }: QuarantineBounds): number =>
      atomically(db, () => {
        let { count, bytes } = held.get(source) as { count: number; bytes: number };
        let gone = 0;
        for (const { seq, size } of oldest.all(source, limit) as { seq: number; size: number }[]) {
          if (count <= maxCount && bytes <= maxBytes) break;
          drop.run(seq);
          count -= 1;
          bytes -= size;
          gone += 1;
        }
        return gone;
      }),
  };
}

/** Few requests are not accepted, so those are found by their own index; the planner cannot know that, and has to be told. */
function narrowed({ merchant, source, verdict }: RequestQuery): Pick<PageOf<RequestRow>, 'from' | 'found' | 'filters'> {
  const ofSource = condition('source = ?', source);
  const ofVerdict = condition('verdict = ?', verdict);
  if (merchant === null || verdict === undefined || verdict === 'accepted') return { from: 'requests', filters: [ofSource, ofVerdict] };
  const indexed = { sql: `verdict <> 'accepted'`, values: [] };
  return { from: 'requests INDEXED BY requests_not_accepted', found: [ofVerdict, indexed], filters: [ofSource] };
}
