import { fold, STATUS_TABLE, transactionId, withChildren } from '@paybell/sdk';
import type { LedgerEvent, Transaction, TransactionIdentity } from '@paybell/sdk';
import type { EventRow, EventWithBody } from '../../src/storage/contract.ts';
import type { Standing, Tried } from './books.ts';
import { digestOf } from './facts.ts';
import type { Content, Fact } from './facts.ts';
import type { Outside } from './outside.ts';
import type { World } from './world.ts';

const ALL = { merchant: null, limit: 100_000, cursor: null };

/** After everything has healed and come to rest: whether every promise was kept. */
export async function judgeRun(world: World, outside: Outside): Promise<void> {
  for (const { invariant, id, sentence } of await world.storage.check({ now: world.loop.now() }))
    world.wrong(`doctor: ${invariant} ${id}: ${sentence}`);
  const log = (await world.storage.listEvents({ ...ALL, oldestFirst: true })).rows;
  const contents = judgeLog(world, outside, log);
  judgeRequests(world, outside, log);
  await judgeLedger(world, log, contents);
  judgeDeliveries(world, outside, { log, contents });
  for (const { what, life } of outside.waiting) if (life.alive) world.wrong(`${life.name} never answered: ${what}`);
}

interface Read {
  readonly log: readonly EventWithBody[];
  /** What each event in it says, as the SDK reads what was sent. */
  readonly contents: ReadonlyMap<string, Content>;
}

function ledgerEvent(event: EventRow | undefined, content: Content | undefined): LedgerEvent | null {
  if (event === undefined || content === undefined || content.movement === null) return null;
  const { type, sequence, occurredAt, movement } = content;
  const { id, dedupeKey, recordedAt } = event;
  return { id, type, dedupeKey, sequence, occurredAt, recordedAt, movement };
}

/** Whether the endpoint took an event of the same transaction that tells of more progress. */
function wasOvertaken(delivery: Standing, taken: readonly Standing[], toLedger: (id: string) => LedgerEvent | null): boolean {
  const told = toLedger(delivery.event);
  return taken.some(({ endpoint, transaction, event }) => {
    if (endpoint !== delivery.endpoint || transaction !== delivery.transaction) return false;
    const other = toLedger(event);
    return told !== null && other !== null && STATUS_TABLE[told.movement.status].rank < STATUS_TABLE[other.movement.status].rank;
  });
}

const nameOf = ({ source, merchant, dedupeKey }: EventRow): string => `${source ?? merchant}\n${dedupeKey}`;

/** Everything that was acknowledged is there, once, as it was offered; and nothing else is. */
function judgeLog(world: World, outside: Outside, log: readonly EventWithBody[]): Map<string, Content> {
  const contents = new Map<string, Content>();
  const found = new Map<Fact, string>();
  const once = new Map(
    [...outside.facts.all.values()].flatMap((fact) => fact.contents.map(({ data }) => [`${fact.merchant} ${data}`, fact] as const)),
  );
  for (const { event, body } of log) {
    const fact = outside.facts.all.get(nameOf(event)) ?? (event.source === null ? once.get(`${event.merchant} ${event.data}`) : undefined);
    if (fact === undefined) {
      world.wrong(`${event.id} (${event.type}) is in the log, and nobody sent it`);
      continue;
    }
    const digest = event.source === null ? null : digestOf(body ?? new Uint8Array(0));
    const content = fact.contents.find(
      (one) => one.type === event.type && (event.source === null ? one.data === event.data : one.digest === digest),
    );
    if (content === undefined) world.wrong(`${event.id} (${event.type}) holds what nobody sent`);
    else contents.set(event.id, content);
    if (found.has(fact)) world.wrong(`${event.id} and ${found.get(fact)} are one fact, twice in the log`);
    found.set(fact, event.id);
    if (fact.id !== null && fact.id !== event.id) world.wrong(`an app was told ${fact.id}, and the log calls it ${event.id}`);
    for (const told of fact.told) if (told !== event.data) world.wrong(`${event.id} does not hold what an app was told to be safe`);
  }
  for (const fact of outside.facts.all.values()) {
    if (fact.acked && !found.has(fact)) world.wrong(`${fact.contents[0]?.type} of ${fact.scope} was acknowledged and is not in the log`);
  }
  return contents;
}

function judgeRequests(world: World, outside: Outside, log: readonly EventWithBody[]): void {
  const kept = new Map(world.books.requests().map((request) => [request.id, request]));
  for (const { event } of log) {
    const verdict = event.request === null ? 'accepted' : kept.get(event.request)?.verdict;
    if (verdict !== 'accepted') world.wrong(`${event.id} came in by request ${event.request}, which stands as ${verdict}`);
  }
  for (const [id, { source, rejected }] of outside.told) {
    const request = kept.get(id);
    if (request === undefined) world.wrong(`request ${id} of ${source} was answered and is not kept`);
    else if (!rejected && request.verdict !== 'accepted') world.wrong(`request ${id} was taken and stands as ${request.verdict}`);
  }
}

