import type { JsonObject, LedgerEvent, Movement, Transaction } from '@paybell/sdk';

/**
 * What a store can do: each operation is one transaction and one sentence. A store is held to `test/storage/conformance`.
 * Times are milliseconds since 1970; the only clock is the caller's. Ids are made by the caller.
 */
export interface Storage {
  /** True where other processes may write to the same database. */
  readonly shared: boolean;

  /** Opens, migrates, checks that commits are durable; throws a sentence where they are not. */
  open(): Promise<void>;
  close(): Promise<void>;

  /** What every process knows by heart: all that is not deleted, or what was saved after version `since`, deleted rows too. */
  loadDirectory(query: { readonly since: number }): Promise<DirectoryRows>;
  /** Each save is made only where the stored row still is of the version given with it; answers with the new version, or null. */
  saveMerchant(row: MerchantRow): Promise<number | null>;
  saveSource(row: SourceRow): Promise<number | null>;
  /** All of them or none. */
  saveEndpoints(rows: readonly EndpointRow[]): Promise<number | null>;
  saveKey(row: KeyRow): Promise<number | null>;
  saveEndedSession(row: EndedSessionRow): Promise<number | null>;
  /** Shows the other processes on this database that this one lives, and how far its news goes; answers with what there is to know of them. */
  beat(me: Peer): Promise<{ readonly directory: number; readonly others: readonly Peer[] }>;
  /** This process goes. */
  leave(node: string): Promise<void>;
  /** The endpoints that have done nothing but fail for a while. */
  loadFailing(): Promise<readonly FailingEndpoint[]>;
  /** Keeps since when endpoints have done nothing but fail; null: it is over. */
  saveFailing(rows: readonly { readonly endpoint: string; readonly kept: FailingEndpoint['kept'] | null }[]): Promise<void>;
  /** One small text by name (key check value, node facts); null where there is none. */
  getNote(name: string): Promise<string | null>;
  putNote(note: { readonly name: string; readonly text: string }): Promise<void>;
  /** Writes a note unless there is one of that name; answers with the text that stands. */
  claimNote(note: { readonly name: string; readonly text: string }): Promise<string>;

  /** Writes arrivals in one commit: requests, new events, folded transactions, deliveries. Answers in the same order. */
  record(arrivals: readonly Arrival[]): Promise<readonly Recorded[]>;

  /** Leases due deliveries of the wanted endpoints to `owner`; leases that ran out become an attempt `unknown` and are due again. */
  claim(claim: Claim): Promise<Claimed>;
  /** Writes the results of attempts, each only where owner and attempt number still match. */
  settle(results: readonly Settlement[]): Promise<readonly ('settled' | 'fenced')[]>;
  /** Gives leases back untried, each only where that very lease is still held: due at once, the attempt number returned. */
  release(back: { readonly owner: string; readonly leases: readonly HeldLease[]; readonly now: number }): Promise<void>;
  /** As `release`, for whatever a claim leased whose answer was lost: its owner has made no other one of the same `now`. */
  unclaim(back: { readonly claim: Claim; readonly now: number }): Promise<void>;
  /** Makes deliveries due now whose lease was held by a process that is gone; an embedded store has one process, so: by any other. */
  takeOver(query: { readonly owner: string; readonly now: number; readonly horizon: number }): Promise<number>;
  /** The earliest due time per endpoint and turn that has pending deliveries (a lease counts as due at its end). */
  backlog(): Promise<readonly (TurnAt & { readonly dueAt: number })[]>;
  /** Adds deliveries for events that are already recorded (resend). Answers with those leased by the caller. */
  addDeliveries(deliveries: readonly AddedDelivery[]): Promise<readonly LeasedDelivery[]>;
  /** Makes a finished delivery due once more, among the first tries and also where it was overtaken; null where there is no such delivery of that merchant. */
  retryDelivery(query: { readonly merchant: string | null; readonly id: string; readonly now: number }): Promise<DeliveryRow | null>;

