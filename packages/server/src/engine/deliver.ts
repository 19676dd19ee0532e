import type { DeliveryRow, Lease, LeasedDelivery, NewDelivery, Turn } from '../storage/contract.ts';
import { compose, timeoutMs } from './deliver/compose.ts';
import { createDue } from './deliver/due.ts';
import type { Wanted } from './deliver/due.ts';
import { FIRST, Lane, RETRY, TURNS } from './deliver/lane.ts';
import { outcomeOf } from './deliver/outcome.ts';
import { createSettler } from './deliver/settler.ts';
import type { InnerDirectory } from './directory.ts';
import type { Endpoint, Observe } from './faces.ts';
import type { Clock, Log, RandomBytes, Send, SendRequest, SendResult, Storage, Timers } from './ports.ts';
import { deliveryRow } from './record/rows.ts';

/** Calls in flight over all endpoints. */
const MOST_IN_FLIGHT = 512;
/** Deliveries of a deleted endpoint that one commit ends. */
const ABANDON_STEP = 1_000;
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
  /** Names this process in leases. */
  readonly owner: string;
}

export interface Deliver {
  /** A lease for a delivery that is about to be recorded; null where the endpoint has no room, and the store keeps it due. */
  reserve(endpoint: Endpoint, now: number): Lease | null;
  unreserve(delivery: NewDelivery): void;
  /** Sends what was reserved and is now recorded. */
  take(jobs: readonly LeasedDelivery[]): void;
  /** Something of this endpoint and turn may be due in the store. */
  wake(endpoint: string, turn: Turn, at: number): void;
  start(): Promise<void>;
  stop(withinMs: number): Promise<void>;
  gauges(): { inFlight: number; queued: number };
}

const NOTHING_SENT: Omit<SendResult, 'cause'> = {
  status: null,
  headers: {},
  body: new Uint8Array(0),
  truncated: false,
  durationMs: 0,
  timings: { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null },
};

