import type { EndpointRow, Pause, Versioned } from '../../storage/contract.ts';
import { customHeaders } from './custom-headers.ts';
import type { RoomParts } from './parts.ts';
import type { Directory, Endpoint, EndpointChange, NewEndpoint } from '../faces.ts';
import { Refusal } from '../refusal.ts';
import { bare, find, hold, newest, openSealed } from './held.ts';
import type { Held } from './held.ts';
import { matches } from './matching.ts';
import { checkEndpoint, checkOptions, providerOf } from './rules.ts';
import type { SecretEntry } from './secrets.ts';
import { checkSelection } from './selection.ts';
import { changedSecrets, checkMovable, firstSecrets, nextSecrets, publicKeyOf, receiverSecrets, signingOf, turned } from './signing.ts';

const DEFAULT_IN_FLIGHT = 16;
const MOST_SECRETS = 6;
const LONGEST_OVERLAP_MS = 30 * 24 * 3600_000;

type EndpointFace = Pick<
  Directory,
  | 'endpoints'
  | 'endpoint'
  | 'createEndpoint'
  | 'changeEndpoint'
  | 'draftEndpoint'
  | 'draftChange'
  | 'deleteEndpoint'
  | 'rotateSecret'
  | 'signingOf'
>;

/** A row with what of it is sealed when it is stored. */
type Clear = Omit<EndpointRow, 'sealed' | Added> & Pick<Endpoint, Added | 'headers'>;
/** Fields that rows of earlier days lack. */
type Added = 'customEvents' | 'orderedWait' | 'skipStale' | 'disableAfter' | 'pause';

/** What endpoints made for one event's `url` have of the one that they are made like, and go on having when it changes. */
const INHERITED = ['options', 'retry', 'timeout', 'disableAfter', 'maxInFlight', 'ordered', 'orderedWait', 'skipStale'] as const;
type Inherited = Pick<Endpoint, (typeof INHERITED)[number]>;
const inherited = (of: Inherited): Inherited => Object.fromEntries(INHERITED.map((name) => [name, of[name]])) as unknown as Inherited;

type Row = Held<Endpoint & Versioned>;

interface Made {
  readonly row: Clear;
  readonly entries: readonly SecretEntry[];
}

