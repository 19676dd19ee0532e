import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { countResend } from '../../api/actions.ts';
import type { EndpointRow } from '../../api/types.ts';
import { Icon } from '../../ui/icons.tsx';
import { Time } from '../../ui/time.tsx';
import { ResendDialog } from '../resends/dialog.tsx';

const REFRESH_MS = 15_000;

/** What came while the endpoint was not active, and has not been sent to it since. */
export function Missed({ endpoint }: { readonly endpoint: EndpointRow }) {
  const { id, pause } = endpoint;
  const [asking, setAsking] = useState(false);
  const counted = useQuery({
    queryKey: ['missed', id, pause],
    enabled: pause !== null,
    refetchInterval: REFRESH_MS,
    queryFn: () => countResend({ endpoint: id, since: pause?.since ?? '', status: 'missing' }),
  });
  const events = counted.data?.events ?? 0;
  if (pause === null || events === 0) return null;
  return (
    <div className="notice" role="status">
      <Icon name="hand" size={14} />
      <p>
        <b>
          {events.toLocaleString('en')} {events === 1 ? 'event was' : 'events were'} not sent here
        </b>
        , because the endpoint{' '}
        {pause.until === null ? (
          <>
            has been switched off since <Time at={pause.since} />
          </>
        ) : (
          <>
            was switched off from <Time at={pause.since} /> to <Time at={pause.until} />
          </>
        )}
        .
      </p>
      <button type="button" className="button small" onClick={() => setAsking(true)}>
        Send what it missed…
      </button>
      {asking && <ResendDialog endpoint={id} missingSince={pause.since} onClose={() => setAsking(false)} />}
    </div>
  );
}
