import { hash } from 'node:crypto';
import type { DirectoryRows, EndpointRow, KeyRow, MerchantRow, SourceRow, Storage } from '../storage/contract.ts';
import { matches } from './directory/matching.ts';
import { checkEndpoint, checkOptions, checkSecret, providerOf } from './directory/rules.ts';
import { inUse, rotated } from './directory/secrets.ts';
import type { SecretEntry, Vault } from './directory/secrets.ts';
import type { Directory, Endpoint, EndpointChange, NewEndpoint, NewSource, Source, SourceChange } from './faces.ts';
import type { IdPrefix } from './ids.ts';
import type { Clock, RandomBytes } from './ports.ts';
import { Refusal } from './refusal.ts';

const DEFAULT_IN_FLIGHT = 16;
const MOST_SECRETS = 5;
const LONGEST_OVERLAP_MS = 30 * 24 * 3600_000;

export interface DirectoryParts {
  readonly storage: Storage;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly newId: (prefix: IdPrefix) => string;
  /** What speaks against a URL at once; null: nothing. */
  readonly judgeUrl: (url: string) => { readonly code: string; readonly sentence: string } | null;
}

/** The engine's own view: everything by id, without asking the store. */
export interface InnerDirectory extends Directory {
  load(): Promise<void>;
  sourceById(id: string): Source | undefined;
  endpointById(id: string): Endpoint | undefined;
  /** The active endpoints of a merchant that select this event type. */
  subscribers(merchant: string, type: string): readonly Endpoint[];
  /** The endpoint behind the `url` of a published event: made at first use, in the format of the merchant's oldest endpoint. */
  endpointForUrl(merchant: string, url: string): Promise<Endpoint>;
  disable(id: string, reason: string): Promise<void>;
  onEndpoint(changed: (endpoint: Endpoint | null, id: string) => void): void;
}

type Held<Row> = Row & { readonly entries: readonly SecretEntry[] };

