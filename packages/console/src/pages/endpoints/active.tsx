import { Switch } from 'radix-ui';
import { useState } from 'react';
import { setEndpointActive } from '../../api/actions.ts';
import type { EndpointRow } from '../../api/types.ts';

export function ActiveSwitch({ endpoint }: { readonly endpoint: EndpointRow }) {
  const [failure, setFailure] = useState<string | null>(null);
  const change = async (active: boolean): Promise<void> => {
    try {
      await setEndpointActive(endpoint.id, active);
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : 'Not changed.');
    }
  };
  return (
    <span className="active">
      <Switch.Root
        className="switch"
        checked={endpoint.active}
        onCheckedChange={(active) => void change(active)}
        aria-label={`Deliver to ${endpoint.url}`}
      >
        <Switch.Thumb className="thumb" />
      </Switch.Root>
      <span className="muted">{endpoint.active ? 'Active' : 'Paused'}</span>
      {failure !== null && (
        <span role="alert" className="says bad">
          {failure}
        </span>
      )}
    </span>
  );
}
