import Type from 'typebox';
import type { Api, RouteParts } from '../parts.ts';
import { Problem } from '../problems.ts';
import { problems } from '../schema/common.ts';

const tags = ['operations'];
const open = { open: true };
const Alive = Type.Object({ status: Type.Literal('ok') });
const Ready = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('degraded')]),
  store: Type.Object({ driver: Type.String(), durability: Type.String() }),
  waiting: Type.Integer(),
  inFlight: Type.Integer(),
  queued: Type.Integer(),
  openBreakers: Type.Integer(),
  node: Type.Object({ id: Type.String(), others: Type.Integer() }),
  redis: Type.Union([Type.Literal('none'), Type.Literal('connected'), Type.Literal('lost')]),
  directory: Type.Object({ version: Type.Integer(), behind: Type.Integer(), unreadable: Type.Integer() }),
});

/** These answer without a key: they tell nothing of any merchant. */
export function health(api: Api, { engine, storage, metrics, log }: RouteParts): void {
  api.get(
    '/healthz',
    { config: open, schema: { tags, summary: 'The process is alive', security: [], response: { 200: Alive } } },
    async () => ({ status: 'ok' as const }),
  );

  api.get(
    '/readyz',
    {
      config: open,
      schema: { tags, summary: 'It takes webhooks now', security: [], response: { 200: Ready, ...problems('store_down', 'closing') } },
    },
    async () => {
      const store = await storage.ready().catch((error: unknown) => {
        log.error({ error: String(error) }, 'the store does not answer');
        throw new Problem('store_down', 'The store does not answer.');
      });
      if (engine.gauges().hanging > 0)
        throw new Problem('store_down', 'The store answers, and commits hang: a synchronous standby may be away.');
      const { others, directory: version, behind, unreadable, redis } = engine.nodes.state();
      return {
        status: unreadable > 0 || redis === 'lost' ? ('degraded' as const) : ('ready' as const),
        store,
        ...engine.gauges(),
        node: { id: engine.nodes.id, others },
        redis,
        directory: { version, behind, unreadable },
      };
    },
  );

  api.get(
    '/metrics',
    {
      config: open,
      schema: {
        tags,
        summary: 'Prometheus',
        security: [],
        response: { 200: { description: 'Text.', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
}
