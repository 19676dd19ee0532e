import { flatten, useList } from '../../api/queries.ts';
import type { TransactionRow } from '../../api/types.ts';
import { isFresh } from '../../live/recent.ts';
import { Amount } from '../../ui/amount.tsx';
import { Chip, Flag } from '../../ui/chip.tsx';
import { Code } from '../../ui/code.tsx';
import { createSourceCommand, triggerCommand } from '../../ui/commands.ts';
import { useFilters } from '../../ui/filters.tsx';
import { useNarrow } from '../../ui/media.ts';
import { Page } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Rows } from '../../ui/rows.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { FILTER_NAMES, TransactionFilters } from './filters.tsx';

function Line({ row }: { readonly row: TransactionRow }) {
  return (
    <>
      <Chip of="status" value={row.status} />
      <Amount money={row.amount ?? row.amountReceived} />
      <span className="cell kind">{capital(row.kind)}</span>
      <code className="cell clip ref">{row.reference ?? row.providerReference ?? row.id}</code>
      <span className="cell">
        <Provider id={row.provider} />
      </span>
      <span className="cell rail muted">{row.rail === null ? '—' : capital(row.rail)}</span>
      <span className="cell flags">
        {row.flags.slice(0, 3).map((flag) => (
          <Flag key={flag} name={flag} />
        ))}
      </span>
      <Time at={row.updatedAt} />
    </>
  );
}

const HEAD = ['Status', 'Amount', 'Kind', 'Reference', 'Provider', 'Rail', 'Flags', 'Updated'];

export default function Transactions() {
  const state = useFilters(FILTER_NAMES);
  const list = useList('transaction', state.filters);
  const rows = flatten(list.data);
  const narrow = useNarrow();
  const filtered = Object.keys(state.filters).length > 0;
  return (
    <Page title="Transactions" fixed>
      <TransactionFilters state={state} />
      {list.error !== null && <Trouble problem={list.error} again={() => void list.refetch()} />}
      {list.isPending ? (
        <Skeleton rows={14} />
      ) : rows.length === 0 ? (
        list.error === null && <None filtered={filtered} clear={state.clear} />
      ) : (
        <Rows
          rows={rows}
          rowHeight={narrow ? 64 : 42}
          label="Transactions, newest first"
          testId="transactions"
          className="table transactions"
          head={HEAD.map((name) => (
            <span key={name}>{name}</span>
          ))}
          hrefOf={(row) => `/transactions/${row.id}`}
          statusOf={(row) => row.status}
          isFresh={(row) => isFresh('transaction', row.id)}
          onEnd={() => {
            if (list.hasNextPage && !list.isFetching) void list.fetchNextPage();
          }}
          render={(row) => <Line row={row} />}
        />
      )}
    </Page>
  );
}

function None({ filtered, clear }: { readonly filtered: boolean; readonly clear: () => void }) {
  if (filtered) {
    return (
      <Empty icon="search" title="Nothing matches these filters">
        <p>New transactions that match show here by themselves.</p>
        <button type="button" className="button" onClick={clear}>
          Show all transactions
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="transactions" title="No transactions yet">
      <p>Every payment, refund, payout and settlement that a webhook tells of shows here.</p>
      <Code label="1. Create a source" text={createSourceCommand(location.origin)} />
      <Code label="2. Send a webhook as the provider would" text={triggerCommand('serixpay', null)} />
    </Empty>
  );
}
