import type { Pool, PoolClient } from 'pg';
import { Tally } from '../../ledger/tally.ts';
import type { Arrival, Recorded, RecordedEvent } from '../contract.ts';
import type { RowTypes } from './arrays.ts';
import { insertContents } from './contents.ts';
import type { ContentRow } from './contents.ts';
import { insertDeliveries, prepareDeliveries } from './deliveries.ts';
import type { PreparedDeliveries, Queued } from './deliveries.ts';
import { StorageError, isLost, isReadOnly, isRepeated, isTransient, isUnmet, storageError } from './errors.ts';
import { HeldRows, childless, lockStatement, namedBy } from './held.ts';
import { judge } from './judge.ts';
import type { Judged } from './judge.ts';
import { foldEvents, foldNew, writeTransactions } from './ledger.ts';
import type { LedgerChange } from './ledger.ts';
import { countOnRequests, countRepeats, insertEvents, insertNewEvents, insertRequests, knownEvents, markEvents } from './log.ts';
import { createNovelty } from './novelty.ts';
import { BEGIN_NUMBERING } from './numbered.ts';
import type { OnShard } from './shards.ts';
import type { Skew } from './skew.ts';
import { runSteps, statementOf } from './steps.ts';
import type { Step } from './steps.ts';
import { writeTallies } from './tallies.ts';
import { TryAgain, atomically, commit, together } from './transact.ts';
import { inOneTrip } from './trip.ts';
import { NONE_DECIDED, decidedRequests, written } from './written.ts';
import type { Written } from './written.ts';

/**
 * The one commit behind every acknowledgement. Where all is new, in one round trip: the fold begins from nothing, and the database refuses
 * the whole where something was there. Else in two: BEGIN with the new events, the locks of what they touch and its rows as they stand
 * then; and everything else in one statement with the commit. The fold between the two is JavaScript.
 */
export function recordOperations(hot: Pool, parts: { readonly skew: Skew; readonly onShard: OnShard; readonly types: RowTypes }) {
  const novelty = createNovelty();

  const carefully = (arrivals: readonly Arrival[], begun?: { readonly maybeDone: boolean }): Promise<Recorded[]> =>
    parts.onShard((shard) =>
      atomically(hot, (client, { maybeDone }) => recordOnce(client, { ...parts, arrivals, maybeDone, shard }), begun),
    );

  async function asNew(arrivals: readonly Arrival[]): Promise<Recorded[]> {
    try {
      const recorded = await parts.onShard((shard) => recordNew(hot, { ...parts, arrivals, shard }));
      novelty.proved(recorded !== null);
      if (recorded !== null) return recorded;
    } catch (error) {
      // No connection: nothing was sent.
      if (error instanceof StorageError) throw error;
      if (isLost(error)) return carefully(arrivals, { maybeDone: true });
      if (isReadOnly(error)) return carefully(arrivals);
      if (!isRepeated(error) && !isUnmet(error) && !isTransient(error)) throw storageError(error);
      novelty.proved(false);
    }
    return carefully(arrivals);
  }

  return {
    async record(arrivals: readonly Arrival[]): Promise<Recorded[]> {
      const { fresh, rest } = novelty.part(arrivals);
      if (rest.length === 0) return fresh.length === 0 ? [] : asNew(fresh);
      if (fresh.length === 0) return carefully(rest);
      const recorded = await both(asNew(fresh), carefully(rest));
      const answers = new Map([...fresh, ...rest].map((arrival, index) => [arrival, recorded[index] as Recorded]));
      return arrivals.map((arrival) => answers.get(arrival) as Recorded);
    },
  };
}

/** Where one of the two failed the other may stand. */
async function both(...parts: readonly Promise<Recorded[]>[]): Promise<Recorded[]> {
  const ended = await Promise.allSettled(parts);
  return ended.flatMap((part) => {
    if (part.status === 'fulfilled') return part.value;
    throw storageError(part.reason, { unsure: true });
  });
}

interface NewBatch {
  readonly arrivals: readonly Arrival[];
  readonly skew: Skew;
  readonly shard: number;
  readonly types: RowTypes;
}

interface Batch extends NewBatch {
  readonly maybeDone: boolean;
}

const NOTHING_BEFORE: Written = { requests: new Map(), events: new Map() };

/** Null where it takes more than that. */
async function recordNew(hot: Pool, { arrivals, skew, shard, types }: NewBatch): Promise<Recorded[] | null> {
  const events = arrivals.flatMap((arrival) => arrival.events);
  const fresh = new Set(events.map(({ id }) => id));
  const named = namedBy(events);
  const held = new HeldRows();
  held.begin(named);
  const judged = judge({ arrivals, fresh, known: new Map(), before: NOTHING_BEFORE, tally: new Tally() });
  const change = foldNew(events, held);
  if (change === null) return null;
  const prepared = routes(judged, { arrivals, held, skew });
  const steps = [
    childless(named),
    ...insertNewEvents(events),
    ...writeSteps({ judged, change, held, prepared: [...prepared.values()], quarantined: NONE_DECIDED.rejected, shard }),
  ];
  await inOneTrip(hot, [lockStatement(named), statementOf(steps, types)]);
  return arrivals.map((arrival, index) => answer(arrival, judged.recorded[index] as Recorded, { fresh, change, prepared }));
}

