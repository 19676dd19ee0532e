import { paybell } from '../cli/paybell.ts';
import type { DeliveryRow, EventWithBody, Page, PageQuery, RequestRow, Storage } from '../../src/storage/contract.ts';
import { databasePath, openStorage } from '../../src/storage/open.ts';
import { PATHS } from './sink.ts';
import type { FaultySink, Receipt } from './sink.ts';
import type { Picture } from './pictures.ts';
import type { Fact, World } from './world.ts';

export interface Verdict {
  /** Empty: every promise held. */
  readonly findings: readonly string[];
  readonly figures: Readonly<Record<string, number | string>>;
}

export interface Evidence {
  readonly options: { readonly databaseUrl: string | null; readonly seed: number };
  readonly dataDir: string;
  readonly sink: FaultySink;
  readonly world: World;
  /** The id of the endpoint behind each path. */
  readonly endpoints: ReadonlyMap<string, string>;
  readonly drainedMs: number | null;
  readonly pictures: readonly Picture[];
  readonly lives: {
    readonly kills: number;
    readonly inFlightAtKill: number;
    readonly readyMs: readonly number[];
    readonly exitCode: number | null;
  };
}

const MOST_IN_FLIGHT = 16;
/** More of one kind tell no more. */
const MOST_TOLD = 5;

type Told = (kind: string, more: readonly string[]) => void;

/** What became of everything that was acknowledged, by the sink's own books and the store's. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { world, sink, lives, drainedMs, pictures, options, dataDir } = evidence;
  const findings: string[] = [];
  const tell: Told = (kind, more) => {
    for (const one of more.slice(0, MOST_TOLD)) findings.push(`${kind}: ${one}`);
    if (more.length > MOST_TOLD) findings.push(`${kind}: and ${more.length - MOST_TOLD} more`);
  };
  tell('answered as nobody should be', world.wrong);
  if (drainedMs === null) findings.push('not everything was delivered in the time given after the sink was well');
  if (lives.exitCode !== 0) findings.push(`the last life ended with exit code ${lives.exitCode}`);
  const doctor = await paybell(['doctor', '--json', ...where(evidence)]);
  tell('doctor', doctor.code === 0 ? [] : [...doctor.stdout.trim().split('\n').slice(0, -1), doctor.stderr].filter((line) => line !== ''));
  tell(
    'the console does not show',
    pictures.flatMap(({ file, missing }) => missing.map((word) => `${word} (${file})`)),
  );
  const storage = await openStorage(options.databaseUrl ?? databasePath(dataDir), { readOnly: true, threads: false });
  await storage.open();
  try {
    const books = await readBooks(storage);
    const arrived = nothingLost({ books, evidence, tell });
    const repeats = await judgeRepeats({ storage, books, evidence, tell });
    const unwalked = [...sink.ways()].filter(([, count]) => count === 0).map(([name]) => name);
    const boots = lives.readyMs.toSorted((a, b) => a - b);
    return {
      findings,
      figures: {
        seed: options.seed,
        kills: lives.kills,
        'calls in flight at a kill, in all': lives.inFlightAtKill,
        'median start, ms': Math.round(boots[boots.length >> 1] ?? 0),
        'facts acknowledged': [...world.facts.values()].filter(({ acknowledged }) => acknowledged).length,
        'sent again by the providers': world.resent(),
        'forged webhooks refused': world.refused(),
        'events in the log': books.events.length,
        transactions: books.transactions.size,
        deliveries: books.deliveries.length,
        attempts: books.deliveries.reduce((sum, { attemptCount }) => sum + attemptCount, 0),
        'calls at the sink': [...sink.receipts.values()].reduce((sum, calls) => sum + calls.length, 0),
        'taken by the sink': arrived,
        'ways to fail': `${sink.ways().size - unwalked.length} of ${sink.ways().size}${unwalked.length === 0 ? '' : `, never: ${unwalked.join('; ')}`}`,
        'repeats after a kill': repeats.afterKill,
        'most after one kill': repeats.worst,
        'repeats where the server saw no success': total(repeats.late),
        ...Object.fromEntries([...repeats.late].map(([seen, count]) => [`  ${seen}`, count])),
        'time to drain, s': drainedMs === null ? 'never' : Math.round(drainedMs / 1_000),
        pictures: pictures.length,
      },
    };
  } finally {
    await storage.close();
  }
}

const total = (counts: ReadonlyMap<unknown, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

const where = ({ options, dataDir }: Evidence): readonly string[] =>
  options.databaseUrl === null ? ['--data', dataDir] : ['--database-url', options.databaseUrl];

interface Books {
  readonly events: readonly EventWithBody['event'][];
  readonly requests: ReadonlyMap<string, RequestRow>;
  readonly transactions: ReadonlySet<string>;
  readonly deliveries: readonly DeliveryRow[];
}

async function readBooks(storage: Storage): Promise<Books> {
  const accepted = await all((page) => storage.listRequests({ ...page, verdict: 'accepted' }));
  return {
    events: (await all((page) => storage.listEvents(page))).map(({ event }) => event),
    requests: new Map(accepted.map((row) => [row.sha256, row])),
    transactions: new Set((await all((page) => storage.listTransactions(page))).map(({ id }) => id)),
    deliveries: await all((page) => storage.listDeliveries(page)),
  };
}

async function all<Row>(list: (page: PageQuery) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Row> = await list({ merchant: 'default', limit: 1_000, cursor });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return rows;
}

interface Judging {
  readonly books: Books;
  readonly evidence: Evidence;
  readonly tell: Told;
}

/** What an endpoint knows an event by: the untouched request has no id of its own. */
function keyAt(path: string, event: { readonly id: string; readonly request: string | null }, shaOf: ReadonlyMap<string, string>): string {
  return `${path} ${path === '/request' && event.request !== null ? shaOf.get(event.request) : event.id}`;
}

