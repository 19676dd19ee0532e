import { useProviders } from '../../api/queries.ts';
import { useStats } from '../../api/queries.ts';
import type { Kind, Rail, Status } from '../../api/types.ts';
import { describeAsset } from '../../ui/asset.ts';
import { Pick, SearchField, type FilterState } from '../../ui/filters.tsx';
import { capital, STATUS_LOOKS } from '../../ui/status.ts';
import { TimeRange } from './time-range.tsx';

export const FILTER_NAMES = ['q', 'status', 'kind', 'provider', 'rail', 'currency', 'from', 'to'] as const;

const KINDS = ['payment', 'refund', 'payout', 'transfer', 'settlement', 'fee', 'dispute', 'adjustment'] as const satisfies readonly Kind[];
const RAILS = [
  'card',
  'mobile_money',
  'bank_transfer',
  'bank_debit',
  'crypto',
  'wallet',
  'cash',
  'other',
] as const satisfies readonly Rail[];
const STATUSES = Object.keys(STATUS_LOOKS) as Status[];

const named = (values: readonly string[]) => values.map((value) => ({ value, label: capital(value) }));

export function TransactionFilters({ state }: { readonly state: FilterState }) {
  const { filters, set, clear } = state;
  const providers = useProviders().data ?? [];
  const money = useStats('24h', '15m').data?.money ?? [];
  const currencies = [...new Set(money.map((row) => row.currency))].toSorted();
  return (
    <div className="filters" role="search">
      <SearchField value={filters['q'] ?? ''} placeholder="Reference, whole or its beginning" onChange={(value) => set('q', value)} />
      <Pick
        label="Status"
        value={filters['status']}
        choices={STATUSES.map((value) => ({ value, label: STATUS_LOOKS[value].word }))}
        onChange={(value) => set('status', value)}
      />
      <Pick label="Kind" value={filters['kind']} choices={named(KINDS)} onChange={(value) => set('kind', value)} />
      <Pick
        label="Provider"
        value={filters['provider']}
        choices={providers.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(value) => set('provider', value)}
      />
      <Pick label="Rail" value={filters['rail']} choices={named(RAILS)} onChange={(value) => set('rail', value)} />
      <Pick
        label="Currency"
        value={filters['currency']}
        choices={currencies.map((value) => {
          const { name, network } = describeAsset(value);
          return { value, label: network === null ? name : `${name} on ${network}` };
        })}
        onChange={(value) => set('currency', value)}
      />
      <TimeRange from={filters['from']} to={filters['to']} set={set} />
      {Object.keys(filters).length > 0 && (
        <button type="button" className="link" onClick={clear}>
          Clear
        </button>
      )}
    </div>
  );
}
