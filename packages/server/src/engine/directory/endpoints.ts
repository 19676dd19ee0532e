import type { EndpointRow } from '../../storage/contract.ts';
import type { DirectoryParts } from './parts.ts';
import type { Directory, Endpoint, NewEndpoint } from '../faces.ts';
import { Refusal } from '../refusal.ts';
import { bare, find, hold, newest, openEntries } from './held.ts';
import type { Held } from './held.ts';
import { matches } from './matching.ts';
import { checkEndpoint, checkOptions, checkSecret, providerOf } from './rules.ts';
import { rotated } from './secrets.ts';
import type { SecretEntry } from './secrets.ts';
import { turns } from './turns.ts';

const DEFAULT_IN_FLIGHT = 16;
const MOST_SECRETS = 5;
const LONGEST_OVERLAP_MS = 30 * 24 * 3600_000;

type EndpointFace = Pick<Directory, 'endpoints' | 'endpoint' | 'createEndpoint' | 'changeEndpoint' | 'deleteEndpoint' | 'rotateSecret'>;

/** Endpoints: where merchants are sent to. */
export function createEndpoints(parts: DirectoryParts, checkMerchant: (id: string) => void) {
  const { storage, vault, clock, random, newId, judgeUrl } = parts;
  const rows = new Map<string, Held<Endpoint>>();
  const byMerchant = new Map<string, Held<Endpoint>[]>();
  const making = new Map<string, Promise<Endpoint>>();
  const inTurn = turns();
  let changed: (endpoint: Endpoint | null, id: string) => void = () => undefined;

  const of = (merchant: string): readonly Held<Endpoint>[] => byMerchant.get(merchant) ?? [];
  const ownOf = (merchant: string): readonly Held<Endpoint>[] => of(merchant).filter(({ perEvent }) => !perEvent);

  function regroup(): void {
    byMerchant.clear();
    for (const endpoint of rows.values()) byMerchant.set(endpoint.merchant, [...of(endpoint.merchant), endpoint]);
  }

  async function save(row: Omit<EndpointRow, 'sealed'>, entries: readonly SecretEntry[]): Promise<Endpoint> {
    await storage.saveEndpoint({ ...row, sealed: vault.seal(JSON.stringify(entries), row.id) });
    const endpoint = hold(row, entries, clock);
    if (row.deletedAt === null) rows.set(row.id, endpoint);
    else rows.delete(row.id);
    regroup();
    changed(row.deletedAt === null ? endpoint : null, row.id);
    return endpoint;
  }

  function checkUrl(url: string): void {
    const wrong = judgeUrl(url);
    if (wrong !== null) throw new Refusal(wrong.code === 'address_blocked' ? 'address_blocked' : 'invalid_url', wrong.sentence);
  }

  async function create(input: NewEndpoint, perEvent: boolean): Promise<Endpoint> {
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
    return save(row, [{ text: secret, until: null }]);
  }

  /** In the format, and with the secret, of the merchant's oldest endpoint: its receiver knows that one. */
  function createForUrl(merchant: string, url: string): Promise<Endpoint> {
    const [model] = newest(ownOf(merchant)).slice(-1);
    if (model === undefined) return create({ merchant, url }, true);
    const { provider, secrets, options, retry, timeout } = model;
    const like = {
      ...(secrets[0] === undefined ? {} : { secret: secrets[0] }),
      ...(options === null ? {} : { options }),
      ...(retry === null ? {} : { retry }),
      ...(timeout === null ? {} : { timeout }),
    };
    return create({ merchant, url, provider, ...like }, true);
  }

  const face: EndpointFace = {
    endpoints: (merchant) => newest([...rows.values()].filter((row) => !row.perEvent && (merchant === null || row.merchant === merchant))),
    endpoint: (merchant, id) => find(rows, merchant, id),
    createEndpoint: (input) => create(input, false),
    changeEndpoint: (merchant, id, change) =>
      inTurn(async () => {
        const before = find(rows, merchant, id);
        const provider = providerOf(change.provider ?? before.provider);
        if (change.url !== undefined) checkUrl(change.url);
        if (change.options !== undefined) checkOptions(provider, change.options);
        if (change.provider !== undefined) for (const { text } of before.entries) checkSecret(provider, text);
        const row = { ...bare(before), ...change, provider: provider.id, deletedAt: null };
        checkEndpoint(row);
        return save({ ...row, disabledReason: change.active === true ? null : before.disabledReason }, before.entries);
      }),
    deleteEndpoint: (merchant, id) =>
      inTurn(async () => {
        const before = find(rows, merchant, id);
        await save({ ...bare(before), active: false, deletedAt: clock.now() }, before.entries);
      }),
    rotateSecret: (merchant, id, overlapMs) =>
      inTurn(async () => {
        if (!(overlapMs >= 0 && overlapMs <= LONGEST_OVERLAP_MS))
          throw new Refusal('invalid_timeout', '"overlap" is a duration from "0s" to "30d".');
        const before = find(rows, merchant, id);
        const now = clock.now();
        const fresh = providerOf(before.provider).makeSecret(random(32));
        const turn = (row: Held<Endpoint>): Promise<Endpoint> => {
          const kept = row.entries.filter(({ until }) => until === null || until > now).slice(0, MOST_SECRETS - 1);
          return save({ ...bare(row), deletedAt: null }, rotated(kept, fresh, now + overlapMs));
        };
        // Those made for one event's `url` sign with this endpoint's secret, so they change with it.
        const secret = before.entries[0]?.text;
        const followers = of(before.merchant).filter(({ perEvent, entries }) => perEvent && entries[0]?.text === secret);
        for (const follower of followers) if (follower.id !== id) await turn(follower);
        return turn(before);
      }),
  };
  return {
    ...face,
    endpointById: (id: string): Endpoint | undefined => rows.get(id),
    subscribers: (merchant: string, type: string): readonly Endpoint[] =>
      of(merchant).filter((endpoint) => endpoint.active && !endpoint.perEvent && matches(endpoint.events, type)),
    formatOf(merchant: string): string {
      const formats = new Set(ownOf(merchant).map(({ provider }) => provider));
      const [only = 'paybell'] = formats;
      return formats.size === 1 ? only : 'paybell';
    },
    endpointForUrl(merchant: string, url: string): Promise<Endpoint> {
      const known = of(merchant).find((endpoint) => endpoint.perEvent && endpoint.url === url);
      if (known !== undefined) return Promise.resolve(known);
      const key = `${merchant}\n${url}`;
      const made = making.get(key) ?? createForUrl(merchant, url).finally(() => making.delete(key));
      making.set(key, made);
      return made;
    },
    disable: (id: string, reason: string): Promise<void> =>
      inTurn(async () => {
        const before = rows.get(id);
        if (before?.active === true)
          await save({ ...bare(before), active: false, disabledReason: reason, deletedAt: null }, before.entries);
      }),
    onEndpoint(listener: typeof changed): void {
      changed = listener;
    },
    load(stored: readonly EndpointRow[]): void {
      for (const row of stored) rows.set(row.id, hold(row, openEntries(row, vault), clock));
      regroup();
    },
  };
}