/** Endpoints: where merchants are sent to. */
export function createEndpoints(parts: RoomParts) {
  const { storage, vault, clock, random, newId, judgeUrl, checkMerchant, inTurn, saved, opened } = parts;
  const rows = new Map<string, Row>();
  const held = { what: 'endpoint', get: (id: string) => rows.get(id) } as const;
  const byMerchant = new Map<string, Row[]>();
  const making = new Map<string, Promise<Endpoint>>();
  let changed: (endpoint: Endpoint | null, id: string) => void = () => undefined;

  const of = (merchant: string): readonly Row[] => byMerchant.get(merchant) ?? [];
  const ownOf = (merchant: string): readonly Row[] => of(merchant).filter(({ perEvent }) => !perEvent);

  function regroup(): void {
    byMerchant.clear();
    for (const endpoint of rows.values()) byMerchant.set(endpoint.merchant, [...of(endpoint.merchant), endpoint]);
  }

  /** In memory as it is in the store. */
  function put(row: Clear, entries: readonly SecretEntry[]): Row {
    const endpoint = hold(row, entries, clock);
    if (row.deletedAt === null) rows.set(row.id, endpoint);
    else rows.delete(row.id);
    return endpoint;
  }

  function tell(ids: readonly string[]): void {
    for (const id of ids) changed(rows.get(id) ?? null, id);
  }

  /** All in one commit; answers with the first. */
  async function save(...made: readonly [Made, ...Made[]]): Promise<Endpoint> {
    const sealed = made.map(({ row: { headers, ...open }, entries }) => ({
      ...open,
      sealed: vault.seal(JSON.stringify({ entries, headers }), open.id),
    }));
    const version = saved(await storage.saveEndpoints(sealed));
    const [first] = made.map(({ row, entries }) => put({ ...row, version }, entries));
    regroup();
    tell(made.map(({ row }) => row.id));
    return first as Endpoint;
  }

  function checkUrl(url: string): void {
    const wrong = judgeUrl(url);
    if (wrong !== null) throw new Refusal(wrong.code === 'address_blocked' ? 'address_blocked' : 'invalid_url', wrong.sentence);
  }

  function make(input: NewEndpoint, like?: Row): Made {
    checkMerchant(input.merchant);
    const provider = providerOf(input.provider ?? 'paybell');
    checkUrl(input.url);
    checkOptions(provider, input.options);
    const options = input.options ?? null;
    const row = {
      id: newId('end'),
      merchant: input.merchant,
      url: input.url,
      provider: provider.id,
      events: input.events ?? ['*'],
      content: input.content ?? 'event',
      active: input.active ?? true,
      disabledReason: null,
      pause: input.active === false ? { since: clock.now(), until: null } : null,
      retry: input.retry ?? null,
      timeout: input.timeout ?? null,
      disableAfter: input.disableAfter ?? null,
      maxInFlight: input.maxInFlight ?? DEFAULT_IN_FLIGHT,
      ordered: input.ordered ?? false,
      orderedWait: input.orderedWait ?? null,
      skipStale: input.skipStale ?? false,
      customEvents: input.customEvents ?? false,
      headers: customHeaders(input.headers ?? {}, { provider, options }),
      options,
      perEvent: false,
      createdAt: clock.now(),
      deletedAt: null,
      version: 0,
    };
    checkEndpoint(row);
    checkSelection(row, provider);
    return { row, entries: like?.entries ?? firstSecrets(provider, input, random) };
  }

  /** What endpoints made for one event's `url` are like: the merchant's oldest, whose format and secrets the receiver knows. */
  const modelOf = (merchant: string): Row | undefined => newest(ownOf(merchant)).at(-1);

  async function createForUrl(merchant: string, url: string): Promise<Endpoint> {
    const model = modelOf(merchant);
    const { row, entries } = make({ merchant, url, provider: model?.provider ?? 'paybell' }, model);
    return save({ row: { ...row, ...(model === undefined ? {} : inherited(model)), perEvent: true }, entries });
  }

  function changedFrom(before: Row, { signing, ...change }: EndpointChange): Made {
    const provider = providerOf(change.provider ?? before.provider);
    if (change.url !== undefined) checkUrl(change.url);
    if (change.options !== undefined) checkOptions(provider, change.options);
    let { entries } = before;
    if (signing !== undefined) entries = changedSecrets(provider, { entries, signing }, random);
    if (provider.id !== before.provider) checkMovable(providerOf(before.provider), provider, entries);
    const { headers = before.headers, options = before.options } = change;
    const checked =
      change.headers === undefined && change.options === undefined
        ? headers
        : customHeaders(headers, { before: before.headers, provider, options });
    const row = { ...bare(before), ...change, headers: checked, provider: provider.id, deletedAt: null };
    checkEndpoint(row);
    if (change.events !== undefined || change.customEvents !== undefined) checkSelection(row, provider);
    const pause = pauseOf(before, row.active, clock.now());
    return { row: { ...row, pause, disabledReason: change.active === true ? null : before.disabledReason }, entries };
  }

  /** Those made for one event's `url` sign with the secrets of the endpoint that they were made like. */
  const followersOf = ({ id, merchant, entries }: Row): readonly Row[] =>
    of(merchant).filter((row) => row.perEvent && row.id !== id && row.entries[0]?.text === entries[0]?.text);

  async function change(before: Row, wanted: EndpointChange): Promise<Endpoint> {
    const made = changedFrom(before, wanted);
    const leads = modelOf(before.merchant)?.id === before.id && before.provider === made.row.provider;
    const rules = leads && INHERITED.some((name) => name in wanted) ? inherited(made.row) : null;
    if (made.entries === before.entries && rules === null) return save(made);
    const like = (row: Row): Made => ({ row: { ...bare(row), ...rules, deletedAt: null }, entries: made.entries });
    return save(made, ...followersOf(before).map(like));
  }

  const face: EndpointFace = {
    endpoints: (merchant) => newest([...rows.values()].filter((row) => !row.perEvent && (merchant === null || row.merchant === merchant))),
    endpoint: (merchant, id) => find(held, merchant, id),
    createEndpoint: async (input) => face.draftEndpoint(input).save(),
    draftEndpoint(input) {
      const made = make(input);
      return { endpoint: hold(made.row, made.entries, clock), save: () => save(made) };
    },
    changeEndpoint: (merchant, id, wanted) => inTurn(() => change(find(held, merchant, id), wanted)),
    draftChange(merchant, id, wanted) {
      const { row, entries } = changedFrom(find(held, merchant, id), wanted);
      // Worked out anew when its turn comes: what else changed meanwhile stays.
      return { endpoint: hold(row, entries, clock), save: () => face.changeEndpoint(merchant, id, wanted) };
    },
    deleteEndpoint: (merchant, id) =>
      inTurn(async () => {
        const before = find(held, merchant, id);
        await save({ row: { ...bare(before), active: false, deletedAt: clock.now() }, entries: before.entries });
      }),
    rotateSecret: (merchant, id, { overlapMs, secret }) =>
      inTurn(async () => {
        if (!(overlapMs >= 0 && overlapMs <= LONGEST_OVERLAP_MS))
          throw new Refusal('invalid_timeout', '"overlap" is a duration from "0s" to "30d".');
        const before = find(held, merchant, id);
        const provider = providerOf(before.provider);
        const now = clock.now();
        const inUseOf = (row: Row) => row.entries.filter(({ until }) => until === null || until > now);
        const next = nextSecrets({ provider, entries: inUseOf(before), secret }, random);
        const turn = (row: Row): Made => {
          const entries = turned(provider, { entries: inUseOf(row), next, endsAt: now + overlapMs }).slice(0, MOST_SECRETS);
          return { row: { ...bare(row), deletedAt: null }, entries };
        };
        return save(turn(before), ...followersOf(before).map(turn));
      }),
    signingOf({ id, provider: of, secrets }) {
      const provider = providerOf(of);
      const ends = (rows.get(id)?.entries ?? []).flatMap(({ until }) => (until === null || until <= clock.now() ? [] : [until]));
      return {
        signing: signingOf(provider, secrets),
        secrets: receiverSecrets(provider, secrets),
        publicKey: publicKeyOf(provider, secrets),
        overlapUntil: ends.length === 0 ? null : Math.max(...ends),
      };
    },
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
    disable: (id: string, reason: string): Promise<boolean> =>
      inTurn(async () => {
        const before = rows.get(id);
        if (before?.active !== true) return false;
        const pause = pauseOf(before, false, clock.now());
        await save({ row: { ...bare(before), active: false, disabledReason: reason, pause, deletedAt: null }, entries: before.entries });
        return true;
      }),
    onEndpoint(listener: typeof changed): void {
      changed = listener;
    },
    /** Rows as they stand in the store; answers with the ids of those that are news here. */
    load(stored: readonly EndpointRow[]): readonly string[] {
      const news = stored.filter(
        ({ id, version, deletedAt }) => version > (rows.get(id)?.version ?? 0) && (deletedAt === null || rows.has(id)),
      );
      for (const {
        customEvents = false,
        orderedWait = null,
        skipStale = false,
        disableAfter = null,
        pause = null,
        sealed,
        ...row
      } of news) {
        const { entries, headers } = opened({ id: row.id, sealed }, openSealed) ?? rows.get(row.id) ?? { entries: [], headers: {} };
        put({ ...row, customEvents, orderedWait, skipStale, disableAfter, pause, headers }, entries);
      }
      regroup();
      return news.map(({ id }) => id);
    },
    /** Tells who follows endpoints that another process changed these. */
    tell,
  };
}

/** The time that an endpoint is not active, as it stands after a change. */
function pauseOf({ active, pause, createdAt }: Pick<Row, 'active' | 'pause' | 'createdAt'>, after: boolean, now: number): Pause | null {
  if (active === after) return pause;
  return after ? { since: pause?.since ?? createdAt, until: now } : { since: now, until: null };
}
