import { useState } from 'react';
import { useStats } from '../../api/queries.ts';
import { Page, Panel } from '../../ui/page.tsx';
import { Segmented } from '../../ui/segmented.tsx';
import { Trouble } from '../../ui/states.tsx';
import { RateChart } from './chart.tsx';
import { Feed } from './feed.tsx';
import { Kpis, KpiSkeleton } from './kpis.tsx';
import { ProviderTiles } from './providers.tsx';
import { BUCKETS, WINDOWS, type Window } from './windows.ts';

export function LivePage() {
  const [window, setWindow] = useState<Window>('15m');
  const bucket = BUCKETS[window];
  const { data: stats, dataUpdatedAt, error, refetch } = useStats(window, bucket.text);
  return (
    <Page title="Live" fixed tools={<Segmented label="Window" value={window} choices={WINDOWS} onChange={setWindow} />}>
      <div className="live-page">
        {error !== null && <Trouble problem={error} again={() => void refetch()} />}
        {stats === undefined ? <KpiSkeleton /> : <Kpis stats={stats} />}
        <div className="live-columns">
          <div className="live-side">
            <Panel title="Webhooks per second">
              {stats === undefined ? <div className="chart" /> : <RateChart stats={stats} bucketMs={bucket.ms} countedAt={dataUpdatedAt} />}
            </Panel>
            <Panel title="Providers">{stats !== undefined && <ProviderTiles providers={stats.providers} />}</Panel>
          </div>
          <Feed />
        </div>
      </div>
    </Page>
  );
}
