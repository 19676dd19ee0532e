import type { DatabaseSync } from 'node:sqlite';
import { Tally } from '../../ledger/tally.ts';
import type { Arrival, NewEvent, NewRequest, Recorded, RecordedEvent, RequestVerdict } from '../contract.ts';
import { deliveryWriter } from './deliveries.ts';
import { eventKey, eventKeys } from './keys.ts';
import { ledgerWriter } from './ledger.ts';
import { tallyWriter } from './tallies.ts';
import { atomically } from './transact.ts';
import type { UnpackedEvent } from './wire.ts';

/** Beyond this many, a repeat of one event is only counted: a storm of duplicates must not fill the disk. */
const DUPLICATES_KEPT = 20;

interface Known {
  id: string;
  digest: string;
  request: string | null;
  duplicates: number;
  deliveries: number;
}

/** The one commit behind every acknowledgement. */
export function recordOperations(db: DatabaseSync) {
  const insertRequest = db.prepare(
    `INSERT INTO requests (id, merchant, source, provider, received_at, verdict, reason, diagnosis, size, sha256, events, headers, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const rewriteVerdict = db.prepare('UPDATE requests SET verdict = ?, reason = ?, diagnosis = ?, events = ? WHERE id = ?');
  const verdictNow = db.prepare('SELECT verdict FROM requests WHERE id = ?');
  const insertEvent = db.prepare(
    `INSERT INTO events (id, merchant, provider, source, request, item, type, scope, dedupe_key, digest, sequence, occurred_at, recorded_at,
       state, note, transaction_id, routed, movement, data, previous)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const knownEvent = db.prepare(
    `SELECT id, digest, request, duplicates, (SELECT count(*) FROM deliveries WHERE event = events.id) AS deliveries FROM events WHERE seq = ?`,
  );
  const countRepeat = db.prepare('UPDATE events SET duplicates = duplicates + ?, variants = variants + ? WHERE id = ?');
  const countOnRequest = db.prepare('UPDATE requests SET duplicates = duplicates + 1 WHERE id = ?');
  const keys = eventKeys(db);
  const ledger = ledgerWriter(db);
  const deliveries = deliveryWriter(db);
  const tallies = tallyWriter(db);

  function writeRequest(request: NewRequest, judged: { verdict: RequestVerdict; reason: string | null; events: number }): void {
    const { verdict, reason, events } = judged;
    // Where the quarantine was pruned in between, it is written once more: an event must never stand without its bytes.
    if (request.known === true && rewriteVerdict.run(verdict, reason, request.diagnosis, events, request.id).changes > 0) return;
    insertRequest.run(
      request.id,
      request.merchant,
      request.source,
      request.provider,
      request.receivedAt,
      verdict,
      reason,
      request.diagnosis,
      request.body.byteLength,
      request.sha256,
      events,
      request.headers,
      request.body,
    );
  }

  /** Inserts the event, or finds the one that holds its key. */
  function writeEvent(event: NewEvent): { outcome: RecordedEvent['outcome']; known: Known | null } {
    const scope = event.source ?? event.merchant;
    const key = eventKey(scope, event.dedupeKey);
    const before = keys.find(key);
    if (before !== null) return repeat(event, knownEvent.get(before) as unknown as Known);
    const { transaction } = event;
    const { lastInsertRowid } = insertEvent.run(
      event.id,
      event.merchant,
      event.provider,
      event.source,
      event.request,
      event.item,
      event.type,
      scope,
      event.dedupeKey,
      event.digest,
      event.sequence,
      event.occurredAt,
      event.recordedAt,
      event.state,
      event.note,
      event.transaction,
      event.deliveries.length,
      movementText(event),
      event.data,
      transaction === null ? null : ledger.previousOf(transaction),
    );
    const seq = Number(lastInsertRowid);
    keys.add(key, seq);
    if (transaction !== null) ledger.follows(transaction, seq);
    return { outcome: 'stored', known: null };
  }

  /** The same key again: a duplicate, or a variant where it says something else. Counted as evidence, nothing more. */
  function repeat(event: NewEvent, known: Known): { outcome: 'duplicate' | 'variant'; known: Known } {
    const variant = known.digest !== event.digest;
    countRepeat.run(variant ? 0 : 1, variant ? 1 : 0, known.id);
    if (known.request !== null) countOnRequest.run(known.request);
    return { outcome: variant ? 'variant' : 'duplicate', known };
  }

  /** What a quarantined request is now that somebody else has taken it in: nothing is written or counted once more. */
  function decided(verdict: RequestVerdict, events: Arrival['events']): Recorded {
    const lines = events.map((event): RecordedEvent => {
      const seq = keys.find(eventKey(event.source ?? event.merchant, event.dedupeKey));
      const known = seq === null ? undefined : (knownEvent.get(seq) as unknown as Known);
      const outcome = known === undefined || known.digest === event.digest ? 'duplicate' : 'variant';
      return { outcome, id: known?.id ?? event.id, deliveries: known?.deliveries ?? 0, bodies: null };
    });
    return { requestVerdict: verdict, events: lines, transactions: [] };
  }

  function recordOne(arrival: Arrival, tally: Tally): { recorded: { -readonly [K in keyof Recorded]: Recorded[K] }; stored: NewEvent[] } {
    const stored: NewEvent[] = [];
    const now =
      arrival.request?.known === true ? (verdictNow.get(arrival.request.id) as { verdict: RequestVerdict } | undefined) : undefined;
    if (now !== undefined && now.verdict !== 'rejected') return { recorded: decided(now.verdict, arrival.events), stored };
    const events: RecordedEvent[] = [];
    let repeats = 0;
    let variants = 0;
    let evidence = true;
    for (const event of arrival.events) {
      const { outcome, known } = writeEvent(event);
      if (known === null) {
        stored.push(event);
        tally.count({ merchant: event.merchant, at: event.recordedAt, name: 'events', provider: event.provider });
        events.push({ outcome, id: event.id, deliveries: event.deliveries.length, bodies: null });
      } else {
        repeats += 1;
        if (outcome === 'variant') variants += 1;
        else if (known.duplicates >= DUPLICATES_KEPT) evidence = false;
        events.push({ outcome, id: known.id, deliveries: known.deliveries, bodies: null });
      }
    }
    const { request } = arrival;
    if (request === null) return { recorded: { requestVerdict: null, events, transactions: [] }, stored };
    const duplicate = repeats > 0 && repeats === arrival.events.length;
    const verdict = duplicate ? 'duplicate' : request.verdict;
    const known = request.known === true;
    if (known || !duplicate || evidence || variants > 0)
      writeRequest(request, { verdict, reason: variants > 0 ? 'variant' : request.reason, events: stored.length });
    const counted = { merchant: request.merchant, at: request.receivedAt, provider: request.provider };
    tally.count({ ...counted, name: verdict });
    if (known) tally.count({ ...counted, name: 'rejected', by: -1 });
    return { recorded: { requestVerdict: verdict, events, transactions: [] }, stored };
  }

  const settle = (committed: boolean): void => {
    keys.settle(committed);
    ledger.settle(committed);
  };

  const record = (arrivals: readonly Arrival[]): Recorded[] =>
    atomically(
      db,
      () => {
        const tally = new Tally();
        const written = arrivals.map((arrival) => recordOne(arrival, tally));
        const fresh = written.flatMap(({ stored }) => stored.filter((event) => event.transaction !== null));
        const folded = ledger.fold(fresh, tally);
        for (const { recorded, stored } of written) {
          const transactions: string[] = [];
          for (const event of stored) {
            const touched = event.transaction === null ? undefined : folded.get(event.transaction);
            if (touched !== undefined) transactions.push(...touched.splice(0));
            if (event.deliveries.length === 0) continue;
            const bodies = deliveries.insert(event, event.transaction === null ? null : ledger.rowOf(event.transaction));
            if (bodies !== null) recorded.events = recorded.events.map((line) => (line.id === event.id ? { ...line, bodies } : line));
          }
          recorded.transactions = transactions;
        }
        tallies.write(tally);
        keys.flush();
        return written.map(({ recorded }) => recorded);
      },
      settle,
    );

  return { record };
}

function movementText(event: NewEvent | UnpackedEvent): string | null {
  if ('movementText' in event) return event.movementText;
  return event.movement === null ? null : JSON.stringify(event.movement);
}
