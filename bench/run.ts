export type Store = 'sqlite' | 'postgres';

export interface RunOptions {
  readonly store: Store;
  /** Length of one timed round. */
  readonly seconds?: number;
  /** Pairs of baseline and measured rounds. */
  readonly rounds?: number;
  /** For benchmarks that count events and not seconds. */
  readonly events?: number;
  /** More than one: the work on one node, then spread over so many on the same database. */
  readonly nodes?: number;
  /** Progress, for people. */
  readonly log: (line: string) => void;
}

export type Flag = 'seconds' | 'rounds' | 'events' | 'nodes';

/** What a benchmark found: `fields` for machines, `table` for people. */
export interface Report {
  readonly fields: Readonly<Record<string, number | string | null | readonly number[]>>;
  /** Header row first. */
  readonly table: readonly (readonly string[])[];
  /** What a reader has to know about these figures. */
  readonly notes: readonly string[];
}

export interface Benchmark {
  readonly about: string;
  /** The flags that mean something here; the others are refused. */
  readonly flags: readonly Flag[];
  readonly load: () => Promise<{ run(options: RunOptions): Promise<Report> }>;
}

/** Every benchmark by name; a new one is its file and its line here. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  inbound: {
    about: 'signed webhooks acknowledged after the durable commit, per second',
    flags: ['seconds', 'rounds', 'nodes'],
    load: () => import('./inbound.ts'),
  },
  outbound: {
    about: 'published events delivered and recorded as succeeded, per second',
    flags: ['events', 'rounds', 'nodes'],
    load: () => import('./outbound.ts'),
  },
  latency: {
    about: 'from publish request to webhook received, at 200 per second',
    flags: ['seconds', 'rounds'],
    load: () => import('./latency.ts'),
  },
  live: {
    about: 'from webhook sent to SSE message received by 200 clients, and to the row painted in a browser',
    flags: ['seconds', 'rounds'],
    load: () => import('./live.ts'),
  },
  backlog: {
    about: 'deliveries per second, start and lists with 1,000,000 deliveries waiting for their retries',
    flags: ['events', 'rounds'],
    load: () => import('./backlog.ts'),
  },
  isolation: {
    about: 'from publish to received at healthy endpoints, while 100 of 1,000 endpoints hang until the deadline',
    flags: ['seconds', 'rounds'],
    load: () => import('./isolation.ts'),
  },
  ledger: {
    about: 'list, filter, search and open a transaction among 1,000,000, and rebuild them all',
    flags: ['events'],
    load: () => import('./ledger.ts'),
  },
};