/** Merchants, sources, endpoints and keys: held in memory, written through to the store. */
export function createDirectory({ storage, vault, clock, random, newId, judgeUrl }: DirectoryParts): InnerDirectory {
  const merchants = new Map<string, MerchantRow>();
  const sources = new Map<string, Held<Source>>();
  const endpoints = new Map<string, Held<Endpoint>>();
  const endpointsOf = new Map<string, Held<Endpoint>[]>();
  const keys = new Map<string, KeyRow>();
  const forUrl = new Map<string, Promise<Endpoint>>();
  let endpointChanged: (endpoint: Endpoint | null, id: string) => void = () => undefined;

  const entriesOf = (row: { id: string; sealed: string }): SecretEntry[] => JSON.parse(vault.open(row.sealed, row.id)) as SecretEntry[];

  /** `secrets` is worked out at each use, because an overlap ends by itself. */
  function held<Row extends { id: string }>(row: Row, entries: readonly SecretEntry[]): Row & { readonly entries: readonly SecretEntry[]; readonly secrets: readonly string[] } {
    const lasting = entries.every(({ until }) => until === null) ? inUse(entries, 0) : null;
    return Object.defineProperty({ ...row, entries }, 'secrets', { get: () => lasting ?? inUse(entries, clock.now()), enumerable: true }) as Row & {
      entries: readonly SecretEntry[];
      secrets: readonly string[];
    };
  }

  function hold(rows: DirectoryRows): void {
    for (const row of rows.merchants) merchants.set(row.id, row);
    for (const row of rows.sources) sources.set(row.id, held(row, entriesOf(row)));
    for (const row of rows.endpoints) endpoints.set(row.id, held(row, entriesOf(row)));
    for (const row of rows.keys) keys.set(row.hash, row);
    regroup();
  }

  function regroup(): void {
    endpointsOf.clear();
    for (const endpoint of endpoints.values()) {
      const list = endpointsOf.get(endpoint.merchant);
      if (list === undefined) endpointsOf.set(endpoint.merchant, [endpoint]);
      else list.push(endpoint);
    }
  }

  async function saveSource(row: Omit<SourceRow, 'sealed'>, entries: readonly SecretEntry[]): Promise<Source> {
    await storage.saveSource({ ...row, sealed: vault.seal(JSON.stringify(entries), row.id) });
    const source = held(row, entries);
    if (row.deletedAt === null) sources.set(row.id, source);
    else sources.delete(row.id);
    return source;
  }

  async function saveEndpoint(row: Omit<EndpointRow, 'sealed'>, entries: readonly SecretEntry[]): Promise<Endpoint> {
    await storage.saveEndpoint({ ...row, sealed: vault.seal(JSON.stringify(entries), row.id) });
    const endpoint = held(row, entries);
    if (row.deletedAt === null) endpoints.set(row.id, endpoint);
    else endpoints.delete(row.id);
    regroup();
    endpointChanged(row.deletedAt === null ? endpoint : null, row.id);
    return endpoint;
  }

  function find<Row extends { merchant: string }>(map: ReadonlyMap<string, Row>, merchant: string | null, id: string): Row {
    const row = map.get(id);
    if (row === undefined || (merchant !== null && row.merchant !== merchant)) throw new Refusal('not_found', 'There is nothing with this id.');
    return row;
  }

  function checkMerchant(id: string): void {
    if (!merchants.has(id)) throw new Refusal('not_found', `There is no merchant "${id.slice(0, 64)}". Create it with POST /v1/merchants.`);
  }

  function checkUrl(url: string): void {
    const wrong = judgeUrl(url);
    if (wrong !== null) throw new Refusal(wrong.code === 'address_blocked' ? 'address_blocked' : 'invalid_url', wrong.sentence);
  }

  const bare = (row: Held<Endpoint>): Omit<EndpointRow, 'sealed' | 'deletedAt'> => {
    const { entries: _entries, secrets: _secrets, ...rest } = row;
    return rest;
  };
  const bareSource = (row: Held<Source>): Omit<SourceRow, 'sealed' | 'deletedAt'> => {
    const { entries: _entries, secrets: _secrets, ...rest } = row;
    return rest;
  };
  const newest = <Row extends { createdAt: number; id: string }>(rows: Iterable<Row>): Row[] => [...rows].sort((a, b) => (a.id < b.id ? 1 : -1));

  async function createEndpoint(input: NewEndpoint, perEvent = false): Promise<Endpoint> {
    checkMerchant(input.merchant);
    const provider = providerOf(input.provider ?? 'paybell');
    checkUrl(input.url);
    checkOptions(provider, input.options);
    const secret = input.secret ?? provider.makeSecret(random(32));
    checkSecret(provider, secret);
    const row = {
      id: newId('end'),
      merchant: input.merchant,
      url: input.url,
      provider: provider.id,
      events: input.events ?? ['*'],
      content: input.content ?? 'event',
      active: input.active ?? true,
      disabledReason: null,
      retry: input.retry ?? null,
      timeout: input.timeout ?? null,
      maxInFlight: input.maxInFlight ?? DEFAULT_IN_FLIGHT,
      ordered: input.ordered ?? false,
      options: input.options ?? null,
      perEvent,
      createdAt: clock.now(),
      deletedAt: null,
    };
    checkEndpoint(row);
    return saveEndpoint(row, [{ text: secret, until: null }]);
  }

  async function makeForUrl(merchant: string, url: string): Promise<Endpoint> {
    const own = (endpointsOf.get(merchant) ?? []).filter((endpoint) => !endpoint.perEvent);
    const model = own.reduce<Held<Endpoint> | null>((oldest, one) => (oldest === null || one.id < oldest.id ? one : oldest), null);
    const base: NewEndpoint = { merchant, url };
    if (model === null) return createEndpoint(base, true);
    const { provider, secrets, options, retry, timeout } = model;
    return createEndpoint(
      {
        ...base,
        provider,
        ...(secrets[0] === undefined ? {} : { secret: secrets[0] }),
        ...(options === null ? {} : { options }),
        ...(retry === null ? {} : { retry }),
        ...(timeout === null ? {} : { timeout }),
      },
      true,
    );
  }

  const directory: InnerDirectory = {
    async load() {
      hold(await storage.loadDirectory());
      if (!merchants.has('default')) await directory.createMerchant({ id: 'default', name: 'Default' });
    },

    merchants: () => newest(merchants.values()),
    async createMerchant({ id = newId('mer'), name }) {
      if (merchants.has(id)) throw new Refusal('conflict', `There is a merchant "${id}" already.`);
      const row = { id, name, createdAt: clock.now() };
      await storage.saveMerchant(row);
      merchants.set(id, row);
      return row;
    },

    sources: (merchant) => newest([...sources.values()].filter((row) => merchant === null || row.merchant === merchant)),
    source: (merchant, id) => find(sources, merchant, id),
    sourceById: (id) => sources.get(id),
    async createSource(input: NewSource) {
      checkMerchant(input.merchant);
      const provider = providerOf(input.provider);
      checkOptions(provider, input.options);
      checkSecrets(input.secrets);
      for (const secret of input.secrets) checkSecret(provider, secret);
      const id = newId('src');
      const { merchant, name = provider.name, options = null } = input;
      const row = { id, merchant, provider: provider.id, name, options, active: true, createdAt: clock.now(), deletedAt: null };
      return saveSource(row, input.secrets.map((text) => ({ text, until: null })));
    },
    async changeSource(merchant, id, change: SourceChange) {
      const before = find(sources, merchant, id);
      const provider = providerOf(before.provider);
      checkOptions(provider, change.options);
      let entries = change.secrets === undefined ? before.entries : change.secrets.map((text) => ({ text, until: null }));
      if (change.addSecret !== undefined) entries = [{ text: change.addSecret, until: null }, ...entries.filter(({ text }) => text !== change.addSecret)];
      checkSecrets(entries);
      for (const { text } of entries) checkSecret(provider, text);
      const { name = before.name, options = before.options, active = before.active } = change;
      return saveSource({ ...bareSource(before), name, options, active, deletedAt: null }, entries);
    },
    async deleteSource(merchant, id) {
      const before = find(sources, merchant, id);
      await saveSource({ ...bareSource(before), deletedAt: clock.now() }, before.entries);
    },

    endpoints: (merchant) => newest([...endpoints.values()].filter((row) => !row.perEvent && (merchant === null || row.merchant === merchant))),
    endpoint: (merchant, id) => find(endpoints, merchant, id),
    endpointById: (id) => endpoints.get(id),
    createEndpoint: (input) => createEndpoint(input),
    async changeEndpoint(merchant, id, change: EndpointChange) {
      const before = find(endpoints, merchant, id);
      const provider = providerOf(change.provider ?? before.provider);
      if (change.url !== undefined) checkUrl(change.url);
      if (change.options !== undefined) checkOptions(provider, change.options);
      if (change.provider !== undefined) for (const { text } of before.entries) checkSecret(provider, text);
      const row = { ...bare(before), ...change, provider: provider.id, deletedAt: null };
      checkEndpoint(row);
      const disabledReason = change.active === true ? null : before.disabledReason;
      return saveEndpoint({ ...row, disabledReason }, before.entries);
    },
    async deleteEndpoint(merchant, id) {
      const before = find(endpoints, merchant, id);
      await saveEndpoint({ ...bare(before), active: false, deletedAt: clock.now() }, before.entries);
    },
    async rotateSecret(merchant, id, overlapMs) {
      if (!(overlapMs >= 0 && overlapMs <= LONGEST_OVERLAP_MS)) throw new Refusal('invalid_timeout', '"overlap" is a duration from "0s" to "30d".');
      const before = find(endpoints, merchant, id);
      const now = clock.now();
      const fresh = providerOf(before.provider).makeSecret(random(32));
      const turn = (row: Held<Endpoint>): Promise<Endpoint> => {
        const kept = row.entries.filter(({ until }) => until === null || until > now).slice(0, MOST_SECRETS - 1);
        return saveEndpoint({ ...bare(row), deletedAt: null }, rotated(kept, fresh, now + overlapMs));
      };
      // Those made for one event's `url` sign with this endpoint's secret, so they change with it.
      const secret = before.entries[0]?.text;
      const followers = (endpointsOf.get(before.merchant) ?? []).filter(({ perEvent, entries }) => perEvent && entries[0]?.text === secret);
      for (const follower of followers) if (follower.id !== id) await turn(follower);
      return turn(before);
    },
    async disable(id, reason) {
      const before = endpoints.get(id);
      if (before?.active === true) await saveEndpoint({ ...bare(before), active: false, disabledReason: reason, deletedAt: null }, before.entries);
    },
    subscribers: (merchant, type) =>
      (endpointsOf.get(merchant) ?? []).filter((endpoint) => endpoint.active && !endpoint.perEvent && matches(endpoint.events, type)),
    endpointForUrl(merchant, url) {
      const known = (endpointsOf.get(merchant) ?? []).find((endpoint) => endpoint.perEvent && endpoint.url === url);
      if (known !== undefined) return Promise.resolve(known);
      const key = `${merchant}\n${url}`;
      let making = forUrl.get(key);
      if (making === undefined) {
        making = makeForUrl(merchant, url).finally(() => forUrl.delete(key));
        forUrl.set(key, making);
      }
      return making;
    },
    onEndpoint(changed) {
      endpointChanged = changed;
    },

    keys: () => newest(keys.values()),
    async createKey({ name, merchant, key = `pbk_${Buffer.from(random(32)).toString('base64url')}` }) {
      if (merchant !== null) checkMerchant(merchant);
      const row: KeyRow = { id: newId('key'), name, hash: hash('sha256', key), merchant, createdAt: clock.now(), deletedAt: null };
      await storage.saveKey(row);
      keys.set(row.hash, row);
      return { row, key };
    },
    async deleteKey(id) {
      const row = [...keys.values()].find((one) => one.id === id);
      if (row === undefined) throw new Refusal('not_found', 'There is no key with this id.');
      await storage.saveKey({ ...row, deletedAt: clock.now() });
      keys.delete(row.hash);
    },
    keyHolder(key) {
      const row = keys.get(hash('sha256', key));
      return row === undefined ? null : { id: row.id, merchant: row.merchant };
    },
  };
  return directory;
}

function checkSecrets(secrets: readonly unknown[]): void {
  if (secrets.length === 0 || secrets.length > MOST_SECRETS) throw new Refusal('invalid_secret', `A source has 1 to ${MOST_SECRETS} secrets.`);
}
