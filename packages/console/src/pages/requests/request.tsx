import { useQuery } from '@tanstack/react-query';
import { Tabs } from 'radix-ui';
import { send, type Problem } from '../../api/client.ts';
import { useRequest, useSources } from '../../api/queries.ts';
import type { RequestDetail as Detail } from '../../api/types.ts';
import { bytes } from '../../ui/bytes.ts';
import { Chip } from '../../ui/chip.tsx';
import { Code } from '../../ui/code.tsx';
import { curlCommand } from '../../ui/commands.ts';
import { CopyButton, Reference } from '../../ui/copy.tsx';
import { Facts, Panel } from '../../ui/page.tsx';
import { pretty } from '../../ui/pretty.ts';
import { Provider } from '../../ui/provider.tsx';
import { Skeleton, Trouble } from '../../ui/states.tsx';
import { capital, VERDICT_LOOKS } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { Expired, HeaderTable } from '../deliveries/attempts.tsx';
import { Diagnosis } from './diagnosis.tsx';

interface Body {
  /** Null where the bytes are no UTF-8. */
  readonly text: string | null;
  readonly hex: string;
}

const MAX_HEX_BYTES = 4_096;

async function readBody(id: string, signal: AbortSignal): Promise<Body> {
  const response = await send(`/v1/requests/${encodeURIComponent(id)}/body`, { signal });
  const raw = new Uint8Array(await response.arrayBuffer());
  const hex =
    [...raw.subarray(0, MAX_HEX_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') +
    (raw.length > MAX_HEX_BYTES ? ' …' : '');
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw), hex };
  } catch {
    return { text: null, hex };
  }
}

function BodyPanel({ request, url }: { readonly request: Detail; readonly url: string }) {
  const { data, error } = useQuery<Body, Problem>({
    queryKey: ['body', request.id],
    staleTime: Infinity,
    queryFn: ({ signal }) => readBody(request.id, signal),
  });
  const text = data?.text ?? null;
  return (
    <Panel
      title="Body"
      tools={text !== null && <CopyButton label="Copy as cURL" text={curlCommand({ url, headers: request.rawHeaders, body: text })} />}
    >
      {error !== null && <Trouble problem={error} />}
      {data !== undefined && (
        <Tabs.Root defaultValue={text === null ? 'hex' : 'pretty'} className="body-tabs">
          <Tabs.List className="tabs" aria-label="How to show the body">
            {text !== null && <Tabs.Trigger value="pretty">Pretty</Tabs.Trigger>}
            {text !== null && <Tabs.Trigger value="raw">Raw</Tabs.Trigger>}
            <Tabs.Trigger value="hex">Hex</Tabs.Trigger>
          </Tabs.List>
          {text !== null && (
            <>
              <Tabs.Content value="pretty">
                <Code text={pretty(text)} wrap />
              </Tabs.Content>
              <Tabs.Content value="raw">
                <Code text={text} wrap />
              </Tabs.Content>
            </>
          )}
          <Tabs.Content value="hex">
            <Code text={data.hex} wrap />
          </Tabs.Content>
        </Tabs.Root>
      )}
    </Panel>
  );
}

export function RequestDetail({ id }: { readonly id: string }) {
  const { data: request, error, refetch } = useRequest(id);
  const source = useSources().data?.find((row) => row.id === request?.source);
  if (error !== null) return <Trouble problem={error} again={() => void refetch()} />;
  if (request === undefined) return <Skeleton />;
  const url = source?.ingestUrl ?? `${location.origin}/in/${request.source}`;
  return (
    <div className="stack" data-detail={request.id} data-status={request.verdict}>
      <header className="detail-head">
        <h2>
          <Provider id={request.provider} />
          <Chip of="verdict" value={request.verdict} />
        </h2>
        <p className="muted">
          {request.reason === null
            ? VERDICT_LOOKS[request.verdict].means
            : `${capital(request.reason)}. ${VERDICT_LOOKS[request.verdict].means}`}
        </p>
      </header>
      <Diagnosis request={request} />
      {request.expiredAt === null ? (
        <>
          <BodyPanel request={request} url={url} />
          <Panel title={`Headers (${request.rawHeaders.length})`}>
            <HeaderTable headers={request.rawHeaders} />
          </Panel>
        </>
      ) : (
        <Panel title="Headers and body">
          <div className="pad">
            <Expired what="Headers and body" at={request.expiredAt} />
          </div>
        </Panel>
      )}
      <Panel title="Details">
        <Facts
          rows={[
            ['Request', <Reference text={request.id} />],
            ['Source', source === undefined ? <Reference text={request.source} /> : source.name],
            ['Received', <Time at={request.receivedAt} />],
            ['Size', bytes(request.size)],
            ['SHA-256', <Reference text={request.sha256} />],
            ['Came again', request.duplicates === 0 ? 'never' : `${request.duplicates} times`],
          ]}
        />
      </Panel>
    </div>
  );
}
