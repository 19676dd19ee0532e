import { useState } from 'react';
import { Link } from 'wouter';
import { useSources } from '../../api/queries.ts';
import type { SourceRow } from '../../api/types.ts';
import { Code } from '../../ui/code.tsx';
import { createSourceCommand } from '../../ui/commands.ts';
import { Reference } from '../../ui/copy.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Page } from '../../ui/page.tsx';
import { ProviderMark, useProviderName } from '../../ui/provider.tsx';
import { Empty, Skeleton, Trouble } from '../../ui/states.tsx';
import { CreateSource } from './create.tsx';
import { Heard } from './heard.tsx';

function Card({ source }: { readonly source: SourceRow }) {
  const nameOf = useProviderName();
  return (
    <li className="card-row source" data-row-id={source.id} data-status={source.active ? 'active' : 'inactive'}>
      <Link href={`/sources/${source.id}`} className="card-main">
        <span className="card-title">
          <ProviderMark id={source.provider} />
          {source.name}
        </span>
        <span className="muted">{nameOf(source.provider)}</span>
      </Link>
      <Heard source={source} />
      <Reference text={source.ingestUrl} />
    </li>
  );
}

export default function Sources() {
  const { data, error, isPending, refetch } = useSources();
  const [creating, setCreating] = useState(false);
  return (
    <Page
      title="Sources"
      tools={
        <button type="button" className="button primary" onClick={() => setCreating(true)}>
          <Icon name="plus" size={14} />
          Add source
        </button>
      }
    >
      {error !== null && <Trouble problem={error} again={() => void refetch()} />}
      {isPending && <Skeleton rows={4} height={64} />}
      {data?.length === 0 && (
        <Empty icon="sources" title="No source yet">
          <p>A source is where a payment provider sends its webhooks. It checks their signatures and keeps every one.</p>
          <Code label="Terminal" text={createSourceCommand(location.origin)} />
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <ul className="cards">
          {data.map((source) => (
            <Card key={source.id} source={source} />
          ))}
        </ul>
      )}
      {creating && <CreateSource onClose={() => setCreating(false)} />}
    </Page>
  );
}
