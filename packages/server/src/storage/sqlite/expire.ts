import type { DatabaseSync } from 'node:sqlite';
import type { Expirable, Expired, ExpiryStep } from '../contract.ts';
import { attemptExpiry, eventExpiry, requestEmptier } from './expirable.ts';
import type { Walk } from './expirable.ts';
import { atomically } from './transact.ts';

/** What is still needed is looked at again after this long. */
const LOOK_AGAIN_MS = 6 * 3_600_000;

/** Drops content whose time is over: each step is one short commit, so that an acknowledgement never waits for more than that. */
export function expiryOperations(db: DatabaseSync) {
  const walks: Partial<Record<Expirable, Walk>> = { events: eventExpiry(db), attempts: attemptExpiry(db) };
  const walked = walker(db);
  const aside = db.prepare(
    `SELECT seq, size FROM requests INDEXED BY requests_aside WHERE verdict = ? AND verdict <> 'accepted' AND expired_at IS NULL AND received_at < ?
     ORDER BY received_at LIMIT ?`,
  );
  const empty = requestEmptier(db);
  const drop = db.prepare('DELETE FROM requests WHERE seq = ?');

  /** Requests that no event holds: they need no place to go on from, because what went is not found again. */
  function expireAside({ what, before, now, rows, bytes }: ExpiryStep): Expired {
    const found = aside.all(what === 'quarantine' ? 'rejected' : 'duplicate', before, rows) as { seq: number; size: number }[];
    let dropped = 0;
    let expired = 0;
    for (const { seq, size } of found) {
      if (what === 'quarantine') drop.run(seq);
      else empty(seq, now);
      expired += 1;
      dropped += size;
      if (dropped >= bytes) break;
    }
    return { expired, keptBack: 0, bytes: dropped, more: expired < found.length || found.length === rows };
  }

  return {
    expire: (step: ExpiryStep): Expired =>
      atomically(db, () => {
        const walk = walks[step.what];
        return walk === undefined ? expireAside(step) : walked(walk, step);
      }),
  };
}

/** Walks a table by row order, and looks again at what it had to leave behind. */
function walker(db: DatabaseSync): (walk: Walk, step: ExpiryStep) => Expired {
  const cursor = db.prepare('SELECT text FROM notes WHERE name = ?');
  const move = db.prepare('INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text');
  const lookedAt = db.prepare('SELECT look_at AS lookAt, seq FROM kept_back WHERE what = ? AND look_at <= ? ORDER BY look_at LIMIT ?');
  const forget = db.prepare('DELETE FROM kept_back WHERE what = ? AND look_at = ? AND seq = ?');
  const keep = db.prepare('INSERT INTO kept_back (what, look_at, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');

  return ({ after, at, drop }, { what, before, now, rows, bytes }) => {
    const sum = { expired: 0, keptBack: 0, bytes: 0 };
    const full = (): boolean => sum.bytes >= bytes;
    const judge = (seq: number, since: number): void => {
      const dropped = since < before ? drop(seq, { now, before }) : null;
      if (dropped === null) {
        sum.keptBack += 1;
        keep.run(what, now + (since < before ? LOOK_AGAIN_MS : since - before + 1), seq);
      } else if (dropped > 0) {
        sum.expired += 1;
        sum.bytes += dropped;
      }
    };

    const again = lookedAt.all(what, now, rows) as { lookAt: number; seq: number }[];
    for (const { lookAt, seq } of again) {
      if (full()) return { ...sum, more: true };
      forget.run(what, lookAt, seq);
      const since = at(seq);
      if (since !== null) judge(seq, since);
    }
    const note = `expired ${what}`;
    const from = Number(cursor.get(note)?.['text'] ?? 0);
    const next = after(from, rows - again.length);
    // Rows stand in order of arrival and almost in that of time: a young one among older ones is left behind, the young end is not reached.
    const due = next.slice(0, next.findLastIndex((row) => row.at < before) + 1);
    let upto = from;
    for (const row of due) {
      if (full()) break;
      judge(row.seq, row.at);
      upto = row.seq;
    }
    if (upto > from) move.run(note, String(upto));
    return { ...sum, more: full() || again.length === rows || (due.length > 0 && again.length + due.length === rows) };
  };
}
