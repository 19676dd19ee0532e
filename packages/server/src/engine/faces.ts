/** What the doors (HTTP, CLI) may ask of the engine. Every method answers or throws a `Refusal`. */

import type { Finding, Headers, JsonObject, JsonValue, Rejection } from '@paybell/sdk';
import type {
  AttemptRow,
  DeliveryRow,
  DeliveryStatus,
  EndpointContent,
  EventWithBody,
  Expirable,
  KeyRow,
  MerchantRow,
  Peer,
  RequestRow,
  ResendRow,
  RetryPolicy,
} from '../storage/contract.ts';
import type { Signing } from './directory/signing.ts';
import type { NodesFace } from './nodes/face.ts';
import type { SendRequest } from './ports.ts';

// ---- accept -------------------------------------------------------------------------------------------------------

export interface Inbound {
  readonly body: Uint8Array;
  readonly headers: Headers;
  /** `[[name, value], ...]` as they came, in order, for the record. */
  readonly rawHeaders: readonly string[];
  readonly url: string;
}

export type Accepted =
  | {
      readonly kind: 'accepted' | 'duplicate';
      readonly request: string;
      readonly ack: { readonly status: number; readonly contentType: string; readonly body: string };
    }
  | { readonly kind: 'rejected'; readonly request: string; readonly reason: Rejection; readonly detail: string };

export interface Publish {
  readonly type: string;
  readonly data: JsonValue;
  readonly url?: string;
  readonly occurredAt?: number;
  /** Whose vocabulary `type` and `data` are in, for the ledger; where it is not said, that of the merchant's endpoints, else `paybell`. */
  readonly provider?: string;
  readonly idempotencyKey?: string;
}

export interface Published {
  readonly id: string;
  readonly deliveries: number;
  readonly duplicate: boolean;
}

// ---- directory ----------------------------------------------------------------------------------------------------

/** A source as the engine holds it: secrets in clear, in memory only. */
export interface Source {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  readonly name: string;
  readonly options: JsonObject | null;
  readonly secrets: readonly string[];
  readonly active: boolean;
  readonly createdAt: number;
}

export interface Endpoint {
  readonly id: string;
  readonly merchant: string;
  readonly url: string;
  readonly provider: string;
  readonly events: readonly string[];
  readonly content: EndpointContent;
  readonly secrets: readonly string[];
  readonly active: boolean;
  readonly disabledReason: string | null;
  readonly pause: { readonly since: number; readonly until: number | null } | null;
  readonly retry: RetryPolicy | null;
  readonly timeout: string | null;
  /** How long it may do nothing but fail before it is disabled: a duration or `never`; null: as the server is set. */
  readonly disableAfter: string | null;
  readonly maxInFlight: number;
  readonly ordered: boolean;
  /** How long an ordered delivery waits for those before it; null: the default. */
  readonly orderedWait: string | null;
  /** True: what a delivered event of the same transaction has overtaken is not sent. */
  readonly skipStale: boolean;
  /** True: `events` may name types that are in no provider's catalogue. */
  readonly customEvents: boolean;
  /** Sent with every call; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly options: JsonObject | null;
  readonly perEvent: boolean;
  readonly createdAt: number;
}

/** What a receiver needs to check signatures: `signing` is null where the provider has one way only, `overlapUntil` while no secret ends. */
export interface EndpointSigning {
  readonly signing: Signing | null;
  /** Shared secrets and public keys, the current ones first; the secret half of a key pair is never among them. */
  readonly secrets: readonly string[];
  readonly publicKey: string | null;
  readonly overlapUntil: number | null;
}

export interface NewSource {
  readonly merchant: string;
  readonly provider: string;
  readonly secrets: readonly string[];
  readonly name?: string;
  readonly options?: JsonObject;
}

export interface NewEndpoint {
  readonly merchant: string;
  readonly url: string;
  readonly provider?: string;
  readonly events?: readonly string[];
  readonly content?: EndpointContent;
  /** Absent: one is made in the provider's form. */
  readonly secret?: string;
  readonly active?: boolean;
  readonly retry?: RetryPolicy | null;
  readonly timeout?: string | null;
  readonly disableAfter?: string | null;
  readonly maxInFlight?: number;
  readonly ordered?: boolean;
  readonly orderedWait?: string | null;
  readonly skipStale?: boolean;
  readonly customEvents?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: as the secret's form says, else by shared secret. */
  readonly signing?: Signing;
  readonly options?: JsonObject;
}

/** An endpoint that passed every check and is not saved yet. */
export interface EndpointDraft {
  readonly endpoint: Endpoint;
  save(): Promise<Endpoint>;
}

export type SourceChange = Partial<Pick<NewSource, 'name' | 'options' | 'secrets'>> & {
  readonly addSecret?: string;
  readonly active?: boolean;
};
export type EndpointChange = Partial<Omit<NewEndpoint, 'merchant' | 'secret'>>;

export interface Directory {
  merchants(): readonly MerchantRow[];
  createMerchant(input: { readonly id?: string; readonly name: string }): Promise<MerchantRow>;

