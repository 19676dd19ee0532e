import type { Pool, PoolClient } from 'pg';
import { Tally } from '../../ledger/tally.ts';
import type { Arrival, Recorded, RecordedEvent } from '../contract.ts';
import type { RowTypes } from './arrays.ts';
import { insertDeliveries, prepareDeliveries } from './deliveries.ts';
import type { PreparedDeliveries, Queued } from './deliveries.ts';
import { isRepeated } from './errors.ts';
import { HeldRows, namedBy } from './held.ts';
import { judge } from './judge.ts';
import type { Judged } from './judge.ts';
import { foldEvents, writeTransactions } from './ledger.ts';
import type { LedgerChange } from './ledger.ts';
import { countOnRequests, countRepeats, insertEvents, insertRequests, knownEvents, markEvents } from './log.ts';
import { writeReferences } from './refs.ts';
import { BEGIN_NUMBERING } from './numbered.ts';
import type { OnShard } from './shards.ts';
import type { Skew } from './skew.ts';
import { runSteps } from './steps.ts';
import { writeTallies } from './tallies.ts';
import { TryAgain, atomically, commit, together } from './transact.ts';
import { NONE_DECIDED, decidedRequests, written } from './written.ts';

/**
 * The one commit behind every acknowledgement, in two round trips: BEGIN with the new events, the locks of what they touch and its rows
 * as they stand then; and everything else in one statement with the commit. The fold between the two is JavaScript.
 */
export function recordOperations(hot: Pool, parts: { readonly skew: Skew; readonly onShard: OnShard; readonly types: RowTypes }) {
  return {
    record: (arrivals: readonly Arrival[]): Promise<Recorded[]> =>
      arrivals.length === 0
        ? Promise.resolve([])
        : parts.onShard((shard) =>
            atomically(hot, (client, { maybeDone }) => recordOnce(client, { ...parts, arrivals, maybeDone, shard })),
          ),
  };
}

interface Batch {
  readonly arrivals: readonly Arrival[];
  readonly maybeDone: boolean;
  readonly skew: Skew;
  readonly shard: number;
  readonly types: RowTypes;
}

async function recordOnce(client: PoolClient, batch: Batch): Promise<Recorded[]> {
  const { arrivals, maybeDone, skew, types } = batch;
  const again = arrivals.filter(({ request }) => request?.known === true);
  const decided = again.length === 0 ? NONE_DECIDED : await decidedRequests(client, again);
  const all = arrivals.flatMap((arrival) => arrival.events);
  const events = decided.size === 0 ? all : all.filter(({ request }) => !decided.has(request ?? ''));
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
    written(client, { arrivals: maybeDone ? arrivals : [], events: repeated, decided }),
  ]);
  const judged = judge({ arrivals, fresh, known, before, tally: new Tally() });
  const change = await foldEvents(client, { events: touching, held });
  const prepared = routes(judged, held, skew);
  await write(client, { ...batch, judged, change, held, prepared: [...prepared.values()] });
  return arrivals.map((arrival, index) => answer(arrival, judged.recorded[index] as Recorded, { fresh, change, prepared }));
}

/** The deliveries of the new events. */
function routes({ stored }: Judged, held: HeldRows, skew: Skew): Map<string, PreparedDeliveries> {
  const queued: Queued = new Map();
  const routed = stored.filter(({ deliveries }) => deliveries.length > 0);
  return new Map(
    routed.map((event) => {
      const { id, recordedAt, deliveries, transaction } = event;
      const row = transaction === null ? null : held.of(transaction).doc;
      return [id, prepareDeliveries({ event, at: recordedAt, resend: null, deliveries, row }, { skew, queued })];
    }),
  );
}

interface Writes extends Batch {
  readonly judged: Judged;
  readonly change: LedgerChange & { readonly sums: Tally };
  readonly held: HeldRows;
  readonly prepared: readonly PreparedDeliveries[];
}

async function write(client: PoolClient, { judged, change, held, prepared, shard, types, maybeDone }: Writes): Promise<void> {
  const changed = held.changed();
  const lines = [...judged.tally.lines.values(), ...change.sums.lines.values()];
  try {
    await commit(client, () => [
      ...runSteps(
        client,
        [
          ...insertRequests(judged.requests),
          ...writeTransactions(changed),
          ...writeReferences(change.references),
          ...insertDeliveries(prepared),
          ...writeTallies(lines, shard),
        ],
        types,
      ),
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
