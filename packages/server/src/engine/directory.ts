import type { MerchantRow } from '../storage/contract.ts';
import { createEndpoints } from './directory/endpoints.ts';
import { newest } from './directory/held.ts';
import { createKeys } from './directory/keys.ts';
import type { DirectoryParts } from './directory/parts.ts';
import { createSources } from './directory/sources.ts';
import type { Directory, Endpoint, Source } from './faces.ts';
import { Refusal } from './refusal.ts';

/** Whose endpoints hear of endpoints that fail: whoever runs Paybell. Reserved, and there without being made. */
export const OPERATOR = 'operator';

/** The engine's own view: everything by id, without asking the store. */
export interface InnerDirectory extends Directory {
  load(): Promise<void>;
  /** Refuses the id of a merchant that there is not. */
  checkMerchant(id: string): void;
  sourceById(id: string): Source | undefined;
  endpointById(id: string): Endpoint | undefined;
  /** The active endpoints of a merchant that select this event type. */
  subscribers(merchant: string, type: string): readonly Endpoint[];
  /** The provider whose format all endpoints of a merchant are spoken to in; `paybell` where they differ or there are none. */
  formatOf(merchant: string): string;
  /** The endpoint behind the `url` of a published event: made at first use, in the format of the merchant's oldest endpoint. */
  endpointForUrl(merchant: string, url: string): Promise<Endpoint>;
  /** Answers whether it was active until now. */
  disable(id: string, reason: string): Promise<boolean>;
  onEndpoint(changed: (endpoint: Endpoint | null, id: string) => void): void;
}

/** Merchants, sources, endpoints and keys: held in memory, written through to the store. */
export function createDirectory(parts: DirectoryParts): InnerDirectory {
  const { storage, clock, newId } = parts;
  const merchants = new Map<string, MerchantRow>();

  function checkMerchant(id: string): void {
    if (id !== OPERATOR && !merchants.has(id))
      throw new Refusal('not_found', `There is no merchant "${id.slice(0, 64)}". Create it with POST /v1/merchants.`);
  }

  async function createMerchant({ id = newId('mer'), name }: { readonly id?: string; readonly name: string }): Promise<MerchantRow> {
    if (id === OPERATOR) throw new Refusal('conflict', 'This name is reserved: it stands for whoever runs Paybell, and is there already.');
    if (merchants.has(id)) throw new Refusal('conflict', `There is a merchant "${id}" already.`);
    const row = { id, name, createdAt: clock.now() };
    await storage.saveMerchant(row);
    merchants.set(id, row);
    return row;
  }

  const sources = createSources(parts, checkMerchant);
  const endpoints = createEndpoints(parts, checkMerchant);
  const keys = createKeys(parts, checkMerchant);
  return {
    ...sources,
    ...endpoints,
    ...keys,
    checkMerchant,
    merchants: () => newest(merchants.values()),
    createMerchant,
    async load() {
      const rows = await storage.loadDirectory();
      for (const row of rows.merchants) merchants.set(row.id, row);
      sources.load(rows.sources);
      endpoints.load(rows.endpoints);
      keys.hold(rows.keys);
      if (!merchants.has('default')) await createMerchant({ id: 'default', name: 'Default' });
    },
  };
}
