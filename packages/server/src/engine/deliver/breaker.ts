import type { Cause } from './causes.ts';

/** Deliveries that fail in a row before an endpoint counts as down; right after it came back, fewer. */
const OPENS_AFTER = 5;
const OPENS_AGAIN_AFTER = 2;
/** A row that is shorter than the calls at once opens only after this time: one bad moment may hit all of them. */
const PATIENCE_MS = 10_000;
const FIRST_PROBE_MS = 2_000;
const LONGEST_PROBE_MS = 60_000;
const PROBE_JITTER = 0.2;
const LONGEST_RETRY_AFTER_MS = 3_600_000;
/** After a recovery the calls at once start at one and double in this time. */
const RAMP_DOUBLES_MS = 5_000;
const RAMP_MS = 8 * RAMP_DOUBLES_MS;

export type BreakerState = 'closed' | 'open' | 'half_open';

export interface Heard {
  readonly cause: Cause;
  /** Whose call it was: one delivery that fails again and again says nothing about the others. */
  readonly delivery: string;
  readonly startedAt: number;
  readonly now: number;
  /** Calls at once that were allowed. */
  readonly limit: number;
  /** How long the endpoint asks to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null;
  /** From 0 to below 1. */
  readonly random: number;
}

/**
 * Whether an endpoint is down, so that what is due for it waits without burning tries.
 *
 *            enough failures in a row            time for a probe
 *   closed ---------------------------> open ---------------------> half open
 *      ^                                  ^      the probe failed       |
 *      |                                  +----------------------------+|
 *      +---- the probe was answered: a ramp from one call at once ------+
 */
export class Breaker {
  /** Set while it is not closed. */
  #openedAt: number | null = null;
  #probeAt = 0;
  /** How often in a row it opened without a ramp that was walked to its end. */
  #openings = 0;
  #closedAt: number | null = null;
  readonly #row = new Set<string>();
  #rowSince = 0;

  state(now: number): BreakerState {
    if (this.#openedAt === null) return 'closed';
    return now < this.#probeAt ? 'open' : 'half_open';
  }

  /** Until when nothing is sent; 0: nothing is held back. */
  get parkedUntil(): number {
    return this.#openedAt === null ? 0 : this.#probeAt;
  }

  /** The most calls at once. */
  ceiling(now: number): number {
    if (this.#openedAt !== null) return now < this.#probeAt ? 0 : 1;
    if (this.#closedAt === null || now - this.#closedAt >= RAMP_MS) return Infinity;
    return Math.floor(2 ** ((now - this.#closedAt) / RAMP_DOUBLES_MS));
  }

  /** Takes an answer in; tells where it changed what may be sent. */
  ended(heard: Heard): 'opened' | 'closed' | null {
    const says = bearing(heard.cause);
    const { now, startedAt } = heard;
    if (this.#openedAt === null) return this.#whileClosed(heard, says);
    // Called before it opened: old news. Only the probe decides.
    if (startedAt < this.#openedAt) return null;
    if (says === 'down') return this.#open(heard);
    if (says === null) {
      this.#probeAt = now + FIRST_PROBE_MS;
      return null;
    }
    this.#openedAt = null;
    this.#closedAt = now;
    return 'closed';
  }

  /** It was down when this process began: one probe first. */
  suspect(now: number): void {
    this.#openedAt = this.#probeAt = now;
    this.#openings = 1;
  }

  #whileClosed(heard: Heard, says: 'up' | 'down' | null): 'opened' | null {
    const { now, delivery, limit } = heard;
    const ramping = this.#closedAt !== null && now - this.#closedAt < RAMP_MS;
    if (says === 'up') {
      this.#row.clear();
      if (!ramping) this.#openings = 0;
    }
    if (says !== 'down') return null;
    if (this.#row.size === 0) this.#rowSince = now;
    this.#row.add(delivery);
    const { size } = this.#row;
    const enough = ramping ? size >= OPENS_AGAIN_AFTER : size >= OPENS_AFTER && (size >= limit || now - this.#rowSince >= PATIENCE_MS);
    return enough ? this.#open(heard) : null;
  }

  #open({ now, retryAfterMs, random }: Heard): 'opened' {
    const wait = Math.min(LONGEST_PROBE_MS, FIRST_PROBE_MS * 2 ** this.#openings) * (1 + PROBE_JITTER * (2 * random - 1));
    this.#openings += 1;
    this.#openedAt = now;
    this.#closedAt = null;
    this.#row.clear();
    this.#probeAt = now + Math.round(Math.max(wait, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)));
    return 'opened';
  }
}

/**
 * What a cause says of the endpoint, whichever delivery it came with. Down: nobody was reached, nobody answered in time, or the
 * answer is one that a server, proxy or certificate gives to all alike (429, 5xx, a redirect, broken HTTP). Up: it was accepted, or
 * read and refused: a 4xx may lie in this one body and must not hold up the rest. Nothing: the fault is this delivery's or ours.
 */
function bearing(cause: Cause): 'up' | 'down' | null {
  switch (cause) {
    case 'ok':
    case 'http_4xx':
      return 'up';
    // It disables the endpoint; what else is in flight says no more.
    case 'gone':
    case 'request_refused':
    case 'signing_failed':
    case 'canceled':
    case 'endpoint_deleted':
    case 'superseded':
    case 'local_limit':
    case 'interrupted':
      return null;
    case 'dns_nxdomain':
    case 'dns_no_address':
    case 'dns_error':
    case 'url_refused':
    case 'https_required':
    case 'address_blocked':
    case 'conn_refused':
    case 'host_unreachable':
    case 'connect_timeout':
    case 'conn_reset':
    case 'empty_response':
    case 'timeout':
    case 'headers_timeout':
    case 'headers_overflow':
    case 'protocol_error':
    case 'bad_status':
    case 'unexpected_upgrade':
    case 'http2_only':
    case 'redirect_not_followed':
    case 'rate_limited':
    case 'http_5xx':
    case 'bad_gateway':
    case 'unavailable':
    case 'tls_expired':
    case 'tls_not_yet_valid':
    case 'tls_self_signed':
    case 'tls_wrong_host':
    case 'tls_unknown_ca':
    case 'tls_incomplete_chain':
    case 'tls_bad_certificate':
    case 'tls_version':
    case 'tls_handshake_timeout':
    case 'tls_handshake_failed':
    case 'tls_not_spoken':
    case 'tls_client_cert':
    case 'tls_bad_pin':
      return 'down';
    default:
      return cause satisfies never;
  }
}
