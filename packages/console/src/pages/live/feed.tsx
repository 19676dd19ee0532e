import { useMemo } from 'react';
import { useEndpoints } from '../../api/queries.ts';
import { useFeed, type FeedItem } from '../../live/feed.ts';
import { isFresh } from '../../live/recent.ts';
import { useFilters } from '../../ui/filters.tsx';
import { Icon, type IconName } from '../../ui/icons.tsx';
import { useNarrow } from '../../ui/media.ts';
import { Panel } from '../../ui/page.tsx';
import { Rows } from '../../ui/rows.tsx';
import { Segmented, type Choice } from '../../ui/segmented.tsx';
import { capital } from '../../ui/status.ts';
import { FirstSteps } from './first-steps.tsx';
import { Line } from './line.tsx';
import { passedOn } from './passed-on.ts';
import { useFeedSeed } from './seed.ts';

type Show = 'highlights' | 'all' | 'delivery' | 'request';

const SHOWS: readonly Choice<Show>[] = [
  { value: 'highlights', label: 'Highlights' },
  { value: 'all', label: 'All' },
  { value: 'delivery', label: 'Deliveries' },
  { value: 'request', label: 'Requests' },
];

const PATHS = { transaction: '/transactions/', delivery: '/deliveries/', request: '/requests/' } as const;
const ICONS: Readonly<Record<FeedItem['topic'], IconName>> = { transaction: 'transactions', delivery: 'deliveries', request: 'requests' };

const statusOf = (item: FeedItem): string => (item.topic === 'request' ? item.row.verdict : item.row.status);

/** The money, and whatever did not go the usual way: a payment alone brings a request and several deliveries along. */
function isHighlight(item: FeedItem): boolean {
  if (item.topic === 'transaction') return true;
  return item.topic === 'request' ? item.row.verdict !== 'accepted' : item.row.status === 'failed';
}

function pick(items: readonly FeedItem[], show: Show): readonly FeedItem[] {
  if (show === 'all') return items;
  return items.filter(show === 'highlights' ? isHighlight : (item) => item.topic === show);
}

/** What happens, newest first. It stands still while somebody reads it. */
export function Feed() {
  const { filters, set } = useFilters(['show']);
  const show = SHOWS.find(({ value }) => value === filters['show'])?.value ?? 'highlights';
  const { loading } = useFeedSeed();
  const endpoints = useEndpoints().data ?? [];
  const narrow = useNarrow();
  const all = useFeed();
  const items = useMemo(() => pick(all, show), [all, show]);
  const states = useMemo(() => passedOn(all), [all]);
  return (
    <Panel
      title="Activity"
      className="feed"
      tools={<Segmented label="Show" value={show} choices={SHOWS} onChange={(value) => set('show', value === 'highlights' ? '' : value)} />}
    >
      <Rows
        key={show}
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
            <Line item={item} endpoints={endpoints} states={states} />
          </>
        )}
      />
      {all.length === 0 && !loading && <FirstSteps />}
    </Panel>
  );
}
