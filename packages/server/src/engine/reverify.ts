import type { Accept } from './accept.ts';
import { turns } from './directory/turns.ts';
import type { InnerDirectory } from './directory.ts';
import type { Engine } from './faces.ts';
import type { Storage } from './ports.ts';

const PAGE = 100;

/** Judges the quarantine of a source again, oldest first, each request as of its own arrival. */
export function createReverify(parts: { storage: Storage; directory: InnerDirectory; accept: Accept }): Engine['reverify'] {
  const { storage, directory, accept } = parts;
  const inTurn = new Map<string, ReturnType<typeof turns>>();

  async function judgeAll(merchant: string | null, id: string): ReturnType<Engine['reverify']> {
    const source = directory.source(merchant, id);
    const sum = { checked: 0, accepted: 0, rejected: 0 };
    let cursor: string | null = null;
    do {
      const page = await storage.listRequests({
        merchant: source.merchant,
        source: id,
        verdict: 'rejected',
        limit: PAGE,
        cursor,
        oldestFirst: true,
      });
      for (const row of page.rows) {
        const body = await storage.getRequestBody({ merchant: source.merchant, id: row.id });
        if (body === null) continue;
        sum.checked += 1;
        sum[await accept.judgeAgain(source, { id: row.id, receivedAt: row.receivedAt, headers: row.headers, sha256: row.sha256, body })] +=
          1;
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
    return sum;
  }

  // Two at once would judge the same request twice, and the second would take it for a repeat of itself.
  return (merchant, id) => {
    let turn = inTurn.get(id);
    if (turn === undefined) inTurn.set(id, (turn = turns(() => directory.refresh())));
    return turn(() => judgeAll(merchant, id));
  };
}
