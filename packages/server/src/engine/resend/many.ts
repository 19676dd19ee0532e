import type { AddedDelivery, ResendFilter, ResendRow } from '../../storage/contract.ts';
import type { Deliver } from '../deliver.ts';
import { isPattern } from '../directory/matching.ts';
import type { InnerDirectory } from '../directory.ts';
import type { Engine, Observe, Resend } from '../faces.ts';
import type { IdPrefix } from '../ids.ts';
import type { Clock, Log, Storage, Timers } from '../ports.ts';
import { deliveryRow } from '../record/rows.ts';
import { Refusal } from '../refusal.ts';
import type { Router } from '../route.ts';
import { routedOf } from '../route.ts';
import { countTargets, nextTargets } from './walk.ts';
import type { Target } from './walk.ts';

const PER_SECOND = 200;
/** A step is a commit: few a second are enough, and none of them is long. */
const STEPS_PER_SECOND = 4;
const MOST_PER_STEP = 200;
const WITHDRAWN_AT_ONCE = 1_000;
/** Beyond the end of its pause a step may take so long before another node goes on. */
const LEASE_MS = 30_000;
/** How often it is looked for resends that another node let go, and what is left of canceled ones. */
const LOOK_MS = 5_000;
const WITHDRAW_MS = 200;
const BULK = 2;

export interface ManyParts {
  readonly storage: Storage;
  readonly directory: InnerDirectory;
  readonly deliver: Deliver;
  readonly router: Router;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly newId: (prefix: IdPrefix) => string;
  readonly owner: string;
}

export interface Many extends Pick<Engine, 'resendMany' | 'cancelResend'> {
  start(): Promise<void>;
  /** Begins no step more; the next process goes on. */
  stop(): void;
}

/**
 * Resends of many events: counted, kept as a row, then made step by step. A step adds its deliveries and moves the cursor in one commit,
 * so that no crash sends anything twice or leaves anything out; they go as bulk, behind whatever else an endpoint has to do.
 */
