import { apiOf } from './api.ts';
import { setUp } from './set-up.ts';
import { startShop } from './shop.ts';
import { simulate } from './simulate.ts';

export interface DemoInput {
  /** The running server. */
  readonly url: string;
  readonly key: string;
  note(line: string): void;
}

/** A merchant app and five simulated providers on a running server; everything goes over HTTP as it would from outside. */
export async function startDemo({ url, key, note }: DemoInput): Promise<{ stop(): Promise<void> }> {
  const shop = await startShop(Math.random);
  try {
    const api = apiOf({ url, key });
    const { sources, secrets } = await setUp(api, { shopUrl: shop.url, key });
    shop.trust(secrets);
    const simulation = simulate({ url, sources, random: Math.random, note });
    note(`Demo: five simulated providers send webhooks; a merchant app takes the deliveries at ${shop.url}`);
    return {
      async stop() {
        await simulation.stop();
        await shop.stop();
      },
    };
  } catch (error) {
    await shop.stop();
    throw error;
  }
}
