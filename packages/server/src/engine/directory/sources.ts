import type { SourceRow, Versioned } from '../../storage/contract.ts';
import type { RoomParts } from './parts.ts';
import type { Directory, Source } from '../faces.ts';
import { Refusal } from '../refusal.ts';
import { bare, find, hold, newest, openEntries } from './held.ts';
import type { Held } from './held.ts';
import { checkOptions, checkSecret, providerOf } from './rules.ts';
import type { SecretEntry } from './secrets.ts';

const MOST_SECRETS = 5;

type SourceFace = Pick<Directory, 'sources' | 'source' | 'createSource' | 'changeSource' | 'deleteSource'>;

/** Sources: where merchants receive from. */
export function createSources({ storage, vault, clock, newId, checkMerchant, inTurn, saved, opened }: RoomParts) {
  const rows = new Map<string, Held<Source & Versioned>>();
  const held = { what: 'source', get: (id: string) => rows.get(id) } as const;

  /** In memory as it is in the store. */
  function put(row: Omit<SourceRow, 'sealed'>, entries: readonly SecretEntry[]): Source {
    const source = hold(row, entries, clock);
    if (row.deletedAt === null) rows.set(row.id, source);
    else rows.delete(row.id);
    return source;
  }

  async function save(row: Omit<SourceRow, 'sealed'>, entries: readonly SecretEntry[]): Promise<Source> {
    const sealed = vault.seal(JSON.stringify(entries), row.id);
    return put({ ...row, version: saved(await storage.saveSource({ ...row, sealed })) }, entries);
  }

  const face: SourceFace = {
    sources: (merchant) => newest([...rows.values()].filter((row) => merchant === null || row.merchant === merchant)),
    source: (merchant, id) => find(held, merchant, id),
    async createSource(input) {
      checkMerchant(input.merchant);
      const provider = providerOf(input.provider);
      checkOptions(provider, input.options);
      checkNumber(input.secrets);
      for (const secret of input.secrets) checkSecret(provider, secret);
      const { merchant, name = provider.name, options = null } = input;
      const id = newId('src');
      const row = { id, merchant, provider: provider.id, name, options, active: true, createdAt: clock.now(), deletedAt: null, version: 0 };
      return save(
        row,
        input.secrets.map((text) => ({ text, until: null })),
      );
    },
    changeSource: (merchant, id, change) =>
      inTurn(async () => {
        const before = find(held, merchant, id);
        const provider = providerOf(before.provider);
        checkOptions(provider, change.options);
        let entries = change.secrets === undefined ? before.entries : change.secrets.map((text) => ({ text, until: null }));
        const { addSecret } = change;
        if (addSecret !== undefined) entries = [{ text: addSecret, until: null }, ...entries.filter(({ text }) => text !== addSecret)];
        checkNumber(entries);
        for (const { text } of entries) checkSecret(provider, text);
        const { name = before.name, options = before.options, active = before.active } = change;
        return save({ ...bare(before), name, options, active, deletedAt: null }, entries);
      }),
    deleteSource: (merchant, id) =>
      inTurn(async () => {
        const before = find(held, merchant, id);
        await save({ ...bare(before), deletedAt: clock.now() }, before.entries);
      }),
  };
  return {
    ...face,
    sourceById: (id: string): Source | undefined => rows.get(id),
    load(stored: readonly SourceRow[]): void {
      for (const row of stored) {
        const held = rows.get(row.id);
        if (row.version > (held?.version ?? 0)) put(row, opened(row, openEntries) ?? held?.entries ?? []);
      }
    },
  };
}

function checkNumber(secrets: readonly unknown[]): void {
  if (secrets.length === 0 || secrets.length > MOST_SECRETS)
    throw new Refusal('invalid_secret', `A source has 1 to ${MOST_SECRETS} secrets: send "secret", or several of them as "secrets".`);
}
