import type { MerchantRow } from '../storage/contract.ts';
import { createEndpoints } from './directory/endpoints.ts';
import { newest } from './directory/held.ts';
import { createKeys } from './directory/keys.ts';
import type { DirectoryParts, SealedRow } from './directory/parts.ts';
import { createSources } from './directory/sources.ts';
import { standing, turns } from './directory/turns.ts';
import type { Directory, Endpoint, Source } from './faces.ts';
import { Refusal } from './refusal.ts';

/** Whose endpoints hear of endpoints that fail: whoever runs Paybell. Reserved, and there without being made. */
export const OPERATOR = 'operator';
const DEFAULT = 'default';

/** The engine's own view: everything by id, without asking the store. */
export interface InnerDirectory extends Directory {
  load(): Promise<void>;
  /** Reads what other nodes saved since. */
  refresh(): Promise<void>;
  /** The version of the directory that is held here. */
  version(): number;
  /** How many rows were sealed with a master key that is not known here. */
  unreadable(): number;
  /** Called with the version of each save that this node makes. */
  onSaved(listener: (version: number) => void): void;
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

/** Merchants, sources, endpoints and keys: held in memory, written through to the store, read anew where another node wrote. */
export function createDirectory(parts: DirectoryParts): InnerDirectory {
  const { storage, vault, clock, log, newId } = parts;
  const merchants = new Map<string, MerchantRow>();
  const unreadable = new Set<string>();
  let version = 0;
  let loaded = false;
  let heardOf = (_version: number): void => undefined;

  function checkMerchant(id: string): void {
    if (id !== OPERATOR && !merchants.has(id))
      throw new Refusal('not_found', `There is no merchant "${id.slice(0, 64)}". Create it with POST /v1/merchants.`);
  }

  /** At the start a row that cannot be opened stops it; later this node goes on with what it has. */
  function opened<Clear>(row: SealedRow, open: (row: SealedRow, vault: DirectoryParts['vault']) => Clear): Clear | null {
    try {
      const clear = open(row, vault);
      unreadable.delete(row.id);
      return clear;
    } catch (error) {
      if (!loaded) throw error;
      unreadable.add(row.id);
      log.error({ row: row.id, error: String(error) }, 'another node sealed a row with a master key that is not known here');
      return null;
    }
  }

  /** Holds what was saved since; answers with the endpoints that are news here. */
  async function read(): Promise<readonly string[]> {
    const rows = await storage.loadDirectory({ since: version });
    for (const row of rows.merchants) merchants.set(row.id, row);
    sources.load(rows.sources);
    const news = endpoints.load(rows.endpoints);
    keys.load(rows);
    version = Math.max(version, rows.version);
    return news;
  }

  const refresh = async (): Promise<void> => endpoints.tell(await read());
  const inTurn = turns(refresh);
  function saved(made: number | null): number {
    const now = standing(made);
    // Only the next one: another node's may lie between.
    if (now === version + 1) version = now;
    heardOf(now);
    return now;
  }

  const shared = { ...parts, checkMerchant, inTurn, saved, opened };
  const sources = createSources(shared);
  const endpoints = createEndpoints(shared);
  const keys = createKeys(shared);

  const createMerchant = ({ id = newId('mer'), name }: { readonly id?: string; readonly name: string }): Promise<MerchantRow> =>
    inTurn(async () => {
      if (id === OPERATOR)
        throw new Refusal('conflict', 'This name is reserved: it stands for whoever runs Paybell, and is there already.');
      if (merchants.has(id)) throw new Refusal('conflict', `There is a merchant "${id}" already.`);
      const row = { id, name, createdAt: clock.now(), version: 0 };
      const made = { ...row, version: saved(await storage.saveMerchant(row)) };
      merchants.set(id, made);
      return made;
    });

  return {
    ...sources,
    ...endpoints,
    ...keys,
    checkMerchant,
    merchants: () => newest(merchants.values()),
    createMerchant,
    version: () => version,
    unreadable: () => unreadable.size,
    onSaved: (listener) => void (heardOf = listener),
    refresh: () => inTurn(refresh),
    async load() {
      await read();
      loaded = true;
      if (merchants.has(DEFAULT)) return;
      await createMerchant({ id: DEFAULT, name: 'Default' }).catch((error: unknown) => {
        // Another node was faster.
        if (!merchants.has(DEFAULT)) throw error;
      });
    },
  };
}
