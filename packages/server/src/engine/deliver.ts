import type { Lease, LeasedDelivery, NewDelivery, Settlement, Turn } from '../storage/contract.ts';
import { caller } from './deliver/call.ts';
import type { Call } from './deliver/call.ts';
import { timeoutMs } from './deliver/compose.ts';
import { createDue } from './deliver/due.ts';
import type { Wanted } from './deliver/due.ts';
import { createFailing } from './deliver/failing.ts';
import { slowsDown } from './deliver/judge.ts';
import { FIRST, RETRY, TURNS } from './deliver/lane.ts';
import type { Lane } from './deliver/lane.ts';
import { Lanes, nowOf } from './deliver/lanes.ts';
import { createLeases } from './deliver/leases.ts';
import type { OwedLease } from './deliver/leases.ts';
import { Line } from './deliver/line.ts';
import type { Place } from './deliver/line.ts';
import { outcomeOf, settledRow } from './deliver/outcome.ts';
import { parseRetryAfter } from './deliver/retry-after.ts';
import { createSettler } from './deliver/settler.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, EndpointNow, Happenings, Observe } from './faces.ts';
import type { Clock, Log, RandomBytes, Send, Storage, Timers } from './ports.ts';

/** A lease outlasts the queue and the call; what waits longer is given back unsent. */
const LEASE_MS = 60_000;

export interface DeliverParts {
  readonly storage: Storage;
  readonly directory: InnerDirectory;
  readonly send: Send;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomBytes;
  readonly log: Log;
  /** How long an endpoint may do nothing but fail; null: for ever. */
  readonly disableAfterMs: number | null;
  /** Names this process in leases. */
  readonly owner: string;
}

export interface Deliver {
  /** A lease for a delivery that is about to be recorded; null where the endpoint has no room, and the store keeps it due. */
  reserve(endpoint: Endpoint, now: number): Lease | null;
  unreserve(delivery: NewDelivery): void;
  /** Leases that may stand in the store, though what should have brought them failed: given back, and looked for. */
  owe(leases: readonly OwedLease[]): void;
  /** Sends what was reserved and is now recorded. */
  take(jobs: readonly LeasedDelivery[]): void;
  /** Something of this endpoint and turn may be due in the store. */
  wake(endpoint: string, turn: Turn, at: number): void;
  now(endpoint: Endpoint): EndpointNow;
  /** Whether it would be claimed now. */
  hasRoom(endpoint: string, turn: Turn): boolean;
  /** Makes due what processes that are gone held, and looks for it. */
  takeOver(): Promise<void>;
  start(): Promise<void>;
  stop(withinMs: number): Promise<void>;
  gauges(): { inFlight: number; queued: number; openBreakers: number };
}

