import type { Tally } from '../../ledger/tally.ts';
import type { Arrival, NewEvent, NewRequest, Recorded, RecordedEvent } from '../contract.ts';
import type { Known, Repeats, RequestToWrite } from './log.ts';
import type { Written } from './written.ts';

/** Beyond this many, a repeat of one event is only counted: a storm of duplicates must not fill the disk. */
const DUPLICATES_KEPT = 20;

export interface Judgement {
  readonly arrivals: readonly Arrival[];
  /** Ids of the events that this commit inserted. */
  readonly fresh: ReadonlySet<string>;
  /** For each other event, the one that holds its key. */
  readonly known: ReadonlyMap<NewEvent, Known>;
  /** What a try before this one left behind. */
  readonly before: Written;
  readonly tally: Tally;
}

export interface Judged {
  readonly recorded: readonly Recorded[];
  readonly stored: readonly NewEvent[];
  readonly requests: readonly RequestToWrite[];
  readonly repeats: readonly Repeats[];
  /** Repeats to be counted on requests of earlier commits. */
  readonly onRequests: ReadonlyMap<string, number>;
  readonly tally: Tally;
}

interface Work {
  readonly stored: NewEvent[];
  readonly requests: Map<string, RequestToWrite>;
  readonly repeats: Map<string, Repeats>;
  readonly onRequests: Map<string, number>;
}

/** Decides what each arrival of a batch is: new, a duplicate, a variant, or written already. */
export function judge(judgement: Judgement): Judged {
  const work: Work = { stored: [], requests: new Map(), repeats: new Map(), onRequests: new Map() };
  const recorded = judgement.arrivals.map((arrival) => judgeArrival(arrival, judgement, work));
  // A repeat whose first came in this very commit is counted on the row that is about to be inserted.
  for (const [id, count] of work.onRequests) {
    const mine = work.requests.get(id);
    if (mine === undefined || mine.request.known === true) continue;
    mine.duplicates += count;
    work.onRequests.delete(id);
  }
  const { stored, requests, repeats, onRequests } = work;
  return { recorded, stored, requests: [...requests.values()], repeats: [...repeats.values()], onRequests, tally: judgement.tally };
}

function judgeArrival(arrival: Arrival, judgement: Judgement, work: Work): Recorded {
  const { request } = arrival;
  if (isWritten(arrival, judgement)) return asWritten(arrival, judgement);
  const events: RecordedEvent[] = [];
  let variants = 0;
  let duplicates = 0;
  let evidence = true;
  for (const event of arrival.events) {
    if (judgement.fresh.has(event.id)) {
      work.stored.push(event);
      judgement.tally.count({ merchant: event.merchant, at: event.recordedAt, name: 'events', provider: event.provider });
      events.push({ outcome: 'stored', id: event.id, deliveries: event.deliveries.length, bodies: null });
    } else {
      const { known, outcome, count } = repeat(event, judgement, work);
      if (outcome === 'variant') variants += 1;
      else duplicates += 1;
      if (outcome === 'duplicate' && count > DUPLICATES_KEPT) evidence = false;
      events.push({ outcome, id: known.id, deliveries: known.deliveries, bodies: null });
    }
  }
  if (request === null) return { requestVerdict: null, events, transactions: [] };
  const duplicate = events.length > 0 && duplicates + variants === events.length;
  const verdict = duplicate ? 'duplicate' : request.verdict;
  const reason = variants > 0 ? 'variant' : request.reason;
  if (request.known === true || !duplicate || evidence || variants > 0)
    work.requests.set(request.id, { request, verdict, reason, events: events.length - duplicates - variants, duplicates: 0 });
  countRequest(judgement.tally, request, verdict);
  return { requestVerdict: verdict, events, transactions: [] };
}

/** Whether the arrival is written: by a try before this one, whose answer was lost, or by another process that judged the same request again. */
function isWritten({ request, events }: Arrival, { before, fresh }: Judgement): boolean {
  const own = events.filter(({ id }) => before.events.has(id)).length;
  const verdict = request === null ? undefined : before.requests.get(request.id);
  // A request that was in quarantine is there in any case: its verdict and its events tell.
  const there = verdict !== undefined && (request?.known !== true || verdict !== 'rejected');
  if (own === 0 && !there) return false;
  const strangers = events.filter(({ id }) => fresh.has(id));
  if (strangers.length > 0)
    throw new Error(`The request ${request?.id ?? 'of a published event'} is there already, without the event ${strangers[0]?.id}.`);
  return true;
}

function asWritten({ request, events }: Arrival, { before, known }: Judgement): Recorded {
  const recorded = events.map((event): RecordedEvent => {
    const mine = before.events.get(event.id);
    if (mine !== undefined) return mine.recorded;
    const other = known.get(event);
    return {
      outcome: other?.digest === event.digest ? 'duplicate' : 'variant',
      id: other?.id ?? event.id,
      deliveries: other?.deliveries ?? 0,
      bodies: null,
    };
  });
  const transactions = events.flatMap(({ id }) => before.events.get(id)?.transactions ?? []);
  return {
    requestVerdict: request === null ? null : (before.requests.get(request.id) ?? request.verdict),
    events: recorded,
    transactions: [...new Set(transactions)],
  };
}

/** The same key again: a duplicate, or a variant where it says something else. Counted as evidence, nothing more. */
function repeat(event: NewEvent, { known: all }: Judgement, work: Work): { known: Known; outcome: 'duplicate' | 'variant'; count: number } {
  const known = all.get(event);
  if (known === undefined) throw new Error(`The event ${event.id} was neither inserted nor found.`);
  const outcome = known.digest === event.digest ? 'duplicate' : 'variant';
  const line = work.repeats.get(known.id) ?? { id: known.id, duplicates: 0, variants: 0 };
  line[outcome === 'variant' ? 'variants' : 'duplicates'] += 1;
  work.repeats.set(known.id, line);
  if (known.request !== null) work.onRequests.set(known.request, (work.onRequests.get(known.request) ?? 0) + 1);
  // Its deliveries are not in the database yet where the first came in this very commit.
  const mine = work.stored.find(({ id }) => id === known.id);
  const deliveries = mine === undefined ? known.deliveries : mine.deliveries.length;
  return { known: { ...known, deliveries }, outcome, count: known.duplicates + line.duplicates };
}

function countRequest(tally: Tally, { known, merchant, receivedAt: at, provider }: NewRequest, verdict: string): void {
  tally.count({ merchant, at, provider, name: verdict });
  if (known === true) tally.count({ merchant, at, provider, name: 'rejected', by: -1 });
}