  /** Newest first; null merchant: of all. Endpoints made for one event's `url` are left out. */
  sources(merchant: string | null): readonly Source[];
  source(merchant: string | null, id: string): Source;
  createSource(input: NewSource): Promise<Source>;
  changeSource(merchant: string | null, id: string, change: SourceChange): Promise<Source>;
  deleteSource(merchant: string | null, id: string): Promise<void>;

  endpoints(merchant: string | null): readonly Endpoint[];
  endpoint(merchant: string | null, id: string): Endpoint;
  createEndpoint(input: NewEndpoint): Promise<Endpoint>;
  changeEndpoint(merchant: string | null, id: string, change: EndpointChange): Promise<Endpoint>;
  /** As `createEndpoint` and `changeEndpoint`, but saved only when asked to: something may be tried with it before. */
  draftEndpoint(input: NewEndpoint): EndpointDraft;
  draftChange(merchant: string | null, id: string, change: EndpointChange): EndpointDraft;
  deleteEndpoint(merchant: string | null, id: string): Promise<void>;
  /** Puts a fresh secret (or the given one) first; the one before stays valid for `overlapMs`. */
  rotateSecret(merchant: string | null, id: string, turn: { readonly overlapMs: number; readonly secret?: string }): Promise<Endpoint>;
  signingOf(endpoint: Endpoint): EndpointSigning;