async function recordOnce(client: PoolClient, batch: Batch): Promise<Recorded[]> {
  const { arrivals, maybeDone, skew, types } = batch;
  const again = arrivals.filter(({ request }) => request?.known === true);
  const decided = again.length === 0 ? NONE_DECIDED : await decidedRequests(client, again);
  const all = arrivals.flatMap((arrival) => arrival.events);
  const events = decided.taken.size === 0 ? all : all.filter(({ request }) => !decided.taken.has(request ?? ''));
  const named = namedBy(events);
  const held = new HeldRows();
  const begun = together(
    client,
    () =>
      [
        again.length > 0 ? Promise.resolve(null) : client.query(events.length === 0 ? BEGIN_NUMBERING : 'BEGIN'),
        insertEvents(client, events, { locks: named, types }),
        held.read(client, named),
      ] as const,
  );
  const [, fresh] = await Promise.all(begun);
  const repeated = all.filter(({ id }) => !fresh.has(id));
  const touching = events.filter(({ id, transaction }) => transaction !== null && fresh.has(id));
  const [known, before] = await Promise.all([
    repeated.length === 0 ? new Map<never, never>() : knownEvents(client, repeated),
    written(client, { arrivals: maybeDone ? arrivals : [], events: repeated, decided: decided.taken }),
  ]);
  const judged = judge({ arrivals, fresh, known, before, tally: new Tally() });
  const change = await foldEvents(client, { events: touching, held });
  const prepared = routes(judged, { arrivals, held, skew });
  await write(client, { ...batch, judged, change, held, prepared: [...prepared.values()], quarantined: decided.rejected });
  return arrivals.map((arrival, index) => answer(arrival, judged.recorded[index] as Recorded, { fresh, change, prepared }));
}

interface Routing {
  readonly arrivals: readonly Arrival[];
  readonly held: HeldRows;
  readonly skew: Skew;
}

/** The deliveries of the new events. */
function routes({ stored }: Judged, { arrivals, held, skew }: Routing): Map<string, PreparedDeliveries> {
  const queued: Queued = new Map();
  const routed = stored.filter(({ deliveries }) => deliveries.length > 0);
  if (routed.length === 0) return new Map();
  const requests = new Map(arrivals.flatMap(({ request }) => (request === null ? [] : [[request.id, request]])));
  return new Map(
    routed.map((event) => {
      const { id, recordedAt, deliveries, transaction } = event;
      const row = transaction === null ? null : held.of(transaction).doc;
      const request = requests.get(event.request ?? '') ?? null;
      return [id, prepareDeliveries({ event, request, at: recordedAt, resend: null, deliveries, row }, { skew, queued })];
    }),
  );
}

interface Writes {
  readonly judged: Judged;
  readonly change: LedgerChange & { readonly sums: Tally };
  readonly held: HeldRows;
  readonly prepared: readonly PreparedDeliveries[];
  readonly shard: number;
  /** Of the requests that are judged again, those that are there. */
  readonly quarantined: ReadonlySet<string>;
}

function writeSteps({ judged, change, held, prepared, quarantined, shard }: Writes): Step[] {
  return [
    ...insertRequests(judged.requests),
    ...writeTransactions(held.changed()),
    ...insertDeliveries(prepared),
    ...insertContents(contentsOf(judged, { prepared, quarantined })),
    ...writeTallies([...judged.tally.lines.values(), ...change.sums.lines.values()], shard),
  ];
}

async function write(client: PoolClient, { maybeDone, types, ...writes }: Writes & Batch): Promise<void> {
  const { judged, change } = writes;
  try {
    await commit(client, () => [
      ...runSteps(client, writeSteps(writes), types),
      ...(judged.repeats.length === 0 ? [] : [countRepeats(client, judged.repeats)]),
      ...(judged.onRequests.size === 0 ? [] : [countOnRequests(client, judged.onRequests)]),
      ...(change.unfolded.size === 0 ? [] : [markEvents(client, change.unfolded)]),
    ]);
  } catch (error) {
    // Ids are made once: a request that is there already was written by a try whose answer was lost.
    if (isRepeated(error) && !maybeDone) throw new TryAgain('These requests are there already.');
    throw error;
  }
}

function contentsOf({ requests, stored }: Judged, { prepared, quarantined }: Pick<Writes, 'prepared' | 'quarantined'>): ContentRow[] {
  const rows: ContentRow[] = [];
  for (const { request } of requests) {
    const { id, receivedAt: at, headers, body } = request;
    if (!quarantined.has(id)) rows.push({ at, id, headers, data: null, body });
  }
  for (const { id, recordedAt: at, data } of stored) if (data !== null) rows.push({ at, id, headers: null, data, body: null });
  for (const { contents } of prepared) rows.push(...contents);
  return rows;
}

interface Outcome {
  readonly fresh: ReadonlySet<string>;
  readonly change: LedgerChange;
  readonly prepared: ReadonlyMap<string, PreparedDeliveries>;
}

/** Completes what was judged with what only the fold could know. */
function answer(arrival: Arrival, judged: Recorded, { fresh, change, prepared }: Outcome): Recorded {
  const transactions = [...judged.transactions];
  for (const { id, transaction } of arrival.events) {
    if (transaction === null || !fresh.has(id)) continue;
    transactions.push(...(change.changed.get(transaction)?.splice(0) ?? []));
  }
  const events = judged.events.map((line): RecordedEvent => {
    const bodies = line.outcome === 'stored' ? prepared.get(line.id)?.bodies : undefined;
    return bodies === undefined || Object.keys(bodies).length === 0 ? line : { ...line, bodies };
  });
  return { ...judged, events, transactions };
}
