import { didYouMean } from '../../config/nearest.ts';
import type { Topic } from '../../live/hub.ts';
import { openStream } from '../../live/sse.ts';
import { merchantOf } from '../auth.ts';
import type { Routes } from '../parts.ts';
import { Problem } from '../problems.ts';
import { problems } from '../schema/common.ts';
import { LiveQuery } from '../schema/directory.ts';

const TOPICS: Readonly<Record<string, Topic>> = {
  transactions: 'transaction',
  deliveries: 'delivery',
  requests: 'request',
  endpoints: 'endpoint',
};

export const live: Routes = (api, { hub }) => {
  api.get(
    '/live',
    {
      // HEAD would open a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        tags: ['live'],
        summary: 'What happens, as it happens: Server-Sent Events',
        description:
          '`event: transaction|delivery|request|endpoint`, `data` is the row (of an endpoint: what changed in how it is sent to). Messages are upserts. Resume with `Last-Event-ID` or `since`; `event: reset` says that too much was missed: load anew.',
        querystring: LiveQuery,
        response: {
          200: { description: 'A stream without end.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          ...problems('invalid_query', 'forbidden', 'too_many_streams'),
        },
      },
    },
    (request, reply) => {
      const { topics, since, merchant } = request.query;
      const last = request.headers['last-event-id'];
      const wish = {
        merchant: merchantOf(request.caller, merchant),
        topics: topicsOf(topics),
        since: typeof last === 'string' && last !== '' ? last : (since ?? null),
      };
      if (hub.isFull) throw new Problem('too_many_streams', 'Too many live streams are open; close some or try again.');
      reply.hijack();
      const leave = hub.subscribe(wish, openStream(reply.raw));
      reply.raw.once('close', leave);
    },
  );
};

function topicsOf(text: string | undefined): ReadonlySet<Topic> {
  const names = Object.keys(TOPICS);
  const wanted = text === undefined || text === '' ? names : text.split(',').map((name) => name.trim());
  return new Set(
    wanted.map((name) => {
      const topic = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
      if (topic !== undefined) return topic;
      const message = `has no topic "${name.slice(0, 40)}"; there are ${names.join(', ')}.${didYouMean(name, names)}`;
      throw new Problem('invalid_query', `topics: ${message}`, { errors: [{ path: 'topics', message }] });
    }),
  );
}