  saveResend(resend: NewResend): Promise<void>;
  /** Leases the resends that have work left to `owner`: its own, and those whose lease ran out (an embedded store has one process: all). */
  takeResends(lease: { readonly owner: string; readonly now: number; readonly until: number }): Promise<readonly ResendRow[]>;
  /** Goes through the log for a resend, oldest first: a bounded part of it at each call, and of that up to `limit` rows. */
  findResendable(walk: ResendWalk): Promise<{ readonly rows: readonly Resendable[]; readonly cursor: string | null }>;
  /** Adds the deliveries of one step and moves the cursor, in one commit; false, and nothing written, where another goes on with it or it has ended. */
  stepResend(step: ResendStep): Promise<boolean>;
  /** Ends a resend that runs, or whose deliveries are not all finished; null where there is no such resend of that merchant. */
  endResend(end: ResendEnd): Promise<ResendRow | null>;
  /** Ends up to `limit` deliveries of a canceled resend that wait, as failed with cause `canceled`; true once none is pending. */
  withdrawResend(query: {
    readonly id: string;
    readonly owner: string;
    readonly now: number;
    readonly until: number;
    readonly limit: number;
  }): Promise<boolean>;
  listResends(query: PageQuery): Promise<Page<ResendRow>>;
  getResend(query: ById): Promise<ResendRow | null>;

  /** Ends up to `limit` pending deliveries of an endpoint that was deleted, as failed; leased ones end with their attempt. Answers how many. */
  abandon(query: { readonly endpoint: string; readonly now: number; readonly limit: number }): Promise<number>;

  listRequests(query: RequestQuery): Promise<Page<RequestRow>>;
  getRequest(query: ById): Promise<RequestRow | null>;
  getRequestBody(query: ById): Promise<Uint8Array | null>;
  listEvents(query: EventQuery): Promise<Page<EventWithBody>>;
  getEvent(query: ById): Promise<EventWithBody | null>;
  listDeliveries(query: DeliveryQuery): Promise<Page<DeliveryRow>>;
  getDelivery(query: ById): Promise<DeliveryDetail | null>;
  listTransactions(query: TransactionQuery): Promise<Page<Transaction>>;
  /** The transaction, the events it is the fold of, and its children (refunds ...). */
  getTransaction(query: ById): Promise<TransactionDetail | null>;
  stats(query: StatsQuery): Promise<Stats>;
  endpointHealth(query: { readonly endpoints: readonly string[]; readonly since: number }): Promise<readonly EndpointHealth[]>;

  /** Drops the oldest quarantined requests of a source beyond the bounds, `limit` at most; answers with how many went. */
  prune(bounds: QuarantineBounds): Promise<number>;
  /** Drops the content of what is older than its time and needed no more: one small step, on from where the last one ended. */
  expire(step: ExpiryStep): Promise<Expired>;
  /** The invariants behind the promises, checked row by row; empty where all hold. For `paybell doctor`. */
  check(query: { readonly now: number }): Promise<readonly Finding[]>;
  /** Sizes and settings; counts rows, so for doctor alone. */
  facts(): Promise<StorageFacts>;
  /** That it answers, and how durably it writes: reads no rows. For /readyz. */
  ready(): Promise<Pick<StorageFacts, 'driver' | 'durability'>>;
}

/** What an operation throws. */
export interface StorageFailure extends Error {
  /** True: nobody knows what is on disk (a sync failed, a page is damaged); the process must end without another acknowledgement. */
  readonly fatal: boolean;
  /** True: what was to be written may stand all the same. */
  readonly unsure: boolean;
  /** True: the store is out of reach, whatever was to be written. */
  readonly down: boolean;
}

export interface ById {
  /** Null: any merchant (the operator). */
  readonly merchant: string | null;
  readonly id: string;
}

// ---- configuration ------------------------------------------------------------------------------------------------

/** A row of the directory. */
export interface Versioned {
  /** Version of the directory that this row was last saved as; 0 for one that is new. */
  readonly version: number;
}