/** The ledger is what the SDK folds from the same facts. */
async function judgeLedger(world: World, log: readonly EventWithBody[], contents: ReadonlyMap<string, Content>): Promise<void> {
  const events = new Map<string, { readonly identity: TransactionIdentity; readonly events: LedgerEvent[] }>();
  for (const { event } of log) {
    const content = contents.get(event.id);
    const movement = content?.movement ?? null;
    if (content === undefined || movement === null) continue;
    const { merchant, provider } = event;
    const identity = {
      id: transactionId(merchant, provider, movement.kind, movement.key),
      merchant,
      provider,
      kind: movement.kind,
      key: movement.key,
    };
    if (!events.has(identity.id)) events.set(identity.id, { identity, events: [] });
    const told = ledgerEvent(event, content);
    if (told !== null) events.get(identity.id)?.events.push(told);
  }
  const alone = [...events.values()].map(({ identity, events: all }) => fold(identity, all));
  const whole = (one: Transaction): Transaction =>
    withChildren(
      one,
      alone
        .filter(({ parent }) => parent === one.id)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .map(whole),
    );
  const ours = new Map(alone.map((one) => [one.id, JSON.stringify(whole(one))]));
  for (const row of (await world.storage.listTransactions(ALL)).rows) {
    const expected = ours.get(row.id);
    ours.delete(row.id);
    if (expected !== JSON.stringify(row))
      world.wrong(`transaction ${row.id} is ${JSON.stringify(row)}, and its events fold to ${expected}`);
  }
  for (const id of ours.keys()) world.wrong(`transaction ${id} is missing from the ledger`);
}

/** Every routed pair was brought to its end, and every end is true. */
function judgeDeliveries(world: World, outside: Outside, { log, contents }: Read): void {
  const all = world.books.deliveries();
  const deliveries = Map.groupBy(all, ({ event }) => event);
  const events = new Map(log.map(({ event }) => [event.id, event]));
  const toLedger = (id: string): LedgerEvent | null => ledgerEvent(events.get(id), contents.get(id));
  const attempts = Map.groupBy(world.books.attempts(), ({ delivery }) => delivery);
  // What was taken once stays taken, though a person has sent it again since.
  const taken = all.filter(({ id }) => attempts.get(id)?.some(({ outcome }) => outcome === 'succeeded') === true);
  for (const { event } of log) {
    const mine = deliveries.get(event.id) ?? [];
    judgeRouting(world, outside, { event, mine });
    for (const delivery of mine) {
      judgeDelivery(world, delivery, attempts.get(delivery.id) ?? []);
      if (delivery.cause === 'superseded' && delivery.status === 'failed' && !wasOvertaken(delivery, taken, toLedger))
        world.wrong(
          `${delivery.id} was not sent as if it had been overtaken, and ${delivery.endpoint} got nothing later of its transaction`,
        );
    }
  }
}

function judgeRouting(world: World, outside: Outside, { event, mine }: { event: EventRow; mine: readonly Standing[] }): void {
  const { known, witness } = world;
  // What was judged again was routed then, not when it came.
  const late = outside.judgedAgain.has(event.source ?? '');
  const when = { from: event.recordedAt, to: late ? world.loop.now() : event.recordedAt };
  for (const id of known.ids()) {
    const row = known.last(id);
    if (row === undefined || row.merchant !== event.merchant || row.perEvent) continue;
    const routed = mine.filter(
      ({ endpoint, resend, id: delivery }) => endpoint === id && resend === null && !witness.added.has(delivery),
    ).length;
    const selected = known.selects(id, event.type, when);
    if (selected === 'yes' && routed !== 1) world.wrong(`${event.id} (${event.type}) has ${routed} deliveries to ${id}, which selected it`);
    if (selected === 'no' && routed !== 0) world.wrong(`${event.id} (${event.type}) was routed to ${id}, which did not select it`);
    if (routed > 1) world.wrong(`${event.id} has ${routed} deliveries to ${id} from one commit`);
  }
}

function judgeDelivery(world: World, delivery: Standing, attempts: readonly Tried[]): void {
  const { known, witness } = world;
  const { id, endpoint, status, attempt } = delivery;
  const row = known.last(endpoint);
  const sent = witness.sentOf(id);
  const live = row !== undefined && row.active && row.deletedAt === null;
  if (status === 'pending' && live) world.wrong(`${id} to ${endpoint} is still pending at rest`);
  if (status === 'pending' && row?.deletedAt != null) world.wrong(`${id} is pending, and its endpoint ${endpoint} was deleted`);
  if (status === 'succeeded' && !sent.some(({ call }) => call.accepted && call.result?.cause === 'ok'))
    world.wrong(`${id} stands as succeeded, and ${endpoint} never took it`);
  if (
    status === 'failed' &&
    live &&
    delivery.cause !== 'gone' &&
    witness.failuresOf(id) === 0 &&
    delivery.cause !== 'endpoint_deleted' &&
    delivery.cause !== 'superseded'
  )
    world.wrong(`${id} stands as failed without a failed try`);
  const numbers = attempts.map(({ n }) => n);
  if (status !== 'pending' && (numbers.length !== attempt || numbers.some((n, index) => n !== index + 1)))
    world.wrong(`${id} has made ${attempt} tries, and the log of tries shows ${numbers.join(', ') || 'none'}`);
  const successes = attempts.filter(({ outcome }) => outcome === 'succeeded').length;
  if (successes > 1 && !witness.byHand.has(id)) world.wrong(`${id} succeeded ${successes} times`);
  for (const { call, attempt: n } of sent) {
    const counted = attempts.find((one) => one.n === n);
    if (call.life.alive && call.result === null) world.wrong(`call ${call.n} of ${id} never ended`);
    if (counted === undefined) world.wrong(`try ${n} of ${id} was made and is not in the log of tries`);
    else if (counted.outcome === 'unknown' && call.result !== null && call.life.alive && !call.life.stoodStill)
      world.wrong(`try ${n} of ${id} was answered, and its answer was lost without any crash`);
    else if (counted.outcome !== 'unknown' && call.result === null)
      world.wrong(`try ${n} of ${id} counts as ${counted.outcome} and was never answered`);
  }
}
