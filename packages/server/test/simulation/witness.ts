import { parseDuration } from '../../src/engine/deliver/durations.ts';
import type { Claimed, EndpointRow, LeasedDelivery, ResendStep, Settlement } from '../../src/storage/contract.ts';
import type { Books, Standing } from './books.ts';
import type { Known } from './known.ts';
import type { Life } from './life.ts';
import type { Call } from './network.ts';
import type { Watch } from './store.ts';

export interface WitnessParts {
  readonly now: () => number;
  readonly books: () => Books;
  readonly known: Known;
  readonly note: (text: string) => void;
  readonly wrong: (text: string) => void;
}

/** A call under the lease that it was made by. */
export interface Sent {
  readonly call: Call;
  readonly delivery: string;
  readonly event: string;
  readonly endpoint: string;
  readonly attempt: number;
}

/** `ordered` of a delivery that nobody waits for any more. */
const NOT_WAITED_FOR = 3;
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/** Stands between engine, store and network, and says at once where one of them does what must never happen. */
export class Witness implements Watch {
  readonly sent: Sent[] = [];
  /** Deliveries that somebody sent again by hand: rules of order and of the last try do not bind them. */
  readonly byHand = new Set<string>();
  /** Deliveries that were added for an event that was in the log already. */
  readonly added = new Set<string>();
  readonly #parts: WitnessParts;
  readonly #byUrl = new Map<string, string>();
  readonly #byDelivery = new Map<string, Sent[]>();
  readonly #failures = new Map<string, number>();
  readonly #notBefore = new Map<string, number>();
  /** Tries whose lease came with bytes of their own, and those bytes. */
  readonly #claimed = new Set<string>();
  readonly #brought = new WeakMap<Uint8Array, string>();
  /** Resend, event and endpoint of what was sent in bulk. */
  readonly #resends = new Set<string>();
  #before: (Standing | null)[] = [];

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  sentOf(delivery: string): readonly Sent[] {
    return this.#byDelivery.get(delivery) ?? [];
  }

  failuresOf(delivery: string): number {
    return this.#failures.get(delivery) ?? 0;
  }

  /** A call leaves: it must be held under a lease that outlasts it, due, wanted and in order. */
  sending(call: Call): void {
    const { now, books, known, note, wrong } = this.#parts;
    const { life, request } = call;
    const endpoint = this.#byUrl.get(request.url) ?? '';
    const row = known.now(endpoint);
    const found = books()
      .leased(endpoint, life.owner, known.last(endpoint)?.content === 'request' ? undefined : request.headers['webhook-id'])
      .filter(({ body }) => body !== null && Buffer.compare(body, request.body) === 0)
      .find(({ id, attempt }) => this.#isOf(request.body, `${id} ${attempt}`) && !this.sentOf(id).some((sent) => sent.attempt === attempt));
    note(`${life.name} call ${call.n} to ${request.url}: ${found === undefined ? 'no lease' : `${found.id} try ${found.attempt}`}`);
    if (found === undefined) return wrong(`call ${call.n} to ${request.url} is made without a lease of its own`);
    const { id, dueAt, attempt } = found;
    if ((dueAt ?? 0) < now() + request.deadlineMs) wrong(`call ${call.n} may outlast its lease of ${id}`);
    if (row !== null && (!row.active || row.deletedAt !== null)) wrong(`call ${call.n} goes to ${endpoint}, which is not active`);
    if (now() < (this.#notBefore.get(id) ?? 0)) wrong(`call ${call.n} of ${id} is made before it is due`);
    if (row !== null && this.#open(life, endpoint) >= row.maxInFlight) wrong(`call ${call.n} is one more than ${endpoint} allows at once`);
    const first = this.sentOf(id)[0]?.call.request;
    if (first !== undefined && Buffer.compare(first.body, request.body) !== 0)
      wrong(`call ${call.n} of ${id} carries other bytes than before`);
    if (first !== undefined && first.headers['webhook-id'] !== request.headers['webhook-id'])
      wrong(`call ${call.n} of ${id} carries another id than before`);
    if (found.ordered > 0 && found.transaction !== null) this.#checkOrder(call, found);
    const sent = { call, delivery: id, event: found.event, endpoint, attempt };
    this.sent.push(sent);
    this.#byDelivery.set(id, [...this.sentOf(id), sent]);
  }

  /** Two deliveries of one event look alike from outside; the very bytes that a claim brought tell them apart. */
  #isOf(body: Uint8Array, name: string): boolean {
    const brought = this.#brought.get(body);
    return brought === undefined ? !this.#claimed.has(name) : brought === name;
  }

  /** Nobody may be overtaken who was not waited for as long as the endpoint asked. */
  #checkOrder(call: Call, standing: Standing): void {
    if (this.byHand.has(standing.id)) return;
    const { books, now, wrong } = this.#parts;
    for (const { id, ordered, createdAt } of books().ahead(standing)) {
      if (this.byHand.has(id) || (ordered === NOT_WAITED_FOR && now() - createdAt >= (standing.wait ?? Infinity))) continue;
      wrong(`call ${call.n} of ${standing.id} overtakes ${id} of its transaction after ${now() - createdAt} of ${standing.wait} ms`);
    }
  }

  #open(life: Life, endpoint: string): number {
    return this.sent.filter((one) => one.endpoint === endpoint && one.call.life === life && one.call.result === null).length;
  }

  asked(_life: Life, name: string, argument: unknown): void {
    if (name !== 'saveEndpoints') return;
    for (const { id, url } of argument as readonly EndpointRow[]) {
      this.#byUrl.set(url, id);
      this.#parts.known.changing(id, this.#parts.now());
    }
  }

  told(_life: Life, name: string, argument: unknown, ok: boolean): void {
    if (name !== 'saveEndpoints') return;
    for (const row of argument as readonly EndpointRow[]) this.#parts.known.stands(row.id, this.#parts.now(), ok ? row : undefined);
  }

  before(_life: Life, name: string, argument: unknown): void {
    if (name === 'settle') this.#before = (argument as Settlement[]).map(({ delivery }) => this.#parts.books().delivery(delivery));
    if (name === 'addDeliveries') for (const { id } of argument as { id: string }[]) this.added.add(id);
    if (name === 'stepResend') for (const { id } of (argument as ResendStep).deliveries) this.added.add(id);
    if (name === 'retryDelivery') {
      const { id } = argument as { id: string };
      this.byHand.add(id);
      this.#notBefore.delete(id);
    }
  }

  after(_life: Life, { name, argument, result }: { name: string; argument: unknown; result: unknown }): void {
    if (name === 'claim') this.#bring((result as Claimed).deliveries);
    if (name === 'addDeliveries') this.#bring(result as LeasedDelivery[]);
    if (name === 'stepResend' && result === true) this.#resent(argument as ResendStep);
    if (name !== 'settle') return;
    for (const [index, settlement] of (argument as Settlement[]).entries()) {
      this.#settled(settlement, this.#before[index] ?? null, (result as string[])[index] ?? '');
    }
  }

  /** One resend sends an event to an endpoint once, whatever crashed in between. */
  #resent({ id, deliveries }: ResendStep): void {
    for (const { event, endpoint } of deliveries) {
      const line = `${id} ${event} ${endpoint}`;
      if (this.#resends.has(line)) this.#parts.wrong(`${id} sent ${event} to ${endpoint} twice`);
      this.#resends.add(line);
    }
  }

  #bring(leased: readonly LeasedDelivery[]): void {
    for (const { id, attempt, body } of leased) {
      this.#claimed.add(`${id} ${attempt}`);
      this.#brought.set(body, `${id} ${attempt}`);
    }
  }

