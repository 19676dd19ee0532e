import type { Provider } from '../provider.ts';
import { adyen } from './adyen.ts';
import { altafinex } from './altafinex.ts';
import { echezona } from './echezona.ts';
import { makapay } from './makapay.ts';
import { malipopay } from './malipopay.ts';
import { paybell } from './paybell.ts';
import { serixpay } from './serixpay.ts';
import { stripe } from './stripe.ts';

/** Every provider, in the order in which lists show them. */
export const providers: readonly Provider[] = [malipopay, echezona, makapay, serixpay, altafinex, paybell, stripe, adyen];

const byId: ReadonlyMap<string, Provider> = new Map(providers.map((provider) => [provider.id, provider]));

export function providerById(id: string): Provider | undefined {
  return byId.get(id);
}