  keys(): readonly KeyRow[];
  /** The clear key is shown here once and kept nowhere. */
  createKey(input: {
    readonly name: string;
    readonly merchant: string | null;
    readonly key?: string;
  }): Promise<{ readonly row: KeyRow; readonly key: string }>;
  deleteKey(id: string): Promise<void>;
  /** Whose key this is; null where it is nobody's. */
  keyHolder(key: string): { readonly id: string; readonly merchant: string | null } | null;
  /** Signs a session out before its time, on every process and for good. */
  endSession(session: { readonly id: string; readonly until: number }): Promise<void>;
  isEnded(session: string): boolean;
}

// ---- the engine ---------------------------------------------------------------------------------------------------

export interface Resend {
  readonly merchant: string;
  /** Bounds on when the events were recorded. */
  readonly since: number;
  readonly until?: number;
  readonly endpoint?: string;
  /** Events that stand so with an endpoint, or that `endpoint` has no delivery of; absent: all. */
  readonly status?: DeliveryStatus | 'missing';
  /** Event types with wildcards. */
  readonly types?: readonly string[];
  readonly source?: string;
  readonly transaction?: string;
  /** Deliveries made in a second at most. */
  readonly perSecond?: number;
  readonly dryRun?: boolean;
}

/** How this process sends to an endpoint now. */
export interface EndpointNow {
  /** Open: it is down, and what is due for it waits. Half open: one call may find out. */
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Calls at once that it gets. */
  readonly limit: number;
  /** When the next call may find out; null where none has to. */
  readonly probeAt: number | null;
  /** Since when it has done nothing but fail. */
  readonly failingSince: number | null;
}

export interface Engine {
  readonly directory: Directory;
  readonly nodes: NodesFace;
  readonly observe: Observe;
  accept(source: string, inbound: Inbound): Promise<Accepted>;
  /** All in one commit; answers in the same order. */
  publish(merchant: string, items: readonly Publish[]): Promise<readonly Published[]>;
  /** Sends a signed test event to one endpoint now, outside the log of events, and answers with the attempt. */
  test(merchant: string | null, endpoint: string, type?: string): Promise<{ readonly request: SendRequest; readonly attempt: AttemptRow }>;
  /** The same to an endpoint that may not be saved yet. */
  ping(endpoint: Endpoint): Promise<{ readonly request: SendRequest; readonly attempt: AttemptRow }>;
  /** New deliveries of one event, to one endpoint or to all that it matches now. */
  resendEvent(merchant: string | null, event: string, endpoint?: string): Promise<{ readonly deliveries: readonly string[] }>;
  /** Counts what would be sent again; unless it is a dry run, or nothing, a resend of it begins. */
  resendMany(query: Resend): Promise<{
    readonly events: number;
    readonly deliveries: number;
    readonly dryRun: boolean;
    readonly resend: ResendRow | null;
  }>;
  /** Ends a resend; what it has waiting is withdrawn. One whose deliveries are all finished stays as it is. */
  cancelResend(merchant: string | null, resend: string): Promise<ResendRow>;
  retryDelivery(merchant: string | null, delivery: string): Promise<DeliveryRow>;
  /** Judges quarantined requests again, in order; folds and routes what passes now. */
  reverify(
    merchant: string | null,
    source: string,
  ): Promise<{ readonly checked: number; readonly accepted: number; readonly rejected: number }>;
  /** Why a rejected request's signature does not match, judged with the source's secrets of today. */
  diagnose(merchant: string | null, request: string): Promise<readonly Finding[]>;
  /** The data of an event as its provider wrote it. */
  dataOf(event: EventWithBody): JsonValue;
  /** How full it is, for /readyz and metrics. */
  gauges(): Readonly<Record<'waiting' | 'hanging' | 'inFlight' | 'queued' | 'openBreakers', number>>;
  /** How an endpoint is being sent to. */
  endpointNow(endpoint: Endpoint): EndpointNow;
  start(): Promise<void>;
  /** Finishes what is in flight within `withinMs`, gives leases back. */
  stop(withinMs: number): Promise<void>;
}

// ---- observe ------------------------------------------------------------------------------------------------------

/** Everything that happened, after its commit: one typed map. */
export interface Happenings {
  request: RequestRow;
  /** JSON text of the row as it stands. */
  transaction: { readonly merchant: string; readonly json: string };
  delivery: DeliveryRow;
  attempt: {
    readonly endpoint: string;
    readonly merchant: string;
    readonly outcome: 'succeeded' | 'failed';
    readonly cause: string;
    readonly durationMs: number;
  };
  commit: { readonly requests: number; readonly events: number; readonly durationMs: number };
  /** The other processes that live, once a second. */
  peers: readonly Peer[];
  expired: { readonly what: Expirable; readonly count: number; readonly bytes: number };
  /**
   * `opened`: it is taken for down, or a probe failed; `closed`: a probe was answered. `failing`, `recovered`, `disabled` are for the
   * operator: each once, however often a breaker moves.
   */
  endpoint: {
    readonly id: string;
    readonly merchant: string;
    readonly happened: 'opened' | 'closed' | 'failing' | 'recovered' | 'disabled';
    /** A cause, or `gone` or `failing` for a disabled one. */
    readonly reason: string;
    /** Since when it has done nothing but fail, and how often. */
    readonly since: number | null;
    readonly failures: number;
  };
}

export interface Observe {
  on<Name extends keyof Happenings>(name: Name, receive: (what: Happenings[Name]) => void): () => void;
  emit<Name extends keyof Happenings>(name: Name, what: Happenings[Name]): void;
}
