import { providers as catalogue } from '@paybell/sdk';
import type { Provider } from '@paybell/sdk';
import type { Routes } from '../parts.ts';
import { problems } from '../schema/common.ts';
import { NoQuery, ProviderList } from '../schema/directory.ts';
import type { ProviderRow } from '../schema/directory.ts';

export const providers: Routes = (api) => {
  const rows = catalogue.map(present);
  api.get(
    '/providers',
    {
      schema: {
        tags: ['providers'],
        summary: 'The catalogue: events with examples, signature, retry schedule',
        querystring: NoQuery,
        response: { 200: ProviderList, ...problems('invalid_query') },
      },
    },
    async () => ({ data: rows, nextCursor: null }),
  );
};

function present({ id, name, about, sources, rails, authenticity, signature, keyPair, retry, ack, events }: Provider): ProviderRow {
  return {
    id,
    name,
    about,
    sources: [...sources],
    rails: [...rails],
    authenticity,
    signature,
    keyPairs: keyPair !== undefined,
    retry: { delays: [...retry.delays], timeout: retry.timeout, documented: retry.documented },
    ack,
    events: Object.entries(events).map(([type, event]) => ({
      type,
      title: event.title,
      kind: event.kind,
      status: event.status,
      retry: event.retry !== false,
      example: event.example,
    })),
  };
}
