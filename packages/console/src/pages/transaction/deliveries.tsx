import { useState } from 'react';
import { Link } from 'wouter';
import { useDelivery, useEndpoints } from '../../api/queries.ts';
import type { DeliveryRow } from '../../api/types.ts';
import { Icon } from '../../ui/icons.tsx';
import { Countdown, Time } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { Attempts } from '../deliveries/attempts.tsx';
import { Ended } from '../deliveries/ended.tsx';
import { DeliveryChip } from '../deliveries/chip.tsx';

function Opened({ id }: { readonly id: string }) {
  const { data, error } = useDelivery(id);
  if (error !== null) return <p className="says bad">{error.message}</p>;
  if (data === undefined) return <p className="hint">Loading…</p>;
  return (
    <>
      <Ended delivery={data} />
      <Attempts attempts={data.attempts} bodyExpiredAt={data.expiredAt} />
    </>
  );
}

function Row({ row, url }: { readonly row: DeliveryRow; readonly url: string | undefined }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <div className="delivery-line">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'chevron'} size={12} />
          <DeliveryChip row={row} />
          <code className="clip">{row.eventType}</code>
        </button>
        <Link href={`/deliveries/${row.id}`} className="clip">
          {url === undefined ? row.endpoint : shortUrl(url)}
        </Link>
        <span className="muted num">
          {row.attemptCount} {row.attemptCount === 1 ? 'attempt' : 'attempts'}
          {row.status === 'pending' && row.nextAttemptAt !== null && (
            <>
              , next <Countdown at={row.nextAttemptAt} />
            </>
          )}
        </span>
        <Time at={row.finishedAt ?? row.createdAt} />
      </div>
      {open && <Opened id={row.id} />}
    </li>
  );
}

/** What became of this transaction's events on their way out. */
export function Deliveries({ rows }: { readonly rows: readonly DeliveryRow[] }) {
  const endpoints = useEndpoints().data ?? [];
  if (rows.length === 0) {
    return (
      <p className="hint pad">
        No endpoint is subscribed to these events.{' '}
        <Link href="/endpoints" className="link">
          Add an endpoint
        </Link>
      </p>
    );
  }
  return (
    <ul className="delivery-lines">
      {rows.map((row) => (
        <Row key={row.id} row={row} url={endpoints.find(({ id }) => id === row.endpoint)?.url} />
      ))}
    </ul>
  );
}
