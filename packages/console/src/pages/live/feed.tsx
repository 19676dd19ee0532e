import { useState } from 'react';
import { useEndpoints } from '../../api/queries.ts';
import type { EndpointRow } from '../../api/types.ts';
import { useFeed, type FeedItem } from '../../live/feed.ts';
import { isFresh } from '../../live/recent.ts';
import { Amount } from '../../ui/amount.tsx';
import { bytes } from '../../ui/bytes.ts';
import { Chip, Flag } from '../../ui/chip.tsx';
import { Icon, type IconName } from '../../ui/icons.tsx';
import { useNarrow } from '../../ui/media.ts';
import { Panel } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Rows } from '../../ui/rows.tsx';
import { Segmented, type Choice } from '../../ui/segmented.tsx';
import { capital, words } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { FirstSteps } from './first-steps.tsx';
import { useFeedSeed } from './seed.ts';

type Show = 'all' | FeedItem['topic'];

const SHOWS: readonly Choice<Show>[] = [
  { value: 'all', label: 'All' },
  { value: 'transaction', label: 'Transactions' },
  { value: 'delivery', label: 'Deliveries' },
  { value: 'request', label: 'Requests' },
];

const PATHS = { transaction: '/transactions/', delivery: '/deliveries/', request: '/requests/' } as const;
const ICONS: Readonly<Record<FeedItem['topic'], IconName>> = { transaction: 'transactions', delivery: 'deliveries', request: 'requests' };

const statusOf = (item: FeedItem): string => (item.topic === 'request' ? item.row.verdict : item.row.status);

function Line({ item, endpoints }: { readonly item: FeedItem; readonly endpoints: readonly EndpointRow[] }) {
  if (item.topic === 'transaction') {
    const { row } = item;
    return (
      <>
        <Chip of="status" value={row.status} />
        <span className="what">
          <Amount money={row.amount ?? row.amountReceived} />
          <span className="kind">{capital(row.kind)}</span>
          {row.flags.slice(0, 2).map((flag) => (
            <Flag key={flag} name={flag} />
          ))}
        </span>
        <span className="who">
          <Provider id={row.provider} />
          <code className="clip">{row.reference ?? row.providerReference ?? row.id}</code>
        </span>
        <Time at={row.updatedAt} />
      </>
    );
  }
  if (item.topic === 'delivery') {
    const { row } = item;
    const endpoint = endpoints.find(({ id }) => id === row.endpoint);
    return (
      <>
        <Chip of="delivery" value={row.status} quiet={row.status !== 'failed'} />
        <span className="what minor">
          <span className="clip">{row.eventType}</span>
          {row.statusCode !== null && <span className="num muted">{row.statusCode}</span>}
        </span>
        <span className="who minor">
          <span className="clip">to {endpoint === undefined ? row.endpoint : shortUrl(endpoint.url)}</span>
        </span>
        <Time at={row.createdAt} />
      </>
    );
  }
  const { row } = item;
  return (
    <>
      <Chip of="verdict" value={row.verdict} quiet={row.verdict !== 'rejected'} />
      <span className="what minor clip">{row.reason === null ? `Webhook, ${bytes(row.size)}` : capital(words(row.reason))}</span>
      <span className="who minor">
        <Provider id={row.provider} />
      </span>
      <Time at={row.receivedAt} />
    </>
  );
}

/** Everything that happens, newest first. It stands still while somebody reads it. */
export function Feed() {
  const [show, setShow] = useState<Show>('all');
  const { loading } = useFeedSeed();
  const endpoints = useEndpoints().data ?? [];
  const narrow = useNarrow();
  const all = useFeed();
  const items = show === 'all' ? all : all.filter((item) => item.topic === show);
  return (
    <Panel title="Activity" className="feed" tools={<Segmented label="Show" value={show} choices={SHOWS} onChange={setShow} />}>
      <Rows
        rows={items}
        rowHeight={narrow ? 60 : 40}
        label="Activity, newest first"
        testId="feed"
        className="feed-rows"
        hrefOf={(item) => PATHS[item.topic] + item.id}
        statusOf={statusOf}
        isFresh={(item) => isFresh(item.topic, item.id)}
        render={(item) => (
          <>
            <span className={`topic ${item.topic}`} title={capital(item.topic)}>
              <Icon name={ICONS[item.topic]} size={14} />
            </span>
            <Line item={item} endpoints={endpoints} />
          </>
        )}
      />
      {items.length === 0 && !loading && <FirstSteps />}
    </Panel>
  );
}
