import type { DeliveryRow, RequestRow, TransactionRow } from '../api/types.ts';

export interface LiveRows {
  readonly transaction: TransactionRow;
  readonly delivery: DeliveryRow;
  readonly request: RequestRow;
}

export type Topic = keyof LiveRows;

/** What arrived since the last flush: each row once, as it stands now, in order of arrival. */
export type Batch = { readonly [T in Topic]: readonly LiveRows[T][] };

export type Phase = 'connecting' | 'live' | 'reconnecting' | 'paused';

export interface StreamState {
  readonly phase: Phase;
  /** How old the newest row was when it came, in milliseconds. */
  readonly behindMs: number | null;
  /** Rows waiting while paused. */
  readonly waiting: number;
}

export interface StreamOptions {
  onBatch(batch: Batch): void;
  /** Rows were missed: whoever shows a snapshot must take a new one. */
  onGap(): void;
  /** An endpoint failed, came back or was disabled. */
  onEndpoint(): void;
  onState(state: StreamState): void;
}

const ADDRESS = '/v1/live?topics=transactions,deliveries,requests,endpoints';
const FLUSH_EVERY_MS = 100;
/** Per topic. A tab that cannot keep up drops what it holds and takes a new snapshot instead of growing. */
const MAX_BUFFERED = 2_000;
const REOPEN_AFTER_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;
const TOPICS = ['transaction', 'delivery', 'request'] as const;

/** The one EventSource of the console. Paints at once when calm, at most ten times a second when busy. */
export class LiveStream {
  readonly #options: StreamOptions;
  readonly #buffers = {
    transaction: new Map<string, TransactionRow>(),
    delivery: new Map<string, DeliveryRow>(),
    request: new Map<string, RequestRow>(),
  };
  #source: EventSource | null = null;
  #flushTimer: number | null = null;
  #reopenTimer: number | null = null;
  #lastFlush = 0;
  #lastId: string | null = null;
  #failures = 0;
  #gap = false;
  #connected = false;
  #paused = false;
  #everConnected = false;
  #behindMs: number | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#source !== null) return;
    // Opened anew without a place to go on from: whatever came meanwhile is unknown.
    if (this.#everConnected && this.#lastId === null) this.#gap = true;
    const since = this.#lastId === null ? '' : `&since=${encodeURIComponent(this.#lastId)}`;
    const source = new EventSource(ADDRESS + since);
    this.#source = source;
    source.addEventListener('open', () => this.#opened());
    source.addEventListener('error', () => this.#failed());
    source.addEventListener('reset', () => {
      this.#gap = true;
      this.#scheduleFlush();
    });
    for (const topic of TOPICS) source.addEventListener(topic, (message) => this.#received(topic, message));
    source.addEventListener('endpoint', (message: MessageEvent<string>) => {
      if (message.lastEventId !== '') this.#lastId = message.lastEventId;
      this.#options.onEndpoint();
    });
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    if (this.#reopenTimer !== null) clearTimeout(this.#reopenTimer);
    this.#flushTimer = this.#reopenTimer = null;
    this.#connected = false;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#scheduleFlush();
    this.#tell();
  }

  #opened(): void {
    this.#failures = 0;
    this.#connected = true;
    this.#everConnected = true;
    this.#tell();
    if (this.#gap) this.#scheduleFlush();
  }

  #failed(): void {
    this.#connected = false;
    this.#tell();
    // The browser reconnects by itself after a lost connection, but never after an answer that is no stream.
    if (this.#source?.readyState !== EventSource.CLOSED || this.#reopenTimer !== null) return;
    const wait = REOPEN_AFTER_MS[Math.min(this.#failures, REOPEN_AFTER_MS.length - 1)];
    this.#failures += 1;
    this.#source = null;
    this.#reopenTimer = window.setTimeout(() => {
      this.#reopenTimer = null;
      this.start();
    }, wait);
  }

  #received<T extends Topic>(topic: T, message: MessageEvent<string>): void {
    if (message.lastEventId !== '') this.#lastId = message.lastEventId;
    const row = JSON.parse(message.data) as LiveRows[T];
    const bornAt = birth(topic, row);
    if (bornAt !== null) this.#behindMs = Math.max(0, Date.now() - bornAt);
    const buffer = this.#buffers[topic] as Map<string, LiveRows[T]>;
    const held = buffer.get(row.id);
    if (held === undefined || !isOlder(row, held)) buffer.set(row.id, row);
    if (buffer.size > MAX_BUFFERED) {
      this.#gap = true;
      for (const each of TOPICS) this.#buffers[each].clear();
    }
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushTimer !== null) return;
    const wait = Math.max(0, this.#lastFlush + FLUSH_EVERY_MS - performance.now());
    this.#flushTimer = window.setTimeout(() => {
      this.#flushTimer = null;
      this.#flush();
    }, wait);
  }

  #flush(): void {
    this.#lastFlush = performance.now();
    this.#tell();
    if (this.#paused) return;
    const { transaction, delivery, request } = this.#buffers;
    const batch = { transaction: [...transaction.values()], delivery: [...delivery.values()], request: [...request.values()] };
    for (const topic of TOPICS) this.#buffers[topic].clear();
    if (this.#gap) {
      this.#gap = false;
      this.#options.onGap();
    }
    if (batch.transaction.length + batch.delivery.length + batch.request.length > 0) this.#options.onBatch(batch);
  }

  #tell(): void {
    const { transaction, delivery, request } = this.#buffers;
    const waiting = this.#paused ? transaction.size + delivery.size + request.size : 0;
    const phase = this.#paused ? 'paused' : this.#connected ? 'live' : this.#everConnected ? 'reconnecting' : 'connecting';
    this.#options.onState({ phase, behindMs: this.#behindMs, waiting });
  }
}

/** When the change that this row tells of was recorded; null where the row does not say. */
function birth<T extends Topic>(topic: T, row: LiveRows[T]): number | null {
  const at = topic === 'transaction' ? (row as TransactionRow).updatedAt : topic === 'request' ? (row as RequestRow).receivedAt : null;
  return at === null ? null : Date.parse(at);
}

/** Only transactions carry a version; for the others the stream's own order decides. */
export function isOlder(row: object, than: object): boolean {
  return 'version' in row && 'version' in than && (row as TransactionRow).version < (than as TransactionRow).version;
}