export function createMany(parts: ManyParts): Many {
  const { storage, directory, deliver, router, observe, clock, timers, log, newId, owner } = parts;
  const going = new Map<string, Promise<void>>();
  /** Ends the pause of a resend. */
  const pauses = new Map<string, () => void>();
  let stopped = false;
  let cancelLook: () => void = () => undefined;

  const lease = (pauseMs = 0) => ({ owner, until: clock.now() + pauseMs + LEASE_MS });

  function pause(id: string, ms: number): Promise<void> {
    if (ms <= 0 || stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        pauses.delete(id);
        resolve();
      };
      const cancel = timers.after(ms, end);
      pauses.set(id, end);
    });
  }

  /** Goes on with a resend until it is done, ended or another's. */
  function goOn(row: ResendRow): void {
    if (going.has(row.id) || stopped) return;
    const run = (row.state === 'running' ? make(row) : withdraw(row.id)).finally(() => {
      going.delete(row.id);
    });
    going.set(row.id, run);
  }

  async function make(row: ResendRow): Promise<void> {
    const limit = Math.min(MOST_PER_STEP, Math.max(1, Math.floor(row.perSecond / STEPS_PER_SECOND)));
    let { cursor } = row;
    let nextAt = clock.now();
    while (!stopped) {
      try {
        const { endpoint } = row.filter;
        if (endpoint !== null && directory.endpointById(endpoint) === undefined) return await giveUp(row, 'Its endpoint was deleted.');
        const part = await nextTargets(parts, { merchant: row.merchant, filter: row.filter, cursor, limit, bodies: true });
        const made = part.targets.flatMap(deliveriesOf);
        nextAt = Math.max(nextAt, clock.now()) + (made.length * 1000) / row.perSecond;
        const step = { id: row.id, from: cursor, cursor: part.cursor, deliveries: made.map(({ delivery }) => delivery) };
        const lasted = await storage.stepResend({ ...step, lease: lease(nextAt - clock.now()), now: clock.now() });
        if (!lasted) return;
        for (const { tell } of made) tell();
        cursor = part.cursor;
      } catch (error) {
        log.error({ resend: row.id, error: String(error) }, 'a resend could not go on; trying again');
        nextAt = clock.now() + LOOK_MS;
      }
      if (cursor === null) return;
      await pause(row.id, nextAt - clock.now());
    }
  }

  async function giveUp({ id }: ResendRow, note: string): Promise<void> {
    await storage.endResend({ merchant: null, id, state: 'failed', note, lease: lease(), now: clock.now() });
    await withdraw(id);
  }

  function deliveriesOf({ found, endpoints }: Target): { delivery: AddedDelivery; tell: () => void }[] {
    const { event } = found;
    const routed = routedOf(found);
    const createdAt = clock.now();
    return endpoints.map((endpoint) => {
      const delivery = { ...router.deliveryTo(endpoint, routed, null), event: event.id, createdAt };
      const { id, merchant, type: eventType, transaction } = { ...event, id: delivery.id };
      const job = {
        id,
        merchant,
        event: event.id,
        eventType,
        endpoint: endpoint.id,
        transaction,
        format: delivery.format,
        attempt: 0,
        createdAt,
      };
      return {
        delivery,
        tell: () => {
          observe.emit('delivery', deliveryRow(job, { nextAttemptAt: createdAt }));
          deliver.wake(endpoint.id, BULK, createdAt);
        },
      };
    });
  }

  /** Ends what a canceled resend has waiting. What is leased is sent, and ends here only if it would be tried again. */
  async function withdraw(id: string): Promise<void> {
    while (!stopped) {
      try {
        const now = clock.now();
        if (await storage.withdrawResend({ id, owner, now, until: now + LEASE_MS, limit: WITHDRAWN_AT_ONCE })) return;
      } catch (error) {
        log.error({ resend: id, error: String(error) }, 'a canceled resend could not be withdrawn; trying again');
      }
      await pause(id, WITHDRAW_MS);
    }
  }

  async function look(): Promise<void> {
    try {
      for (const row of await storage.takeResends({ owner, now: clock.now(), until: lease().until })) goOn(row);
    } catch (error) {
      log.error({ error: String(error) }, 'resends could not be looked for');
    }
    if (!stopped) cancelLook = timers.after(LOOK_MS, () => void look());
  }

  return {
    async resendMany({
      merchant,
      since,
      until,
      endpoint,
      status,
      types,
      source,
      transaction,
      perSecond = PER_SECOND,
      dryRun = false,
    }: Resend) {
      if (endpoint !== undefined) directory.endpoint(merchant, endpoint);
      else if (status === 'missing')
        throw new Refusal('conflict', 'Name the "endpoint" that is missing events: "missing" asks what one endpoint never got.');
      const odd = types?.find((text) => !isPattern(text));
      if (odd !== undefined)
        throw new Refusal('invalid_event_type', `"${odd}" selects no event type; write "*", "payment.*" or "payment.completed".`);
      const now = clock.now();
      const filter: ResendFilter = {
        since,
        until: Math.min(until ?? now, now),
        endpoint: endpoint ?? null,
        status: status ?? null,
        types: types ?? null,
        source: source ?? null,
        transaction: transaction ?? null,
      };
      const counts = await countTargets(parts, { merchant, filter });
      if (dryRun || counts.deliveries === 0) return { ...counts, dryRun, resend: null };
      const id = newId('rsd');
      await storage.saveResend({ id, merchant, filter, perSecond, ...counts, createdAt: now, lease: lease() });
      const row = await storage.getResend({ merchant, id });
      if (row !== null) goOn(row);
      return { ...counts, dryRun, resend: row };
    },
    async cancelResend(merchant, id) {
      const row = await storage.endResend({ merchant, id, state: 'canceled', note: null, lease: lease(), now: clock.now() });
      if (row === null) throw new Refusal('not_found', 'There is no resend with this id; see GET /v1/resends.');
      if (row.state === 'canceled') {
        pauses.get(id)?.();
        await going.get(id);
        goOn(row);
      }
      return row;
    },
    start: look,
    stop() {
      stopped = true;
      cancelLook();
      for (const end of pauses.values()) end();
    },
  };
}