/** Claims, sends, judges and settles deliveries: each endpoint in a lane of its own, merchants and their lanes in turn. */
export function createDeliver(parts: DeliverParts): Deliver {
  const { storage, directory, observe, clock, timers, random, log, owner } = parts;
  const lanes = new Lanes(directory);
  const line = new Line();
  let stopping = false;
  let drained: (() => void) | null = null;
  let cancelLook: (() => void) | null = null;
  const settler = createSettler(parts);
  const leases = createLeases(parts);
  const send = caller(parts);
  const failing = createFailing(parts, { lanes, disable: (lane) => void close(lane, 'failing') });
  const due = createDue({ ...parts, lanes, wants, take, failed: leases.unclaim, superseded: (row) => observe.emit('delivery', row) });

  function wants(lane: Lane, turn: Turn, at: number): Wanted | null {
    const endpoint = directory.endpointById(lane.endpoint);
    if (stopping || endpoint === undefined || !endpoint.active || lane.closing) return null;
    const limit = lane.limit(endpoint.maxInFlight, at);
    // What was overtaken shows when it is claimed, so where that counts nothing is leased ahead of its sending.
    const max = Math.min(lane.wants(turn, limit), endpoint.skipStale ? limit - lane.inFlight - lane.queued : Infinity);
    return max <= 0 ? null : { owner, until: clock.now() + LEASE_MS + timeoutMs(endpoint), max, skipStale: endpoint.skipStale };
  }

  function take(jobs: readonly LeasedDelivery[], reserved = false): void {
    const now = clock.now();
    const parked: LeasedDelivery[] = [];
    for (const job of jobs) {
      const lane = lanes.of(job.endpoint);
      if (reserved) lane.reserved -= 1;
      if (stopping || lane.breaker.state(now) === 'open') {
        parked.push(job);
        continue;
      }
      lane.push(job);
      enter(lane, now);
    }
    if (parked.length > 0) void giveBack(parked);
    pump();
  }

  function enter(lane: Lane, now: number): void {
    if (!lane.inLine && lane.queued > 0 && !lane.closing && lane.ready(limitOf(lane, now))) line.enter(lane);
  }

  function limitOf(lane: Lane, now: number): number {
    return lane.limit(directory.endpointById(lane.endpoint)?.maxInFlight ?? 1, now);
  }

  function pump(): void {
    if (stopping) return;
    const now = clock.now();
    for (let lane = line.next(now); lane !== undefined; lane = line.next(now)) {
      const job = lane.closing ? undefined : lane.next(limitOf(lane, now));
      if (job !== undefined) start(lane, job, now);
      enter(lane, now);
    }
    const at = line.lookAt();
    if (at === null || cancelLook !== null) return;
    cancelLook = timers.after(Math.max(1, at - now), () => {
      cancelLook = null;
      pump();
    });
  }

  function start(lane: Lane, job: LeasedDelivery, now: number): void {
    const endpoint = directory.endpointById(job.endpoint);
    if (endpoint === undefined) {
      // Deleted while the commit that holds this one ran.
      void abandon(job.endpoint, [job, ...lane.drain()]);
      return;
    }
    if (!endpoint.active || now > job.leaseUntil - timeoutMs(endpoint)) {
      void giveBack([job]);
      return;
    }
    lane.started(job, now);
    const place = line.began(lane, now);
    send({ job, endpoint, now }, (call) => end(lane, place, call));
  }

  function end(lane: Lane, place: Place, call: Call): void {
    const { job, result } = call;
    const now = clock.now();
    // Deleted or disabled in flight: the result is written, nothing is sent any more.
    const endpoint = directory.endpointById(job.endpoint) ?? null;
    // Only a retry is spread out; unpredictable bytes are too dear to fetch for every success.
    const spread = result.cause === 'ok' ? 0 : (random(1)[0] ?? 0) / 256;
    const { settlement, disable } = outcomeOf({ ...call, endpoint, owner, now, random: spread });
    settler.submit(settlement, (answer) => {
      settled(answer, job, settlement);
      leave(lane, place, job);
    });
    observe.emit('attempt', {
      endpoint: job.endpoint,
      merchant: job.merchant,
      outcome: settlement.attempt.outcome === 'succeeded' ? 'succeeded' : 'failed',
      cause: result.cause,
      durationMs: result.durationMs,
    });
    if (endpoint === null) return;
    hear(lane, endpoint, { call, now, random: spread });
    if (disable) void close(lane, 'gone');
  }

  /** What the answer says of the endpoint, beyond its own delivery. */
  function hear(lane: Lane, endpoint: Endpoint, { call, now, random }: { call: Call; now: number; random: number }): void {
    const { result, startedAt, job } = call;
    const { cause, durationMs, retryAfter } = result;
    const cap = endpoint.maxInFlight;
    const limit = lane.limit(cap, now);
    const full = lane.inFlight >= limit;
    lane.pace.ended({ startedAt, now, durationMs, full, cap, how: cause === 'ok' ? 'ok' : slowsDown(cause) ? 'slower' : 'failed' });
    const retryAfterMs = retryAfter === undefined ? null : parseRetryAfter(retryAfter, now);
    const changed = lane.breaker.ended({ cause, delivery: job.id, startedAt, now, limit, retryAfterMs, random });
    failing.heard(lane, endpoint, { cause, delivery: job.id });
    if (changed === null) return;
    if (changed === 'opened') {
      lane.slowDown();
      void giveBack(lane.drain());
      due.again(lane);
    }
    tell(lane, changed, cause);
  }

  function tell({ endpoint: id, merchant, standing }: Lane, happened: Happenings['endpoint']['happened'], reason: string): void {
    observe.emit('endpoint', { id, merchant, happened, reason, since: standing.since, failures: standing.failures });
  }

  /** A call is in flight until its result is written: only so does a crash repeat no more than the cap. */
  function leave(lane: Lane, place: Place, job: LeasedDelivery): void {
    const now = clock.now();
    lane.ended(job, now);
    line.ended(place);
    enter(lane, now);
    pump();
    if (lane.isAnyDue(now)) due.look();
    if (line.inFlight === 0) drained?.();
  }

  function settled(answer: 'settled' | 'fenced', job: LeasedDelivery, settlement: Settlement): void {
    if (answer === 'fenced') {
      log.warn({ delivery: job.id, attempt: job.attempt }, 'a result came after its lease was taken over; it was not counted');
      return;
    }
    const row = settledRow(job, settlement);
    observe.emit('delivery', row);
    const lane = lanes.of(job.endpoint);
    if (row.nextAttemptAt !== null) due.note(lane, job.turn === FIRST ? RETRY : job.turn, row.nextAttemptAt);
    else if (job.ordered === true) noteAll(lane);
  }

  async function close(lane: Lane, reason: 'gone' | 'failing'): Promise<void> {
    if (lane.closing) return;
    lane.closing = true;
    try {
      if (await directory.disable(lane.endpoint, reason)) tell(lane, 'disabled', reason);
    } catch (error) {
      log.error({ endpoint: lane.endpoint, error: String(error) }, 'an endpoint could not be disabled');
    } finally {
      lane.closing = false;
      enter(lane, clock.now());
      pump();
    }
  }

  function noteAll(lane: Lane): void {
    for (const turn of TURNS) due.note(lane, turn, clock.now());
  }

  async function giveBack(jobs: readonly LeasedDelivery[]): Promise<void> {
    if (jobs.length === 0) return;
    await leases.giveBack(jobs);
    const now = clock.now();
    for (const { endpoint, turn } of jobs) due.note(lanes.of(endpoint), turn, now);
  }

  async function abandon(endpoint: string, held: readonly LeasedDelivery[] = []): Promise<void> {
    const lane = lanes.of(endpoint);
    failing.renew(lane);
    await leases.abandon(endpoint, [...held, ...lane.drain()]);
    lanes.drop(endpoint);
  }

  directory.onEndpoint((endpoint, id) => {
    if (endpoint === null) void abandon(id);
    else if (endpoint.active) {
      // Whoever changes an endpoint wants to see it tried.
      const lane = lanes.of(id);
      lane.renew(clock.now());
      failing.renew(lane);
      noteAll(lane);
      due.look();
    } else void giveBack(lanes.of(id).drain());
  });

  return {
    reserve(endpoint, now) {
      const lane = lanes.of(endpoint.id);
      // Where the order or what was delivered counts the store decides what may go, so nothing is leased before it is recorded.
      if (endpoint.ordered || endpoint.skipStale || stopping || !endpoint.active || lane.breaker.state(now) !== 'closed') return null;
      // First tries that wait in the store go first; retries and bulk do not stand in the way.
      if (lane.isDue(FIRST, now) || lane.room(FIRST, lane.limit(endpoint.maxInFlight, now)) <= 0) return null;
      lane.reserved += 1;
      return { owner, until: now + LEASE_MS + timeoutMs(endpoint) };
    },
    unreserve(delivery) {
      if (delivery.lease !== null) lanes.of(delivery.endpoint).reserved -= 1;
    },
    owe: (owed) => void leases.giveBack(owed).then(due.sweep),
    take: (jobs) => take(jobs, true),
    wake: (endpoint, turn, at) => due.note(lanes.of(endpoint), turn, at),
    now: ({ id, maxInFlight }) => nowOf(lanes.of(id), maxInFlight, clock.now()),
    hasRoom: (endpoint, turn) => wants(lanes.of(endpoint), turn, clock.now()) !== null,
    takeOver: () => storage.takeOver({ owner, now: clock.now(), horizon: 2 * LEASE_MS }).then(due.sweep),
    async start() {
      await storage.takeOver({ owner, now: clock.now(), horizon: 2 * LEASE_MS });
      // A deletion that a crash cut short goes on.
      for (const endpoint of new Set((await storage.backlog()).map((row) => row.endpoint)))
        if (directory.endpointById(endpoint) === undefined) await abandon(endpoint);
      await failing.load();
      await due.sweep();
    },
    async stop(withinMs) {
      stopping = true;
      cancelLook?.();
      let cancel = (): void => undefined;
      const late = new Promise<void>((resolve) => (cancel = timers.after(withinMs, resolve)));
      const returned = leases.giveBack([...lanes.all()].flatMap((lane) => lane.drain()));
      const answered = line.inFlight === 0 ? null : new Promise<void>((resolve) => (drained = resolve));
      const all = Promise.all([due.stop(), returned, answered]).then(() =>
        Promise.all([settler.idle(), failing.idle(), leases.giveBack([])]),
      );
      await Promise.race([all, late]);
      cancel();
      leases.close();
      settler.close();
    },
    gauges: () => ({ inFlight: line.inFlight, ...lanes.gauges(clock.now()) }),
  };
}
