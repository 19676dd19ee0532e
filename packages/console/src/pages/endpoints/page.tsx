import { useState } from 'react';
import { useEndpoints } from '../../api/queries.ts';
import type { EndpointRow } from '../../api/types.ts';
import { duration } from '../../ui/clock.ts';
import { Code } from '../../ui/code.tsx';
import { createEndpointCommand } from '../../ui/commands.ts';
import { Icon } from '../../ui/icons.tsx';
import { Page } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { shortUrl } from '../../ui/url.ts';
import { Link } from 'wouter';
import { percent } from '../live/totals.ts';
import { ActiveSwitch } from './active.tsx';
import { CreateEndpoint } from './create.tsx';
import { Health } from './health.tsx';

const REFRESH_MS = 5_000;

function Card({ endpoint }: { readonly endpoint: EndpointRow }) {
  const { health } = endpoint;
  return (
    <li className="card-row" data-row-id={endpoint.id} data-status={endpoint.active ? 'active' : 'inactive'}>
      <Link href={`/endpoints/${endpoint.id}`} className="card-main">
        <span className="card-title clip">{shortUrl(endpoint.url)}</span>
        <span className="muted clip">
          <Provider id={endpoint.provider} /> · {endpoint.events.join(', ')}
        </span>
      </Link>
      <Health endpoint={endpoint} />
      <span className="stat">
        <b className="num">{percent(health.successRate)}</b>
        <span>success</span>
      </span>
      <span className="stat">
        <b className="num">{duration(health.p95Ms)}</b>
        <span>p95</span>
      </span>
      <span className="stat">
        <b className="num">
          {health.limit}
          <small className="muted">/{endpoint.maxInFlight}</small>
        </b>
        <span>at once</span>
      </span>
      <span className="stat">
        <b className="num">{health.backlog.toLocaleString('en')}</b>
        <span>waiting</span>
      </span>
      <ActiveSwitch endpoint={endpoint} />
    </li>
  );
}

export default function Endpoints() {
  const { data, error, isPending, refetch } = useEndpoints(REFRESH_MS);
  const [creating, setCreating] = useState(false);
  return (
    <Page
      title="Endpoints"
      tools={
        <button type="button" className="button primary" onClick={() => setCreating(true)}>
          <Icon name="plus" size={14} />
          Add endpoint
        </button>
      }
    >
      {error !== null && <Trouble problem={error} again={() => void refetch()} />}
      {isPending && <Skeleton rows={4} height={64} />}
      {data?.length === 0 && (
        <Empty icon="endpoints" title="Nowhere to deliver to yet">
          <p>An endpoint is a URL of your app. Each event that it wants is sent there, signed, and retried until it is acknowledged.</p>
          <Code label="Terminal" text={createEndpointCommand(location.origin)} />
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <ul className="cards">
          {data.map((endpoint) => (
            <Card key={endpoint.id} endpoint={endpoint} />
          ))}
        </ul>
      )}
      {creating && <CreateEndpoint onClose={() => setCreating(false)} />}
    </Page>
  );
}
