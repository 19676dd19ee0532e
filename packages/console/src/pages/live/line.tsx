import type { EndpointRow } from '../../api/types.ts';
import type { FeedItem } from '../../live/feed.ts';
import { Amount } from '../../ui/amount.tsx';
import { bytes } from '../../ui/bytes.ts';
import { Chip, Flag, LookChip } from '../../ui/chip.tsx';
import { Provider } from '../../ui/provider.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { PASSED_ON_LOOKS, type PassedOn } from './passed-on.ts';
import { DeliveryChip } from '../deliveries/chip.tsx';

type Of<T extends FeedItem['topic']> = Extract<FeedItem, { readonly topic: T }>['row'];

function Transaction({ row, state }: { readonly row: Of<'transaction'>; readonly state: PassedOn | undefined }) {
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
      <span className="onward">{state !== undefined && <LookChip look={PASSED_ON_LOOKS[state]} quiet />}</span>
      <Time at={row.updatedAt} />
    </>
  );
}

function Delivery({ row, url }: { readonly row: Of<'delivery'>; readonly url: string | undefined }) {
  return (
    <>
      <DeliveryChip row={row} quiet={row.status !== 'failed'} />
      <span className="what minor">
        <span className="clip">{row.eventType}</span>
      </span>
      <span className="who minor">
        <span className="clip">to {url === undefined ? row.endpoint : shortUrl(url)}</span>
      </span>
      <span className="onward num muted">{row.statusCode ?? ''}</span>
      <Time at={row.createdAt} />
    </>
  );
}

function Request({ row }: { readonly row: Of<'request'> }) {
  return (
    <>
      <Chip of="verdict" value={row.verdict} quiet={row.verdict === 'accepted'} />
      <span className="what minor">
        <span className="clip">{row.reason === null ? 'Webhook' : capital(row.reason)}</span>
      </span>
      <span className="who minor">
        <Provider id={row.provider} />
      </span>
      <span className="onward num muted">{bytes(row.size)}</span>
      <Time at={row.receivedAt} />
    </>
  );
}

export interface LineProps {
  readonly item: FeedItem;
  readonly endpoints: readonly EndpointRow[];
  readonly states: ReadonlyMap<string, PassedOn>;
}

/** One thing that happened. */
export function Line({ item, endpoints, states }: LineProps) {
  if (item.topic === 'transaction') return <Transaction row={item.row} state={states.get(item.id)} />;
  if (item.topic === 'request') return <Request row={item.row} />;
  return <Delivery row={item.row} url={endpoints.find(({ id }) => id === item.row.endpoint)?.url} />;
}