export interface MerchantRow extends Versioned {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

export interface SourceRow extends Versioned {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  readonly name: string;
  readonly options: JsonObject | null;
  /** The secrets, encrypted for rest. */
  readonly sealed: string;
  readonly active: boolean;
  readonly createdAt: number;
  readonly deletedAt: number | null;
}

export type EndpointContent = 'event' | 'request' | 'transaction';

/** As the API takes it: a list of delays or a formula. Durations are text. */
export type RetryPolicy =
  | { readonly delays: readonly string[]; readonly jitter?: number }
  | { readonly first: string; readonly factor: number; readonly cap: string; readonly window: string; readonly jitter?: number };

export interface Pause {
  readonly since: number;
  /** Null: it lasts. */
  readonly until: number | null;
}

export interface EndpointRow extends Versioned {
  readonly id: string;
  readonly merchant: string;
  readonly url: string;
  readonly provider: string;
  /** Event types with wildcards: `payment.*`, `*`. */
  readonly events: readonly string[];
  /** True: `events` may name types that are in no provider's catalogue. */
  readonly customEvents?: boolean;
  readonly content: EndpointContent;
  /** Secrets and custom headers, encrypted for rest. */
  readonly sealed: string;
  readonly active: boolean;
  /** Why it is not active where Paybell itself switched it off (`gone`, `failing`). */
  readonly disabledReason: string | null;
  /** When it last was not active, and got no new events; null or absent: never. */
  readonly pause?: Pause | null;
  readonly retry: RetryPolicy | null;
  readonly timeout: string | null;
  /** A duration or `never`; absent or null: as the server is set. */
  readonly disableAfter?: string | null;
  readonly maxInFlight: number;
  readonly ordered: boolean;
  /** How long an ordered delivery waits for those before it; absent: the default. */
  readonly orderedWait?: string | null;
  /** True: what a delivered event of the same transaction has overtaken is not sent. */
  readonly skipStale?: boolean;
  readonly options: JsonObject | null;
  /** True: made for the `url` of one published event; matches nothing by itself. */
  readonly perEvent: boolean;
  readonly createdAt: number;
  readonly deletedAt: number | null;
}

export interface FailingEndpoint {
  readonly endpoint: string;
  readonly kept: {
    /** The first failure after the last success. */
    readonly since: number;
    readonly failures: number;
    /** The operator was told. */
    readonly told: boolean;
  };
}

export interface KeyRow extends Versioned {
  readonly id: string;
  readonly name: string;
  /** sha256 of the key, hex. */
  readonly hash: string;
  /** Null: the admin key. */
  readonly merchant: string | null;
  readonly createdAt: number;
  readonly deletedAt: number | null;
}

/** A session that was signed out before its time. */
export interface EndedSessionRow extends Versioned {
  readonly id: string;
  /** Nobody asks for it after this. */
  readonly until: number;
}

/** One process on a database that several share. */
export interface Peer {
  readonly node: string;
  /** How many messages it has made for live streams. */
  readonly news: number;
}

export interface DirectoryRows {
  /** Everything up to this version is in it. */
  readonly version: number;
  readonly merchants: readonly MerchantRow[];
  readonly sources: readonly SourceRow[];
  readonly endpoints: readonly EndpointRow[];
  readonly keys: readonly KeyRow[];
  readonly endedSessions: readonly EndedSessionRow[];
}

// ---- record -------------------------------------------------------------------------------------------------------

export type RequestVerdict = 'accepted' | 'rejected' | 'duplicate';

export interface NewRequest {
  readonly id: string;
  readonly merchant: string;
  readonly source: string;
  readonly provider: string;
  readonly receivedAt: number;
  readonly verdict: 'accepted' | 'rejected';
  readonly reason: string | null;
  /** JSON text of the findings, for a rejected one. */
  readonly diagnosis: string | null;
  /** JSON text: `[["name","value"], ...]` in order of arrival. */
  readonly headers: string;
  readonly body: Uint8Array;
  /** Of the body, hex. */
  readonly sha256: string;
  /** True: the request is already kept (quarantined) and passes now; its verdict is rewritten, its bytes are not. */
  readonly known?: boolean;
}

export type EventState = 'recorded' | 'unmapped' | 'fold_failed';

export interface NewEvent {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  /** Null: published through the API. */
  readonly source: string | null;
  readonly request: string | null;
  /** Position among the events of its request. */
  readonly item: number;
  readonly type: string;
  /** Unique within the source, or within the merchant for published events. */
  readonly dedupeKey: string;
  /** sha256 (hex) of what makes two events the same fact: equal key and other digest is a variant. */
  readonly digest: string;
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  readonly recordedAt: number;
  readonly state: EventState;
  readonly note: string | null;
  /** Set where a transaction is touched: its deterministic id and what the event says of it. */
  readonly transaction: string | null;
  /** Deterministic id of `movement.parent`. */
  readonly parent: string | null;
  readonly movement: Movement | null;
  /** JSON text of the data of a published event; null for inbound ones (their request holds it). */
  readonly data: string | null;
  readonly deliveries: readonly NewDelivery[];
}

export interface NewDelivery {
  readonly id: string;
  readonly endpoint: string;
  /** `provider:ID` (deliveries of one event and one format share their bytes), `request` (the request's own bytes) or `transaction` (the row as folded by this commit). */
  readonly format: string;
  /** Bytes for `provider:ID`; null for the two others. */
  readonly body: Uint8Array | null;
  /** Set: this process sends it at once, as attempt 1. */
  readonly lease: Lease | null;
  /**
   * Set: it waits for the one before it, of the same transaction and endpoint, until that is finished or for so many milliseconds from
   * when that one's turn came. Never leased when recorded.
   */
  readonly orderedWait?: number;
  /** True: sent even where it was overtaken, because a person asked for it. */
  readonly forced?: boolean;
}

export interface Lease {
  readonly owner: string;
  readonly until: number;
}

/** What came through one door at once: an inbound request with its events, or one published event. */
export interface Arrival {
  readonly request: NewRequest | null;
  readonly events: readonly NewEvent[];
}

export interface RecordedEvent {
  readonly outcome: 'stored' | 'duplicate' | 'variant';
  /** The event that stands in the log: the new one, or the one that was there before. */
  readonly id: string;
  /** Number of deliveries of that event (for a duplicate: of the one before). */
  readonly deliveries: number;
  /** JSON texts of deliveries' bodies that only the commit could know, by delivery id (`transaction`). */
  readonly bodies: Readonly<Record<string, string>> | null;
}

export interface Recorded {
  readonly requestVerdict: RequestVerdict | null;
  readonly events: readonly RecordedEvent[];
  /** JSON texts of the transactions as they stand after this commit, each once per commit (with the first arrival that touched it). */
  readonly transactions: readonly string[];
}

// ---- deliver ------------------------------------------------------------------------------------------------------

/** Who goes first at an endpoint: 0 first tries (and what a person asked for), 1 retries, 2 what is sent again in bulk. */
export type Turn = 0 | 1 | 2;

/** The deliveries of one endpoint whose turn is the same: what a claim asks for. */
export interface TurnAt {
  readonly endpoint: string;
  readonly turn: Turn;
}

export interface Claim {
  readonly owner: string;
  readonly now: number;
  readonly until: number;
  readonly wants: readonly Want[];
}

export interface Want extends TurnAt {
  readonly max: number;
  /** True: what was overtaken is not leased but ends, unless it is forced. */
  readonly skipStale?: boolean;
}

export interface Claimed {
  readonly deliveries: readonly LeasedDelivery[];
  /** What ended instead, as it stands: a delivered event of the same transaction had overtaken it. */
  readonly superseded: readonly DeliveryRow[];
  /** For each want, when its next pending delivery is due; null where none is left. */
  readonly next: readonly (TurnAt & { readonly dueAt: number | null })[];
}

export interface LeasedDelivery {
  readonly id: string;
  readonly merchant: string;
  readonly endpoint: string;
  readonly event: string;
  readonly eventType: string;
  readonly transaction: string | null;
  readonly format: string;
  readonly body: Uint8Array;
  /** Headers of the inbound request, JSON text, for format `request`. */
  readonly requestHeaders: string | null;
  /** Number of this attempt, from 1: the fence. */
  readonly attempt: number;
  /** Tries that failed so far; lost ones (`unknown`) burn none. */
  readonly failures: number;
  /** When it was leased, by the clock of its owner: no two leases of a delivery agree in it. */
  readonly leasedAt: number;
  readonly leaseUntil: number;
  readonly turn: Turn;
  readonly createdAt: number;
  readonly ordered?: boolean;
}

/** What tells a lease from any other of the same owner. */
export type HeldLease = Pick<LeasedDelivery, 'id' | 'attempt' | 'leasedAt'>;

export type AttemptOutcome = 'succeeded' | 'failed' | 'unknown';

export interface AttemptRow {
  readonly n: number;
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly outcome: AttemptOutcome;
  readonly cause: string;
  readonly statusCode: number | null;
  /** JSON object text. */
  readonly requestHeaders: string | null;
  /** JSON object text. */
  readonly responseHeaders: string | null;
  readonly responseBody: Uint8Array | null;
  readonly truncated: boolean;
  /** JSON text of SendTimings. */
  readonly timings: string | null;
  /** When its headers and the answer's body were dropped; absent or null while they are there. */
  readonly expiredAt?: number | null;
}

export interface Settlement {
  readonly delivery: string;
  readonly merchant: string;
  readonly owner: string;
  readonly attempt: AttemptRow;
  readonly next: { readonly status: 'succeeded' | 'failed' } | { readonly status: 'pending'; readonly at: number };
  readonly finishedAt: number;
  /** True: when this finishes, the next of its transaction and endpoint is due. */
  readonly ordered?: boolean;
  /** It was given before, and nobody knows whether it was written then (`StorageFailure.unsure`): if so, it is settled. */
  readonly again?: true;
}

export interface AddedDelivery extends NewDelivery {
  readonly event: string;
  readonly createdAt: number;
}

// ---- resend -------------------------------------------------------------------------------------------------------

export type DeliveryStatus = 'pending' | 'succeeded' | 'failed';

export interface ResendFilter {
  /** Bounds on when events were recorded. */
  readonly since: number;
  readonly until: number;
  readonly endpoint: string | null;
  /**
   * How an event stands with an endpoint: succeeded if any delivery did, else pending if any is, else failed. `missing`: the endpoint that
   * is named has no delivery of it. Null: events, however they stand.
   */
  readonly status: DeliveryStatus | 'missing' | null;
  /** Event types with wildcards; for the engine, a store does not look at them. */
  readonly types: readonly string[] | null;
  readonly source: string | null;
  readonly transaction: string | null;
}

/** Many events sent again, step by step. */
export interface NewResend {
  readonly id: string;
  readonly merchant: string;
  readonly filter: ResendFilter;
  /** Deliveries made in a second at most. */
  readonly perSecond: number;
  /** Counted before it began. */
  readonly events: number;
  readonly deliveries: number;
  readonly createdAt: number;
  readonly lease: Lease;
}

export type ResendState = 'running' | 'done' | 'canceled' | 'failed';

export interface ResendRow extends Omit<NewResend, 'lease'> {
  readonly state: ResendState;
  /** Why it failed. */
  readonly note: string | null;
  /** Where the next step begins; null: at the start. */
  readonly cursor: string | null;
  /** Deliveries made so far, and how many of them are pending or failed now; the others have succeeded. */
  readonly made: number;
  readonly pending: number;
  readonly failed: number;
  readonly finishedAt: number | null;
}

export interface ResendWalk {
  readonly merchant: string;
  readonly filter: ResendFilter;
  /** Null: from the start. */
  readonly cursor: string | null;
  readonly limit: number;
  /** False: events come without data, body and headers, for counting. */
  readonly bodies: boolean;
}

export interface Resendable {
  readonly found: EventWithBody;
  /** The endpoint that it stands with as asked; null where no status was asked for. */
  readonly endpoint: string | null;
}

export interface ResendStep {
  readonly id: string;
  readonly lease: Lease;
  /** The cursor that it began at and the one where the next step goes on; null for the latter: this was the last. */
  readonly from: string | null;
  readonly cursor: string | null;
  readonly deliveries: readonly AddedDelivery[];
  readonly now: number;
}

export interface ResendEnd extends ById {
  readonly state: 'canceled' | 'failed';
  readonly note: string | null;
  readonly lease: Lease;
  readonly now: number;
}

// ---- read ---------------------------------------------------------------------------------------------------------

export interface Page<Row> {
  /** Fewer than asked for, or none, also before the end: what few rows match is looked for in steps. */
  readonly rows: readonly Row[];
  /** Opaque; null at the end. */
  readonly nextCursor: string | null;
}

export interface PageQuery {
  /** Null: any merchant (the operator). */
  readonly merchant: string | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface RequestQuery extends PageQuery {
  readonly source?: string;
  readonly verdict?: RequestVerdict;
  /** Oldest first instead of newest first (re-verification goes in order). */
  readonly oldestFirst?: boolean;
}

export interface RequestRow {
  readonly id: string;
  readonly merchant: string;
  readonly source: string;
  readonly provider: string;
  readonly receivedAt: number;
  readonly verdict: RequestVerdict;
  readonly reason: string | null;
  readonly diagnosis: string | null;
  readonly size: number;
  readonly sha256: string;
  /** JSON text; `[]` once expired. */
  readonly headers: string;
  readonly duplicates: number;
  /** When its headers and body were dropped; null while they are there. */
  readonly expiredAt: number | null;
}

export interface EventQuery extends PageQuery {
  readonly type?: string;
  readonly source?: string;
  readonly transaction?: string;
  readonly state?: EventState;
  readonly since?: number;
  readonly until?: number;
  readonly oldestFirst?: boolean;
  /** Only events with a delivery to this endpoint (and of this status). */
  readonly endpoint?: string;
  readonly status?: DeliveryStatus;
}

export interface EventRow {
  readonly id: string;
  readonly merchant: string;
  readonly provider: string;
  readonly source: string | null;
  readonly request: string | null;
  readonly item: number;
  readonly type: string;
  readonly dedupeKey: string;
  readonly transaction: string | null;
  readonly sequence: number | null;
  readonly occurredAt: number | null;
  readonly recordedAt: number;
  readonly state: EventState;
  readonly note: string | null;
  readonly duplicates: number;
  /** Other bytes came under the same key. */
  readonly variants: number;
  readonly data: string | null;
  /** When its data was dropped (of an inbound event: its request); null while it is there. */
  readonly expiredAt: number | null;
}

/** `body` and `headers` are the request's where the event came in by one. */
export interface EventWithBody {
  readonly event: EventRow;
  readonly body: Uint8Array | null;
  readonly headers: string | null;
}

export interface DeliveryQuery extends PageQuery {
  readonly status?: DeliveryStatus;
  readonly endpoint?: string;
  readonly event?: string;
  readonly transaction?: string;
}

export interface DeliveryRow {
  readonly id: string;
  readonly merchant: string;
  readonly event: string;
  readonly eventType: string;
  readonly endpoint: string;
  readonly transaction: string | null;
  readonly format: string;
  readonly status: DeliveryStatus;
  readonly attemptCount: number;
  readonly statusCode: number | null;
  readonly cause: string | null;
  readonly nextAttemptAt: number | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

export interface DeliveryDetail {
  readonly delivery: DeliveryRow;
  readonly attempts: readonly AttemptRow[];
  readonly body: Uint8Array | null;
  /** When the body was dropped; null while it is there. */
  readonly expiredAt: number | null;
}

export interface TransactionQuery extends PageQuery {
  readonly status?: string;
  readonly kind?: string;
  readonly provider?: string;
  readonly rail?: string;
  readonly currency?: string;
  /** Bounds on `updatedAt`. */
  readonly from?: number;
  readonly to?: number;
  /** Any reference, whole or its beginning. */
  readonly q?: string;
}

export interface TransactionDetail {
  readonly transaction: Transaction;
  readonly events: readonly LedgerEvent[];
  readonly children: readonly Transaction[];
}

export interface StatsQuery {
  readonly merchant: string | null;
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
}

export interface MoneyCount {
  readonly currency: string;
  readonly exponent: number;
  readonly kind: string;
  readonly status: string;
  readonly provider: string;
  readonly rail: string | null;
  readonly count: number;
  /** Base units. */
  readonly value: string;
}

export interface Stats {
  /** Transactions that entered a status within the window. */
  readonly money: readonly MoneyCount[];
  /** Where all transactions stand now. */
  readonly standing: readonly MoneyCount[];
  readonly series: readonly {
    readonly at: number;
    readonly requests: number;
    readonly rejected: number;
    readonly duplicates: number;
    readonly events: number;
    /** Deliveries that ended so. */
    readonly succeeded: number;
    readonly failed: number;
    /** Attempts that failed. */
    readonly failedTries: number;
  }[];
  readonly providers: readonly {
    readonly provider: string;
    readonly requests: number;
    readonly rejected: number;
    readonly duplicates: number;
    readonly lastAt: number | null;
  }[];
  readonly deliveries: { readonly pending: number; readonly succeeded: number; readonly failed: number; readonly failedTries: number };
}

export interface EndpointHealth {
  readonly endpoint: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly lastFailureAt: number | null;
  readonly lastFailureCause: string | null;
  readonly backlog: number;
}

// ---- upkeep -------------------------------------------------------------------------------------------------------

export interface QuarantineBounds {
  readonly source: string;
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly limit: number;
}

/**
 * What expires: `events` (the data of an event with its request and the bodies of its deliveries; what is pending keeps its body),
 * `attempts` (headers and answers of a delivery's attempts), `duplicates` (requests that brought no event), `quarantine` (rejected requests,
 * which go as a whole). Rows, keys, digests, movements and transactions stay. What is younger than asked is always there; a shared store may
 * let contents go together that came together, at an eighth of their age later.
 */
export type Expirable = 'events' | 'attempts' | 'duplicates' | 'quarantine';

export interface ExpiryStep {
  readonly what: Expirable;
  /** What is older than this goes. */
  readonly before: number;
  readonly now: number;
  /** At most so many rows are looked at, but where a whole table is dropped. */
  readonly rows: number;
  /** It stops when it has dropped so many. */
  readonly bytes: number;
}

export interface Expired {
  /** Requests, events or deliveries whose content went; of a table that was dropped, how many rows it is known to have had. */
  readonly expired: number;
  /** Those looked at that are needed still: they stay until later. */
  readonly keptBack: number;
  readonly bytes: number;
  /** True: the next step may find more at once. */
  readonly more: boolean;
}

export interface Finding {
  /** Name of the invariant: `event_in_log`, `bytes_are_kept`, `routed_has_delivery`, `success_has_attempt`, `lease_in_time`, `ledger_is_fold`, `books_balance`, `superseded_by`, `integrity`. */
  readonly invariant: string;
  readonly id: string | null;
  readonly sentence: string;
}

export interface StorageFacts {
  readonly driver: 'sqlite' | 'postgres';
  /** For people: `WAL, synced before every answer`. */
  readonly durability: string;
  readonly bytes: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly failed: number;
  readonly pending: number;
  readonly notSubscribed: number;
}
