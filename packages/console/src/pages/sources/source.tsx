import { Link, useLocation } from 'wouter';
import { deleteSource, reverifySource } from '../../api/actions.ts';
import { flatten, useList, useProviders, useSources } from '../../api/queries.ts';
import type { SourceRow } from '../../api/types.ts';
import { Action } from '../../ui/action.tsx';
import { Chip } from '../../ui/chip.tsx';
import { Code } from '../../ui/code.tsx';
import { triggerCommand } from '../../ui/commands.ts';
import { Reference } from '../../ui/copy.tsx';
import { Facts, Page, Panel } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { Remove } from '../../ui/remove.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { Heard } from './heard.tsx';

const SHOWN = 10;

function LastRequests({ source }: { readonly source: SourceRow }) {
  const rows = flatten(useList('request', { source: source.id }).data).slice(0, SHOWN);
  if (rows.length === 0) {
    return (
      <Empty icon="signal" title="Waiting for first event…">
        <p>This page lights up by itself. To try it without the provider:</p>
        <Code label="Terminal" text={triggerCommand(source.provider, source.id)} />
      </Empty>
    );
  }
  return (
    <ul className="delivery-lines">
      {rows.map((row) => (
        <li key={row.id}>
          <Link href={`/requests/${row.id}`} className="request-line" data-row-id={row.id} data-status={row.verdict}>
            <Chip of="verdict" value={row.verdict} />
            <span className="clip muted">{row.reason === null ? <code>{row.sha256.slice(0, 16)}</code> : capital(row.reason)}</span>
            <Time at={row.receivedAt} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Detail({ source }: { readonly source: SourceRow }) {
  const provider = useProviders().data?.find(({ id }) => id === source.provider);
  const [, navigate] = useLocation();
  const remove = async (): Promise<void> => {
    await deleteSource(source.id);
    navigate('/sources');
  };
  return (
    <div className="detail-columns">
      <div className="main">
        <Panel title="Webhook address">
          <div className="pad stack">
            <Code text={source.ingestUrl} />
            <p className="hint">
              Give this address to {provider?.name ?? source.provider}. A request is acknowledged once it is safely on disk.
            </p>
          </div>
        </Panel>
        <Panel
          title="Last requests"
          tools={
            <Link href={`/requests?source=${encodeURIComponent(source.id)}`} className="link">
              Show all
            </Link>
          }
        >
          <LastRequests source={source} />
        </Panel>
      </div>
      <div className="side">
        <Panel title="Settings">
          <Facts
            rows={[
              ['Provider', <Provider id={source.provider} />],
              provider === undefined ? null : ['Signature', provider.signature],
              ['Secrets', String(source.secrets)],
              source.options === null ? null : ['Options', <code>{JSON.stringify(source.options)}</code>],
              ['Source', <Reference text={source.id} />],
              ['Added', <Time at={source.createdAt} />],
            ]}
          />
        </Panel>
        <Panel title="Quarantine">
          <div className="pad stack">
            <p className="hint">
              Rejected requests are kept. After the secret was put right, those that pass now take their place in the ledger, in order.
            </p>
            <Action icon="retry" run={() => reverifySource(source.id)}>
              Judge again
            </Action>
          </div>
        </Panel>
        <Remove what="source" consequence="Its address stops answering. What it received stays." run={remove} />
      </div>
    </div>
  );
}

export default function Source({ id }: { readonly id: string }) {
  const { data, error, refetch } = useSources();
  const source = data?.find((row) => row.id === id);
  return (
    <Page
      title={source?.name ?? 'Source'}
      back={{ href: '/sources', label: 'Sources' }}
      tools={source !== undefined && <Heard source={source} />}
    >
      {error !== null && <Trouble problem={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton />}
      {data !== undefined && source === undefined && <Empty icon="sources" title="There is no such source" />}
      {source !== undefined && <Detail source={source} />}
    </Page>
  );
}
