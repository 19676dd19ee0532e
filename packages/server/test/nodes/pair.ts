import assert from 'node:assert/strict';
import { startNodes, within } from '../support/nodes.ts';
import { startPostgres } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { ADMIN_KEY } from '../support/server.ts';
import type { Api, TestServer } from '../support/server.ts';
import { startSink } from '../support/sink.ts';
import type { Sink } from '../support/sink.ts';
import { Stream } from '../support/stream.ts';

export const postgres = await startPostgres();
export const redis = await startRedis();
export const missing = (postgres === null || redis === null) && 'no PostgreSQL or no Redis here';
/** Within this time all is found out, also without hints. */
export const LATER_MS = 12_000;

export async function stopServers(): Promise<void> {
  await Promise.all([postgres?.stop(), redis?.stop()]);
}

export interface Pair {
  readonly a: TestServer;
  readonly b: TestServer;
  /** Gets all that either publishes. */
  readonly sink: Sink;
  stop(): Promise<void>;
}

/** Two nodes that know each other. */
export async function startPair(): Promise<Pair> {
  const database: TestDatabase = await postgres!.fresh();
  const sink = await startSink();
  const nodes = await startNodes(2, { PAYBELL_DATABASE_URL: database.url, PAYBELL_REDIS_URL: redis!.url });
  const [a, b] = nodes as [TestServer, TestServer];
  await a.call('POST', '/v1/endpoints', { url: sink.url });
  await Promise.all(nodes.map((node) => comes(node, 'connected')));
  await within(LATER_MS, 'each other', async () =>
    (await Promise.all(nodes.map((node) => node.call('GET', '/readyz')))).every(({ body }) => body.node.others === 1),
  );
  return {
    a,
    b,
    sink,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await sink.close();
      await database.drop();
    },
  };
}

export const ready = async (node: Api): Promise<Record<string, string>> => {
  const { status, body } = await node.call('GET', '/readyz');
  assert.equal(status, 200, 'a node without Redis is as ready as ever');
  return { status: body.status, redis: body.redis };
};
export const comes = (node: Api, redisState: string): Promise<number> =>
  within(LATER_MS, `Redis ${redisState}`, async () => (await ready(node))['redis'] === redisState);
export const live = (node: Api, headers: Record<string, string> = {}, query = ''): Promise<Stream> =>
  Stream.open(`${node.url}/v1/live${query}`, { authorization: `Bearer ${ADMIN_KEY}`, ...headers });
let made = 0;
export const publish = async (node: Api): Promise<string> => {
  const type = `made.n${(made += 1)}`;
  assert.equal((await node.call('POST', '/v1/events', { type, data: { made } })).status, 202);
  return type;
};
export const types = ({ frames }: Stream): string[] => frames.filter(({ event }) => event === 'delivery').map(({ data }) => data.eventType);