  #settled(settlement: Settlement, before: Standing | null, answer: string): void {
    const { note, wrong } = this.#parts;
    const { delivery, owner, attempt, next } = settlement;
    const rightful = before?.status === 'pending' && before.owner === owner && before.attempt === attempt.n;
    note(
      `${delivery} try ${attempt.n} ${attempt.outcome} (${attempt.cause}): ${answer}, ${next.status === 'pending' ? `again at +${next.at - settlement.finishedAt}` : next.status}`,
    );
    if (rightful !== (answer === 'settled'))
      wrong(`the result of ${delivery} try ${attempt.n} was ${answer}, though its lease was ${rightful ? 'held' : "another's"}`);
    if (answer !== 'settled') return;
    const call = this.sentOf(delivery).find((one) => one.attempt === attempt.n)?.call;
    if (call?.result == null) return wrong(`${delivery} try ${attempt.n} has a result without a call that was answered`);
    const succeeded = call.result.cause === 'ok';
    if (succeeded !== (attempt.outcome === 'succeeded') || succeeded !== (next.status === 'succeeded'))
      wrong(`${delivery} try ${attempt.n} was answered ${call.result.cause} and counted as ${attempt.outcome}, ${next.status}`);
    if (!succeeded) this.#failed(settlement, call);
  }

  /** The schedule: so many tries, none before its time, none given up too early. */
  #failed({ delivery, next, finishedAt }: Settlement, call: Call): void {
    const { known, wrong } = this.#parts;
    const endpoint = this.sentOf(delivery)[0]?.endpoint ?? '';
    const failures = this.failuresOf(delivery) + 1;
    this.#failures.set(delivery, failures);
    const retry = known.last(endpoint)?.retry;
    const delay = parseDuration((retry !== undefined && retry !== null && 'delays' in retry ? retry.delays[failures] : undefined) ?? '');
    if (next.status === 'failed') {
      const row = known.now(endpoint);
      const stopped = row === null || !row.active || call.result?.cause === 'gone';
      if (delay !== null && !stopped) wrong(`${delivery} was given up after ${failures} tries, though another is planned`);
      return;
    }
    if (next.status !== 'pending') return;
    if (delay === null) return wrong(`${delivery} is tried again after ${failures} failures, more often than planned`);
    const asked = call.result?.retryAfter;
    const wait = Math.max(delay, /^\d+$/.test(asked ?? '') ? Math.min(Number(asked) * 1000, LONGEST_RETRY_AFTER_MS) : 0);
    if (next.at !== finishedAt + wait)
      wrong(`${delivery} is due ${next.at - finishedAt} ms after its failure ${failures}, planned are ${wait}`);
    this.#notBefore.set(delivery, finishedAt + wait);
  }
}
