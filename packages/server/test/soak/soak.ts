import { setTimeout as wait } from 'node:timers/promises';
import { randomFrom } from '../crash/random.ts';
import { spawnServer, tempDir } from '../support/server.ts';
import type { Api, SpawnedServer } from '../support/server.ts';
import { PATHS, startFaultySink } from './sink.ts';
import type { FaultySink } from './sink.ts';
import { judge } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { lookAt } from './pictures.ts';
import { makeSources, startWorld } from './world.ts';
import type { World } from './world.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly kills: number;
  /** Webhooks and published events per second, about. */
  readonly perSecond: number;
  /** The same seed kills at the same moments and tells the same stories. */
  readonly seed: number;
  /** Where pictures of the console go; null: no browser. */
  readonly pictures: string | null;
  /** A PostgreSQL database that may be filled; null: the embedded store. */
  readonly databaseUrl: string | null;
  readonly log: (line: string) => void;
}

const TIMEOUT_MS = 3_000;
const MAX_IN_FLIGHT = 16;
/** Quick, and as many tries as there may be: what a sink takes late it must take all the same. */
const ENDPOINT = { timeout: '3s', maxInFlight: MAX_IN_FLIGHT, retry: { first: '1s', factor: 1.5, cap: '10s', window: '15m' } };
const REPORT_MS = 5_000;
const OPERATOR_MS = 1_000;
/** For all that is still on its way when the sink is well: a breaker may wait for a minute before it looks again. */
const DRAIN_WITHIN_MS = 300_000;
/** A machine that does much else starts slowly; what does not start at all is found all the same. */
const READY_WITHIN_MS = 120_000;
const LEAST_LIFE_MS = 1_500;
const IN_FLIGHT_WITHIN_MS = 5_000;

interface Stage {
  readonly options: SoakOptions;
  readonly sink: FaultySink;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly random: () => number;
}

/** Five providers, a server that is killed again and again, and a sink that fails in every way; in the end, what became of it all. */
export async function soak(options: SoakOptions): Promise<Verdict> {
  const data = tempDir();
  const cache = tempDir();
  const sink = await startFaultySink({ folder: cache.path, timeoutMs: TIMEOUT_MS });
  const database = options.databaseUrl === null ? {} : { PAYBELL_DATABASE_URL: options.databaseUrl };
  const env = { NODE_COMPILE_CACHE: cache.path, NODE_EXTRA_CA_CERTS: sink.authority, ...database };
  const stage: Stage = { options, sink, dataDir: data.path, env, random: randomFrom(options.seed) };
  const life = new Life(stage);
  const endings: (() => unknown)[] = [];
  try {
    await life.start();
    const api = life.api();
    const sources = await makeSources(api);
    const endpoints = await makeEndpoints(api, sink);
    const world = startWorld({ sources, random: stage.random, perSecond: options.perSecond, url: () => life.url });
    const stopReports = report(stage, { life, world });
    const stopOperator = operate(life);
    endings.push(world.giveUp, stopReports, stopOperator);
    await killAgainAndAgain(stage, life);
    options.log('no more kills and no new stories; the sink is well from now on');
    await world.finish();
    await sink.heal();
    await resendFailed(life.api());
    const drainedMs = await drain(life.api());
    await stopOperator();
    stopReports();
    const pictures = options.pictures === null ? [] : await lookAt({ api: life.api(), folder: options.pictures, random: stage.random });
    const code = await life.end();
    const { kills, inFlightAtKill, readyMs } = life;
    return await judge({ ...stage, world, endpoints, drainedMs, pictures, lives: { kills, inFlightAtKill, readyMs, exitCode: code } });
  } finally {
    for (const end of endings) await end();
    await life.kill();
    await sink.close();
    data.remove();
    cache.remove();
  }
}