/** Every acknowledged fact is one event, in the ledger, and taken by every endpoint. Answers how many were taken. */
function nothingLost({ books, evidence, tell }: Judging): number {
  const { world, sink, endpoints } = evidence;
  const byRequest = new Map(books.events.map((event) => [event.request, event]));
  const byId = new Map(books.events.map((event) => [event.id, event]));
  const eventOf = (fact: Fact) => {
    if (fact.event !== null) return byId.get(fact.event);
    return [...fact.sha256].map((sha) => byRequest.get(books.requests.get(sha)?.id ?? '')).find((found) => found !== undefined);
  };
  const shaOf = new Map([...books.requests.values()].map(({ id, sha256 }) => [id, sha256]));
  const acknowledged = [...world.facts].filter(([, fact]) => fact.acknowledged);
  const lost: string[] = [];
  const notInLedger: string[] = [];
  const notTaken: string[] = [];
  const seen = new Set<string>();
  let taken = 0;
  for (const [key, fact] of acknowledged) {
    const event = eventOf(fact);
    if (event === undefined) {
      lost.push(`${key} ${fact.type}`);
      continue;
    }
    seen.add(event.id);
    if (event.state !== 'recorded' && event.state !== 'unmapped') notInLedger.push(`${event.id} is ${event.state}: ${event.note}`);
    if (event.transaction !== null && !books.transactions.has(event.transaction))
      notInLedger.push(`${event.id} touches ${event.transaction}`);
    for (const path of PATHS) {
      // Nothing is routed to an endpoint while it is switched off, as one is that answers 410.
      if (path === '/gone') continue;
      if (sink.receipts.get(keyAt(path, event, shaOf))?.some((call) => call.taken) === true) taken += 1;
      else notTaken.push(`${event.id} (${key}) at ${path}`);
    }
  }
  tell('acknowledged and lost', lost);
  tell('acknowledged and not in the ledger', notInLedger);
  tell('never taken by the sink', notTaken);
  if (books.events.length !== seen.size) tell('counted twice', [`${books.events.length} events in the log, ${seen.size} facts were told`]);
  const unfinished = books.deliveries.filter(({ status }) => status !== 'succeeded');
  tell(
    'not delivered',
    unfinished.map(({ id, status, endpoint, cause }) => `${id} to ${endpoint} is ${status} (${cause})`),
  );
  const known = new Set(endpoints.values());
  tell(
    'to nobody that we know',
    books.deliveries.filter(({ endpoint }) => !known.has(endpoint)).map(({ id }) => id),
  );
  return taken;
}

