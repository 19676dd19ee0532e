import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Engine } from '../engine/faces.ts';

/** What Prometheus reads at /metrics. Made once by the composition root, filled from what the engine tells. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** Counts what happens from now on. */
  watch(engine: Pick<Engine, 'observe' | 'gauges' | 'nodes'>): void;
  /** Where the number of live readers is asked for. */
  readersFrom(count: () => number): void;
}

const COMMIT_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const ATTEMPT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  let readers = (): number => 0;
  const live: Gauge = new Gauge({
    name: 'paybell_live_readers',
    help: 'Live streams that are open.',
    registers: [registry],
    collect: () => live.set(readers()),
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watch: (engine) => {
      watchCounters(engine, registry);
      watchGauges(engine, registry);
      watchNodes(engine, registry);
    },
    readersFrom: (count) => {
      readers = count;
    },
  };
}

function watchCounters({ observe }: Pick<Engine, 'observe'>, registry: Registry): void {
  const registers = [registry];
  const requests = new Counter({
    name: 'paybell_requests_total',
    help: 'Inbound webhooks by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const events = new Counter({ name: 'paybell_events_total', help: 'Events that went through a commit.', registers });
  const finished = new Counter({
    name: 'paybell_deliveries_finished_total',
    help: 'Deliveries that came to an end.',
    labelNames: ['status'],
    registers,
  });
  const attempts = new Counter({ name: 'paybell_attempts_total', help: 'Attempts by cause.', labelNames: ['outcome', 'cause'], registers });
  const disabled = new Counter({ name: 'paybell_endpoints_disabled_total', help: 'Endpoints that Paybell switched off.', registers });
  const commits = new Histogram({
    name: 'paybell_commit_seconds',
    help: 'Duration of a commit of arrivals.',
    buckets: COMMIT_SECONDS,
    registers,
  });
  const expired = new Counter({
    name: 'paybell_expired_total',
    help: 'Rows whose content was dropped by age.',
    labelNames: ['what'],
    registers,
  });
  const expiredBytes = new Counter({ name: 'paybell_expired_bytes_total', help: 'Bytes dropped by age.', labelNames: ['what'], registers });
  const calls = new Histogram({ name: 'paybell_attempt_seconds', help: 'Duration of an attempt.', buckets: ATTEMPT_SECONDS, registers });

  // Counters with fixed labels are looked up once: the hot path only adds.
  const byVerdict = { accepted: 0, rejected: 0, duplicate: 0 };
  const byStatus = { succeeded: 0, failed: 0 };
  observe.on('request', ({ verdict }) => void byVerdict[verdict]++);
  observe.on('delivery', ({ status }) => {
    if (status !== 'pending') byStatus[status]++;
  });
  for (const [counter, label, counts] of [
    [requests, 'verdict', byVerdict],
    [finished, 'status', byStatus],
  ] as const) {
    drainInto(counter, label, counts);
  }
  observe.on('attempt', ({ outcome, cause, durationMs }) => {
    attempts.inc({ outcome, cause });
    calls.observe(durationMs / 1_000);
  });
  observe.on('commit', (commit) => {
    events.inc(commit.events);
    commits.observe(commit.durationMs / 1_000);
  });
  observe.on('endpoint', ({ happened }) => {
    if (happened === 'disabled') disabled.inc();
  });
  observe.on('expired', ({ what, count, bytes }) => {
    expired.inc({ what }, count);
    expiredBytes.inc({ what }, bytes);
  });
}

/** Moves plain counts into a counter when it is read. */
function drainInto(counter: Counter, label: string, counts: Record<string, number>): void {
  Object.assign(counter, {
    collect: () => {
      for (const name of Object.keys(counts)) {
        counter.inc({ [label]: name }, counts[name]);
        counts[name] = 0;
      }
    },
  });
}

function watchGauges({ gauges }: Pick<Engine, 'gauges'>, registry: Registry): void {
  const help = {
    waiting: 'Arrivals that wait for a commit.',
    hanging: 'Commits that take longer than eight seconds; nothing is taken in until they end.',
    inFlight: 'Attempts on the wire.',
    queued: 'Leased deliveries that wait for a free place.',
    openBreakers: 'Endpoints that are taken for down: what is due for them waits.',
  };
  for (const name of ['waiting', 'hanging', 'inFlight', 'queued', 'openBreakers'] as const) {
    const gauge: Gauge = new Gauge({
      name: `paybell_${name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)}`,
      help: help[name],
      registers: [registry],
      collect: () => gauge.set(gauges()[name]),
    });
  }
}

function watchNodes({ nodes }: Pick<Engine, 'nodes'>, registry: Registry): void {
  const info = new Gauge({ name: 'paybell_node_info', help: 'The name of this process.', labelNames: ['node'], registers: [registry] });
  info.set({ node: nodes.id }, 1);
  for (const [name, help, value] of [
    ['other_nodes', 'Other processes on the same store.', () => nodes.state().others],
    ['directory_version', 'Version of the configuration that is held here.', () => nodes.state().directory],
    ['directory_behind', 'Versions of the configuration that the store is ahead.', () => nodes.state().behind],
    ['redis_connected', 'Whether hints travel through Redis: 1 yes, 0 no or none.', () => Number(nodes.state().redis === 'connected')],
    ['signal_dropped', 'Hints that were not sent since the start, because Redis would not have taken them.', () => nodes.state().dropped],
    ['signal_ignored', 'Hints since the start that could not be understood.', () => nodes.state().ignored],
    ['directory_unreadable', 'Rows sealed with a master key that is not known here.', () => nodes.state().unreadable],
  ] as const) {
    const gauge: Gauge = new Gauge({ name: `paybell_${name}`, help, registers: [registry], collect: () => gauge.set(value()) });
  }
}
