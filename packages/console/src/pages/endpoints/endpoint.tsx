import { useState } from 'react';
import { useLocation } from 'wouter';
import { deleteEndpoint, testEndpoint } from '../../api/actions.ts';
import { useEndpoint } from '../../api/queries.ts';
import type { Attempt, EndpointRow } from '../../api/types.ts';
import { Action } from '../../ui/action.tsx';
import { duration } from '../../ui/clock.ts';
import { Facts, Page, Panel } from '../../ui/page.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { Ago, Countdown } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { AttemptView } from '../deliveries/attempts.tsx';
import { explainCause } from '../deliveries/causes.ts';
import { percent } from '../live/totals.ts';
import { Resends } from '../resends/panel.tsx';
import { ActiveSwitch } from './active.tsx';
import { Health } from './health.tsx';
import { Missed } from './missed.tsx';
import { Secrets } from './secrets.tsx';
import { Settings } from './settings.tsx';
import { Remove } from '../../ui/remove.tsx';

const REFRESH_MS = 5_000;

function Test({ endpoint }: { readonly endpoint: EndpointRow }) {
  const [attempt, setAttempt] = useState<Attempt | null>(null);
  const run = async (): Promise<string> => {
    const result = await testEndpoint(endpoint.id);
    setAttempt(result);
    return result.outcome === 'succeeded' ? `Acknowledged in ${duration(result.durationMs)}` : 'Not acknowledged';
  };
  return (
    <Panel title="Test">
      <div className="pad">
        <Action icon="deliveries" kind="primary" run={run}>
          Send a test event
        </Action>
        {attempt === null && <p className="hint">Sends a signed event of {endpoint.provider} now and shows the answer.</p>}
      </div>
      {attempt !== null && (
        <ol className="attempts">
          <AttemptView key={attempt.startedAt} attempt={attempt} open />
        </ol>
      )}
    </Panel>
  );
}

function LastFailure({ health }: { readonly health: EndpointRow['health'] }) {
  const { lastFailureAt, lastFailureCause } = health;
  return (
    <>
      <Ago at={lastFailureAt} />
      {lastFailureCause !== null && <small className="muted"> {lastFailureCause}</small>}
    </>
  );
}

function Breaker({ health }: { readonly health: EndpointRow['health'] }) {
  if (health.breaker === 'closed') return <>closed</>;
  if (health.breaker === 'half_open') return <>half open: one call finds out</>;
  return <>open: next try {health.nextProbeAt === null ? 'soon' : <Countdown at={health.nextProbeAt} />}</>;
}

function HealthPanel({ endpoint }: { readonly endpoint: EndpointRow }) {
  const { health } = endpoint;
  return (
    <Panel title="Health, last hour" tools={<Health endpoint={endpoint} />}>
      <Facts
        rows={[
          ['Success', percent(health.successRate)],
          ['p50', duration(health.p50Ms)],
          ['p95', duration(health.p95Ms)],
          ['Waiting', health.backlog.toLocaleString('en')],
          ['Last failure', <LastFailure health={health} />],
          endpoint.active ? ['Breaker', <Breaker health={health} />] : null,
          endpoint.active ? ['Calls at once', `${health.limit} of ${endpoint.maxInFlight}`] : null,
          health.failingSince === null ? null : ['Failing for', <Ago at={health.failingSince} suffix="" />],
        ]}
      />
      {endpoint.health.lastFailureCause !== null && endpoint.health.breaker !== 'closed' && (
        <p className="pad hint">{explainCause(endpoint.health.lastFailureCause)}</p>
      )}
      {endpoint.disabledReason !== null && (
        <p className="pad hint">
          {endpoint.disabledReason === 'gone' ? 'It answered 410 (gone)' : 'It did nothing but fail for too long'}, so it was disabled. What
          waited still waits, and goes out when you switch it on.
        </p>
      )}
    </Panel>
  );
}

export default function Endpoint({ id }: { readonly id: string }) {
  const { data: endpoint, error, isPending, refetch } = useEndpoint(id, REFRESH_MS);
  const [, navigate] = useLocation();
  const remove = async (): Promise<void> => {
    await deleteEndpoint(id);
    navigate('/endpoints');
  };
  return (
    <Page
      title={endpoint === undefined ? 'Endpoint' : shortUrl(endpoint.url)}
      back={{ href: '/endpoints', label: 'Endpoints' }}
      tools={endpoint !== undefined && <ActiveSwitch endpoint={endpoint} />}
    >
      {error?.status === 404 && <Empty icon="endpoints" title="There is no such endpoint" />}
      {error !== null && error.status !== 404 && <Trouble problem={error} again={() => void refetch()} />}
      {isPending && <Skeleton />}
      {endpoint !== undefined && (
        <div className="detail-columns">
          <div className="main">
            <Missed endpoint={endpoint} />
            <Test endpoint={endpoint} />
            <Resends endpoint={id} />
          </div>
          <div className="side">
            <HealthPanel endpoint={endpoint} />
            <Settings endpoint={endpoint} />
            <Secrets endpoint={endpoint} />
            <Remove what="endpoint" consequence="Pending deliveries to it end. The log stays." run={remove} />
          </div>
        </div>
      )}
    </Page>
  );
}
