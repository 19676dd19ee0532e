import { createHash } from 'node:crypto';
import { forge, providerById, scenario } from '@paybell/sdk';
import type { Provider, ScenarioName, Step } from '@paybell/sdk';
import type { Api } from '../support/server.ts';

/** A provider as it stands outside: it knows its secret and the address it was given. */
export interface ProviderOutside {
  readonly provider: Provider;
  readonly source: { readonly id: string; readonly ingestPath: string };
  /** Tells a story; answers with what it sent and what it was answered. */
  tell(name: ScenarioName, series: string): Promise<readonly Told[]>;
  send(step: Step): Promise<Told>;
}

export interface Told {
  readonly step: Step;
  readonly body: Buffer;
  readonly status: number;
  readonly contentType: string;
  readonly answer: string;
}

/** Creates a source by one call. */
export async function providerOutside(api: Api, { id, merchant }: { id: string; merchant: string }): Promise<ProviderOutside> {
  const provider = providerById(id);
  if (provider === undefined) throw new Error(`There is no provider ${id}.`);
  const secret = provider.makeSecret(createHash('sha256').update(`secret of ${id}`).digest());
  const options = provider.exampleOptions;
  const made = await api.call('POST', '/v1/sources', { provider: id, secret, merchant, ...(options && { options }) });
  if (made.status !== 201) throw new Error(`No source for ${id}: ${JSON.stringify(made.body)}`);
  const source = made.body as ProviderOutside['source'];
  const send = async (step: Step): Promise<Told> => {
    const { type, id: event, data, occurredAt, fault } = step;
    const request = forge({
      provider,
      type,
      id: event,
      data,
      occurredAt,
      now: Date.now(),
      secret,
      ...(fault && { fault }),
      ...(options && { options }),
    });
    const body = Buffer.from(request.body);
    const response = await fetch(api.url + source.ingestPath, {
      method: 'POST',
      headers: { ...request.headers },
      body: new Uint8Array(body),
    });
    return { step, body, status: response.status, contentType: response.headers.get('content-type') ?? '', answer: await response.text() };
  };
  return {
    provider,
    source,
    send,
    async tell(name, series) {
      const told: Told[] = [];
      for (const step of scenario({ provider, name, series, start: Date.now() - 60_000 })) told.push(await send(step));
      return told;
    },
  };
}
