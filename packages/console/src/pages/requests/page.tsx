import { Tabs } from 'radix-ui';
import { flatten, useList, useSources } from '../../api/queries.ts';
import type { RequestRow } from '../../api/types.ts';
import { isFresh } from '../../live/recent.ts';
import { bytes } from '../../ui/bytes.ts';
import { Chip } from '../../ui/chip.tsx';
import { Code } from '../../ui/code.tsx';
import { triggerCommand } from '../../ui/commands.ts';
import { Pick, useFilters } from '../../ui/filters.tsx';
import { useOnePane } from '../../ui/media.ts';
import { Page } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Rows } from '../../ui/rows.tsx';
import { Split } from '../../ui/split.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { RequestDetail } from './request.tsx';

const NAMES = ['verdict', 'source'] as const;

const TABS = [
  { value: '', label: 'All' },
  { value: 'accepted', label: 'Accepted' },
  { value: 'rejected', label: 'Rejected' },
  { value: 'duplicate', label: 'Duplicate' },
] as const;

function Line({ row }: { readonly row: RequestRow }) {
  return (
    <>
      <Chip of="verdict" value={row.verdict} />
      <span className="two">
        <Provider id={row.provider} />
        <span className="clip muted">{row.reason === null ? <code>{row.sha256.slice(0, 12)}</code> : capital(row.reason)}</span>
      </span>
      <span className="two end">
        <Time at={row.receivedAt} />
        <span className="muted num">
          {bytes(row.size)}
          {row.duplicates > 0 && ` · +${row.duplicates} again`}
        </span>
      </span>
    </>
  );
}

export default function Requests({ id }: { readonly id: string | undefined }) {
  const { filters, set } = useFilters(NAMES);
  const list = useList('request', filters);
  const rows = flatten(list.data);
  const sources = useSources().data ?? [];
  const search = location.search;
  const alone = useOnePane() && id !== undefined;
  return (
    <Page title={alone ? 'Request' : 'Requests'} fixed {...(alone ? { back: { href: `/requests${search}`, label: 'Requests' } } : {})}>
      <Split
        open={id !== undefined}
        list={
          <>
            <div className="filters">
              <Tabs.Root value={filters['verdict'] ?? ''} onValueChange={(value) => set('verdict', value)}>
                <Tabs.List className="tabs" aria-label="Verdict">
                  {TABS.map((tab) => (
                    <Tabs.Trigger key={tab.value} value={tab.value}>
                      {tab.label}
                    </Tabs.Trigger>
                  ))}
                </Tabs.List>
              </Tabs.Root>
              <Pick
                label="Source"
                value={filters['source']}
                choices={sources.map((row) => ({ value: row.id, label: row.name }))}
                onChange={(value) => set('source', value)}
              />
            </div>
            {list.error !== null && <Trouble problem={list.error} again={() => void list.refetch()} />}
            {list.isPending ? (
              <Skeleton rows={10} height={56} />
            ) : rows.length === 0 ? (
              <None verdict={filters['verdict']} />
            ) : (
              <Rows
                rows={rows}
                rowHeight={56}
                label="Requests, newest first"
                testId="requests"
                className="table split-rows"
                openId={id}
                hrefOf={(row) => `/requests/${row.id}${search}`}
                statusOf={(row) => row.verdict}
                isFresh={(row) => isFresh('request', row.id)}
                onEnd={() => {
                  if (list.hasNextPage && !list.isFetching) void list.fetchNextPage();
                }}
                render={(row) => <Line row={row} />}
              />
            )}
          </>
        }
        detail={id === undefined ? null : <RequestDetail key={id} id={id} />}
        hint="Choose a request to see its exact bytes."
      />
    </Page>
  );
}

function None({ verdict }: { readonly verdict: string | undefined }) {
  const source = useSources().data?.[0];
  if (verdict === 'rejected') {
    return (
      <Empty icon="shield" title="Nothing was rejected">
        <p>Requests with a wrong signature wait here, with what is wrong with them. To see one:</p>
        <Code label="Terminal" text={`${triggerCommand(source?.provider ?? 'serixpay', source?.id ?? null)} --scenario bad-signature`} />
      </Empty>
    );
  }
  return (
    <Empty icon="requests" title="No requests yet">
      <p>Every webhook is kept exactly as it came: bytes, headers and the verdict.</p>
      <Code label="Terminal" text={triggerCommand(source?.provider ?? 'serixpay', source?.id ?? null)} />
    </Empty>
  );
}
