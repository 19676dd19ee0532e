import { createHmac } from 'node:crypto';
import { providerById } from '@paybell/sdk';
import type { JsonObject, Provider } from '@paybell/sdk';
import type { Api } from './api.ts';

/** A source of the demo with what its provider signs with. */
export interface DemoSource {
  readonly provider: Provider;
  readonly secret: string;
  readonly ingestPath: string;
}

/** Name of the source in the console, by provider. */
const SOURCES = {
  malipopay: 'Dar es Salaam kiosk',
  echezona: 'Lagos web shop',
  makapay: 'Crypto checkout',
  serixpay: 'Nairobi shop',
  altafinex: 'Bangkok cafe',
} as const;

/** The formats that the merchant app is spoken to in, and what it asks for. */
export const HOOKS = [
  { format: 'serixpay', events: ['*'], content: 'event' },
  { format: 'makapay', events: ['payment.*'], content: 'event' },
  { format: 'paybell', events: ['*'], content: 'transaction' },
] as const;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly url: string;
  readonly ingestPath: string;
}

/** Makes sources and endpoints, or takes up those of the demo before: as often as wanted. */
export async function setUp(
  api: Api,
  { shopUrl, key }: { readonly shopUrl: string; readonly key: string },
): Promise<{ sources: DemoSource[]; secrets: Map<string, string> }> {
  const known = await api.call<{ data: Row[] }>('GET', '/v1/sources?limit=100');
  const sources: DemoSource[] = [];
  for (const [id, name] of Object.entries(SOURCES)) sources.push(await source(api, { id, name, key, known: known.data }));
  const secrets = new Map<string, string>();
  const endpoints = await api.call<{ data: Row[] }>('GET', '/v1/endpoints?limit=100');
  for (const hook of HOOKS) {
    const path = `/hooks/${hook.format}`;
    const url = shopUrl + path;
    // The merchant app has another port at every start.
    const before = endpoints.data.find((row) => row.provider === hook.format && URL.parse(row.url)?.pathname === path);
    if (before === undefined) {
      const { format, ...wanted } = hook;
      const made = await api.call<{ secret: string }>('POST', '/v1/endpoints', { url, provider: format, ...wanted });
      secrets.set(hook.format, made.secret);
    } else {
      await api.call('PATCH', `/v1/endpoints/${before.id}`, { url, active: true });
      secrets.set(hook.format, (await api.call<{ secret: string }>('GET', `/v1/endpoints/${before.id}/secret`)).secret);
    }
  }
  return { sources, secrets };
}

async function source(api: Api, wanted: { id: string; name: string; key: string; known: readonly Row[] }): Promise<DemoSource> {
  const provider = providerById(wanted.id);
  if (provider === undefined) throw new Error(`The demo knows no provider ${wanted.id}.`);
  // Follows from the admin key: the same at every start, and nowhere to be found without it.
  const secret = provider.makeSecret(createHmac('sha256', wanted.key).update(`demo source ${provider.id}`).digest());
  const options: { options?: JsonObject } = provider.exampleOptions === undefined ? {} : { options: provider.exampleOptions };
  const before = wanted.known.find((row) => row.provider === provider.id && row.name === wanted.name);
  const row =
    before === undefined
      ? await api.call<Row>('POST', '/v1/sources', { provider: provider.id, name: wanted.name, secret, ...options })
      : await api.call<Row>('PATCH', `/v1/sources/${before.id}`, { secret, active: true });
  return { provider, secret, ingestPath: row.ingestPath };
}