/** The server in all its lives. */
class Life {
  readonly #stage: Stage;
  #server: SpawnedServer | null = null;
  kills = 0;
  inFlightAtKill = 0;
  readonly readyMs: number[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get url(): string | null {
    return this.#server?.url ?? null;
  }

  /** Calls go to the server as it stands at that moment. */
  api(): Api {
    const server = this.#server;
    if (server === null) throw new Error('The server is down.');
    return server;
  }

  async start(): Promise<void> {
    const { dataDir, env } = this.#stage;
    const began = performance.now();
    this.#server = await spawnServer(dataDir, { env, readyWithinMs: READY_WITHIN_MS });
    this.readyMs.push(performance.now() - began);
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    await server.kill();
  }

  async killAndStart(): Promise<void> {
    this.inFlightAtKill += this.#stage.sink.inFlight();
    await this.kill();
    this.#stage.sink.nextLife();
    this.kills += 1;
    await this.start();
  }

  async end(): Promise<number | null> {
    const server = this.#server;
    this.#server = null;
    return server === null ? null : server.terminate();
  }
}

async function makeEndpoints(api: Api, sink: FaultySink): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const path of PATHS) {
    const content = path === '/request' ? { content: 'request' } : {};
    const { status, body } = await api.call('POST', '/v1/endpoints', { url: sink.url(path), provider: 'paybell', ...content, ...ENDPOINT });
    if (status !== 201) throw new Error(`No endpoint for ${path}: ${JSON.stringify(body)}`);
    ids.set(path, String(body.id));
  }
  return ids;
}

/** Kills are spread over the time, each at a moment that nobody could foresee. */
async function killAgainAndAgain({ options, random, sink }: Stage, life: Life): Promise<void> {
  const began = performance.now();
  const eachMs = (options.seconds * 1_000) / Math.max(1, options.kills);
  const until = (ms: number): Promise<void> => wait(Math.max(0, began + ms - performance.now()));
  for (let kill = 0; kill < options.kills; kill += 1) {
    await wait(random() * LEAST_LIFE_MS);
    await until((kill + random()) * eachMs);
    // Every other kill hits a call that is on its way, if one comes soon.
    for (let waited = 0; kill % 2 === 1 && sink.inFlight() === 0 && waited < IN_FLIGHT_WITHIN_MS; waited += 2) await wait(2);
    await life.killAndStart();
  }
  await until(options.seconds * 1_000);
}

/** A person who switches on again whatever was switched off. */
function operate(life: Life): () => Promise<void> {
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await wait(OPERATOR_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      try {
        const { body } = await life.api().call('GET', '/v1/endpoints?limit=100');
        for (const { id, active } of body.data as { id: string; active: boolean }[])
          if (!active) await life.api().call('PATCH', `/v1/endpoints/${id}`, { active: true });
      } catch {
        // It was just killed.
      }
    }
  };
  const running = run();
  return () => {
    stopped.abort();
    return running;
  };
}

function report({ options, sink }: Stage, { life, world }: { life: Life; world: World }): () => void {
  const began = performance.now();
  const print = (): void => {
    const facts = [...world.facts.values()];
    const acknowledged = facts.filter((fact) => fact.acknowledged).length;
    const ways = [...sink.ways().values()];
    const calls = ways.reduce((sum, count) => sum + count, 0);
    options.log(
      `${String(Math.round((performance.now() - began) / 1_000)).padStart(4)} s  ${life.kills} kills  ${acknowledged} of ${facts.length} facts acknowledged, ` +
        `${world.refused()} forged ones refused  ${calls} calls at the sink, ${ways.filter((count) => count > 0).length} of ${ways.length} ways`,
    );
  };
  const timer = setInterval(print, REPORT_MS);
  return () => clearInterval(timer);
}

/** What an endpoint refused for good by a 410 is sent again by hand, once the endpoint is well. */
async function resendFailed(api: Api): Promise<void> {
  for (;;) {
    const { body } = await api.call('GET', '/v1/deliveries?status=failed&limit=100');
    for (const { id } of body.data as { id: string }[]) await api.call('POST', `/v1/deliveries/${id}/retry`);
    if (body.data.length === 0 && body.nextCursor === null) return;
    await wait(100);
  }
}

/** Waits until nothing is pending; answers how long that took, or null where something still is. */
async function drain(api: Api): Promise<number | null> {
  const began = performance.now();
  while (performance.now() - began < DRAIN_WITHIN_MS) {
    const { body } = await api.call('GET', '/v1/deliveries?status=pending&limit=1');
    if (body.data.length === 0 && body.nextCursor === null) return performance.now() - began;
    await wait(250);
  }
  return null;
}