/** Claims, sends, judges and settles deliveries: each endpoint in a lane of its own, lanes in turn. */
export function createDeliver(parts: DeliverParts): Deliver {
  const { storage, directory, send, observe, clock, timers, random, log, owner } = parts;
  const lanes = new Map<string, Lane>();
  const line: Lane[] = [];
  let inFlight = 0;
  let stopping = false;
  let drained: (() => void) | null = null;
  const settler = createSettler(parts);
  const superseded = (row: DeliveryRow): void => observe.emit('delivery', row);
  const due = createDue({ storage, clock, timers, log, lanes: { of: laneOf, all: () => lanes.values() }, wants, take, superseded });

  function laneOf(endpoint: string): Lane {
    let lane = lanes.get(endpoint);
    if (lane === undefined) lanes.set(endpoint, (lane = new Lane(endpoint)));
    return lane;
  }

  function wants(lane: Lane, turn: Turn): Wanted | null {
    const endpoint = directory.endpointById(lane.endpoint);
    if (stopping || endpoint === undefined || !endpoint.active) return null;
    const { skipStale, maxInFlight } = endpoint;
    // What was overtaken shows when it is claimed, so where that counts nothing is leased ahead of its sending.
    const max = Math.min(lane.wants(turn, maxInFlight), skipStale ? maxInFlight - lane.inFlight - lane.queued : Infinity);
    return max <= 0 ? null : { owner, until: clock.now() + LEASE_MS + timeoutMs(endpoint), max, skipStale };
  }

  function take(jobs: readonly LeasedDelivery[], reserved = false): void {
    for (const job of jobs) {
      const lane = laneOf(job.endpoint);
      if (reserved) lane.reserved -= 1;
      if (stopping) continue;
      lane.push(job);
      enterLine(lane);
    }
    if (stopping) void giveBack(jobs);
    pump();
  }

  function capOf(lane: Lane): number {
    return directory.endpointById(lane.endpoint)?.maxInFlight ?? 1;
  }

  function enterLine(lane: Lane): void {
    if (lane.inLine || lane.gone || !lane.ready(capOf(lane))) return;
    lane.inLine = true;
    line.push(lane);
  }

  /** Lanes send in turn, one call each, so that a long queue never goes before a short one. */
  function pump(): void {
    while (inFlight < MOST_IN_FLIGHT && !stopping) {
      const lane = line.shift();
      if (lane === undefined) return;
      lane.inLine = false;
      const job = lane.gone ? undefined : lane.next(capOf(lane));
      if (job !== undefined) start(lane, job);
      enterLine(lane);
    }
  }

  function start(lane: Lane, job: LeasedDelivery): void {
    const endpoint = directory.endpointById(job.endpoint);
    const now = clock.now();
    if (endpoint === undefined) {
      // Deleted while the commit that holds this one ran.
      lane.push(job);
      void abandon(job.endpoint);
      return;
    }
    if (!endpoint.active || now > job.leaseUntil - timeoutMs(endpoint)) {
      void giveBack([job]);
      return;
    }
    lane.started(job);
    inFlight += 1;
    let request: SendRequest;
    try {
      request = compose(job, endpoint, now);
    } catch (error) {
      log.warn({ endpoint: endpoint.id, error: String(error) }, 'a delivery could not be signed');
      end(lane, { job, request: null, startedAt: now, result: { ...NOTHING_SENT, cause: 'signing_failed' } });
      return;
    }
    send(request).then(
      (result) => end(lane, { job, request, startedAt: now, result }),
      (error: unknown) => {
        log.error({ endpoint: endpoint.id, error: String(error) }, 'the sender failed');
        end(lane, { job, request, startedAt: now, result: { ...NOTHING_SENT, cause: 'interrupted' } });
      },
    );
  }

  interface Call {
    readonly job: LeasedDelivery;
    readonly request: SendRequest | null;
    readonly startedAt: number;
    readonly result: SendResult;
  }

  function end(lane: Lane, call: Call): void {
    const { job, result } = call;
    const now = clock.now();
    // Deleted or disabled in flight: the result is written, nothing is tried again.
    const endpoint = directory.endpointById(job.endpoint) ?? null;
    // Only a retry is spread out; unpredictable bytes are too dear to fetch for every success.
    const spread = result.cause === 'ok' ? 0 : (random(1)[0] ?? 0) / 256;
    const { settlement, disable } = outcomeOf({ ...call, endpoint, owner, now, random: spread });
    settler.submit(settlement, (answer) => {
      settled(answer, job, settlement);
      leave(lane, job);
    });
    const { outcome } = settlement.attempt;
    observe.emit('attempt', {
      endpoint: job.endpoint,
      merchant: job.merchant,
      outcome: outcome === 'succeeded' ? 'succeeded' : 'failed',
      cause: result.cause,
      durationMs: result.durationMs,
    });
    if (disable && !lane.gone) void disableGone(lane, job);
  }

  /** A call is in flight until its result is written: only so does a crash repeat no more than the cap. */
  function leave(lane: Lane, job: LeasedDelivery): void {
    const now = clock.now();
    lane.ended(job, now);
    inFlight -= 1;
    enterLine(lane);
    pump();
    if (lane.isAnyDue(now)) due.look();
    if (inFlight === 0) drained?.();
  }

  function settled(
    answer: 'settled' | 'fenced',
    job: LeasedDelivery,
    { attempt, next, finishedAt }: ReturnType<typeof outcomeOf>['settlement'],
  ): void {
    if (answer === 'fenced') {
      log.warn({ delivery: job.id, attempt: job.attempt }, 'a result came after its lease was taken over; it was not counted');
      return;
    }
    const nextAttemptAt = next.status === 'pending' ? next.at : null;
    const row = {
      status: next.status,
      statusCode: attempt.statusCode,
      cause: attempt.cause,
      nextAttemptAt,
      finishedAt: nextAttemptAt === null ? finishedAt : null,
    };
    observe.emit('delivery', deliveryRow(job, row));
    if (nextAttemptAt !== null) due.note(laneOf(job.endpoint), job.turn === FIRST ? RETRY : job.turn, nextAttemptAt);
    else if (job.ordered === true) for (const turn of TURNS) due.note(laneOf(job.endpoint), turn, clock.now());
  }

  async function disableGone(lane: Lane, job: LeasedDelivery): Promise<void> {
    lane.gone = true;
    try {
      await directory.disable(job.endpoint, 'gone');
      observe.emit('endpoint', { id: job.endpoint, merchant: job.merchant, happened: 'disabled', reason: 'gone' });
    } catch (error) {
      log.error({ endpoint: job.endpoint, error: String(error) }, 'an endpoint that is gone could not be disabled');
    } finally {
      lane.gone = false;
      enterLine(lane);
      pump();
    }
  }

  async function giveBack(jobs: readonly LeasedDelivery[]): Promise<void> {
    const now = clock.now();
    // A lease that is over may be another try's by now: only what is still held can be given back.
    const held = jobs.filter(({ leaseUntil }) => leaseUntil > now);
    try {
      if (held.length > 0) await storage.release({ owner, deliveries: held.map(({ id }) => id), now });
      for (const job of jobs) due.note(laneOf(job.endpoint), job.turn, now);
    } catch (error) {
      log.warn({ error: String(error) }, 'leases could not be given back; they end by themselves');
    }
  }

  async function abandon(endpoint: string): Promise<void> {
    const waiting = laneOf(endpoint)
      .drain()
      .map(({ id }) => id);
    try {
      await storage.release({ owner, deliveries: waiting, now: clock.now() });
      while ((await storage.abandon({ endpoint, now: clock.now(), limit: ABANDON_STEP })) === ABANDON_STEP);
      lanes.delete(endpoint);
    } catch (error) {
      log.error({ endpoint, error: String(error) }, 'the deliveries of a deleted endpoint could not be ended');
    }
  }

  directory.onEndpoint((endpoint, id) => {
    if (endpoint === null) void abandon(id);
    else if (endpoint.active) {
      for (const turn of TURNS) due.note(laneOf(id), turn, clock.now());
      due.look();
    } else void giveBack(laneOf(id).drain());
  });

  return {
    reserve(endpoint, now) {
      const lane = laneOf(endpoint.id);
      // First tries that wait in the store go first; retries and bulk do not stand in the way.
      // Where the order or what was delivered counts the store decides what may go, so nothing is leased before it is recorded.
      if (
        endpoint.ordered ||
        endpoint.skipStale ||
        stopping ||
        !endpoint.active ||
        lane.room(FIRST, endpoint.maxInFlight) <= 0 ||
        lane.isDue(FIRST, now)
      )
        return null;
      lane.reserved += 1;
      return { owner, until: now + LEASE_MS + timeoutMs(endpoint) };
    },
    unreserve(delivery) {
      if (delivery.lease !== null) laneOf(delivery.endpoint).reserved -= 1;
    },
    take: (jobs) => take(jobs, true),
    wake: (endpoint, turn, at) => due.note(laneOf(endpoint), turn, at),
    async start() {
      await storage.takeOver({ owner, now: clock.now(), horizon: 2 * LEASE_MS });
      // A deletion that a crash cut short goes on.
      for (const endpoint of new Set((await storage.backlog()).map((row) => row.endpoint)))
        if (directory.endpointById(endpoint) === undefined) await abandon(endpoint);
      await due.start();
    },
    async stop(withinMs) {
      stopping = true;
      let cancel = (): void => undefined;
      const late = new Promise<void>((resolve) => (cancel = timers.after(withinMs, resolve)));
      const returned = giveBack([...lanes.values()].flatMap((lane) => lane.drain()));
      const answered = inFlight === 0 ? null : new Promise<void>((resolve) => (drained = resolve));
      const all = Promise.all([due.stop(), returned, answered]).then(() => settler.idle());
      await Promise.race([all, late]);
      cancel();
      settler.close();
    },
    gauges: () => ({ inFlight, queued: [...lanes.values()].reduce((sum, lane) => sum + lane.queued, 0) }),
  };
}
