import { useState } from 'react';
import { flatten, useEndpoints, useList } from '../../api/queries.ts';
import type { DeliveryRow } from '../../api/types.ts';
import { isFresh } from '../../live/recent.ts';
import { Code } from '../../ui/code.tsx';
import { createEndpointCommand } from '../../ui/commands.ts';
import { Pick, useFilters } from '../../ui/filters.tsx';
import { useOnePane } from '../../ui/media.ts';
import { Icon } from '../../ui/icons.tsx';
import { Page } from '../../ui/page.tsx';
import { Rows } from '../../ui/rows.tsx';
import { Split } from '../../ui/split.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { DELIVERY_LOOKS } from '../../ui/status.ts';
import { Countdown, Time } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { DeliveryChip } from './chip.tsx';
import { ResendDialog } from '../resends/dialog.tsx';
import { DeliveryDetail } from './delivery.tsx';

const NAMES = ['status', 'endpoint', 'event', 'transaction'] as const;
const STATUSES = Object.entries(DELIVERY_LOOKS).map(([value, { word }]) => ({ value, label: word }));

function Line({ row, url }: { readonly row: DeliveryRow; readonly url: string | undefined }) {
  return (
    <>
      <DeliveryChip row={row} />
      <span className="two">
        <code className="clip">{row.eventType}</code>
        <span className="clip muted">{url === undefined ? row.endpoint : shortUrl(url)}</span>
      </span>
      <span className="two end">
        <Time at={row.createdAt} />
        <span className="muted num">
          {row.status === 'pending' && row.nextAttemptAt !== null ? (
            <Countdown at={row.nextAttemptAt} past="waits" />
          ) : (
            (row.statusCode ?? row.cause ?? '')
          )}
          {row.attemptCount > 1 && ` · ${row.attemptCount} tries`}
        </span>
      </span>
    </>
  );
}

export default function Deliveries({ id }: { readonly id: string | undefined }) {
  const { filters, set, clear } = useFilters(NAMES);
  const [asking, setAsking] = useState(false);
  const list = useList('delivery', filters);
  const rows = flatten(list.data);
  const endpoints = useEndpoints().data ?? [];
  const search = location.search;
  const alone = useOnePane() && id !== undefined;
  return (
    <Page
      title={alone ? 'Delivery' : 'Deliveries'}
      fixed
      tools={
        !alone && (
          <button type="button" className="button" onClick={() => setAsking(true)}>
            <Icon name="back" size={14} />
            Resend failed…
          </button>
        )
      }
      {...(alone ? { back: { href: `/deliveries${search}`, label: 'Deliveries' } } : {})}
    >
      <Split
        open={id !== undefined}
        list={
          <>
            <div className="filters">
              <Pick label="Status" value={filters['status']} choices={STATUSES} onChange={(value) => set('status', value)} />
              <Pick
                label="Endpoint"
                value={filters['endpoint']}
                choices={endpoints.map((row) => ({ value: row.id, label: shortUrl(row.url) }))}
                onChange={(value) => set('endpoint', value)}
              />
              {filters['transaction'] !== undefined && (
                <Pick label="Transaction" value={filters['transaction']} choices={[]} onChange={(value) => set('transaction', value)} />
              )}
              {filters['event'] !== undefined && (
                <Pick label="Event" value={filters['event']} choices={[]} onChange={(value) => set('event', value)} />
              )}
              {Object.keys(filters).length > 0 && (
                <button type="button" className="link" onClick={clear}>
                  Clear
                </button>
              )}
            </div>
            {list.error !== null && <Trouble problem={list.error} again={() => void list.refetch()} />}
            {list.isPending ? (
              <Skeleton rows={10} height={56} />
            ) : rows.length === 0 ? (
              <Empty icon="deliveries" title={Object.keys(filters).length > 0 ? 'No delivery matches' : 'Nothing delivered yet'}>
                <p>Add an endpoint: each event that it wants becomes a delivery to it, signed and retried.</p>
                <Code label="Terminal" text={createEndpointCommand(location.origin)} />
              </Empty>
            ) : (
              <Rows
                rows={rows}
                rowHeight={56}
                label="Deliveries, newest first"
                testId="deliveries"
                className="table split-rows"
                openId={id}
                hrefOf={(row) => `/deliveries/${row.id}${search}`}
                statusOf={(row) => row.status}
                isFresh={(row) => isFresh('delivery', row.id)}
                onEnd={() => {
                  if (list.hasNextPage && !list.isFetching) void list.fetchNextPage();
                }}
                render={(row) => <Line row={row} url={endpoints.find((endpoint) => endpoint.id === row.endpoint)?.url} />}
              />
            )}
          </>
        }
        detail={id === undefined ? null : <DeliveryDetail key={id} id={id} />}
        hint="Choose a delivery to see its attempts."
      />
      {asking && (
        <ResendDialog {...(filters['endpoint'] === undefined ? {} : { endpoint: filters['endpoint'] })} onClose={() => setAsking(false)} />
      )}
    </Page>
  );
}