interface Repeats {
  readonly afterKill: number;
  readonly worst: number;
  /** By what the server saw instead. */
  readonly late: ReadonlyMap<string, number>;
}

/** What came again after it had been taken: at most what was in flight at a kill, or a 2xx that the server did not live to see in time. */
async function judgeRepeats({ storage, books, evidence, tell }: Judging & { readonly storage: Storage }): Promise<Repeats> {
  const { sink, endpoints } = evidence;
  const shaOf = new Map([...books.requests.values()].map(({ id, sha256 }) => [id, sha256]));
  const eventAt = new Map(
    books.events.flatMap((event) => PATHS.map((path) => [keyAt(path, event, shaOf), { event: event.id, path }] as const)),
  );
  const byLife = new Map<number, number>();
  const changed: string[] = [];
  const unexplained: string[] = [];
  const late = new Map<string, number>();
  for (const [key, calls] of sink.receipts) {
    if (calls.some(({ sha256 }) => sha256 !== calls[0]?.sha256)) changed.push(key);
    for (const { before, again } of repeatsOf(calls)) {
      if (before.life !== again.life) count(byLife, before.life);
      else {
        const seen = await seenInstead(storage, { endpoint: endpoints, at: eventAt.get(key) });
        if (seen === null) unexplained.push(`${key} in life ${again.life}`);
        // Its last words were still on the way when the process was gone.
        else if (seen.includes('interrupted')) count(byLife, before.life - 1);
        else count(late, seen);
      }
    }
  }
  const worst = Math.max(0, ...byLife.values());
  tell('came again with other bytes', changed);
  tell('came again though its success was recorded', unexplained);
  const bound = MOST_IN_FLIGHT * PATHS.length;
  if (worst > bound) tell('too many repeats', [`${worst} after one kill; at most ${bound} were in flight`]);
  return { afterKill: total(byLife), worst, late };
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function repeatsOf(calls: readonly Receipt[]): { readonly before: Receipt; readonly again: Receipt }[] {
  return calls.flatMap((again, index) => {
    const before = calls.slice(0, index).findLast(({ taken }) => taken);
    return before === undefined ? [] : [{ before, again }];
  });
}

interface Delivered {
  readonly endpoint: ReadonlyMap<string, string>;
  readonly at: { readonly event: string; readonly path: string } | undefined;
}

/** Where the attempt log has one success only, after tries that failed, why they did: the 2xx was lost on its way or came too late. */
async function seenInstead(storage: Storage, { endpoint, at }: Delivered): Promise<string | null> {
  const to = endpoint.get(at?.path ?? '');
  if (at === undefined || to === undefined) return null;
  const { rows } = await storage.listDeliveries({ merchant: 'default', limit: 1, cursor: null, event: at.event, endpoint: to });
  const found = rows[0] === undefined ? null : await storage.getDelivery({ merchant: 'default', id: rows[0].id });
  const attempts = found?.attempts ?? [];
  const failed = attempts.filter(({ outcome }) => outcome !== 'succeeded').map(({ cause }) => cause);
  const last = attempts.at(-1)?.outcome === 'succeeded' && failed.length === attempts.length - 1;
  return last && failed.length > 0 ? `${at.path} ${[...new Set(failed)].toSorted().join(', ')}` : null;
}
