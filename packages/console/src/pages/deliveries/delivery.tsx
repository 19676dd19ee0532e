import { Link } from 'wouter';
import { resendEvent, retryDelivery } from '../../api/actions.ts';
import { useDelivery, useEndpoints } from '../../api/queries.ts';
import { Action } from '../../ui/action.tsx';
import { Reference } from '../../ui/copy.tsx';
import { Facts, Panel } from '../../ui/page.tsx';
import { Skeleton, Trouble } from '../../ui/states.tsx';
import { Time } from '../../ui/time.tsx';
import { shortUrl } from '../../ui/url.ts';
import { Attempts } from './attempts.tsx';
import { DeliveryChip } from './chip.tsx';
import { Ended } from './ended.tsx';
import { Waiting } from './waiting.tsx';

const ENDPOINTS_MS = 5_000;

export function DeliveryDetail({ id }: { readonly id: string }) {
  const { data: delivery, error, refetch } = useDelivery(id);
  const endpoint = useEndpoints(ENDPOINTS_MS).data?.find((row) => row.id === delivery?.endpoint);
  if (error !== null) return <Trouble problem={error} again={() => void refetch()} />;
  if (delivery === undefined) return <Skeleton />;
  return (
    <div className="stack" data-detail={delivery.id} data-status={delivery.status}>
      <header className="detail-head">
        <h2>
          <code>{delivery.eventType}</code>
          <DeliveryChip row={delivery} />
        </h2>
        <p className="muted">
          to {endpoint === undefined ? delivery.endpoint : shortUrl(endpoint.url)}
          <Waiting delivery={delivery} endpoint={endpoint} />
        </p>
        <Ended delivery={delivery} />
        {delivery.expiredAt === null ? (
          <div className="actions">
            <Action icon="retry" kind="primary" run={() => retryDelivery(delivery.id)}>
              Retry now
            </Action>
            <Action icon="deliveries" run={() => resendEvent(delivery.event, delivery.endpoint)}>
              Resend event
            </Action>
          </div>
        ) : (
          <p className="hint">
            Its body expired (<Time at={delivery.expiredAt} />
            ), so it cannot be sent again.
          </p>
        )}
      </header>
      <Panel title={`Attempts (${delivery.attempts.length})`}>
        <Attempts attempts={delivery.attempts} bodyExpiredAt={delivery.expiredAt} />
      </Panel>
      <Panel title="Details">
        <Facts
          rows={[
            ['Delivery', <Reference text={delivery.id} />],
            ['Event', <Reference text={delivery.event} />],
            [
              'Endpoint',
              <Link href={`/endpoints/${delivery.endpoint}`} className="link">
                {endpoint === undefined ? delivery.endpoint : shortUrl(endpoint.url)}
              </Link>,
            ],
            delivery.transaction === null
              ? null
              : [
                  'Transaction',
                  <Link href={`/transactions/${delivery.transaction}`} className="link">
                    <code>{delivery.transaction}</code>
                  </Link>,
                ],
            ['Created', <Time at={delivery.createdAt} />],
            ['Finished', <Time at={delivery.finishedAt} />],
          ]}
        />
      </Panel>
    </div>
  );
}
