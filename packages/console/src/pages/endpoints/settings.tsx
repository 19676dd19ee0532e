import { useState } from 'react';
import { Link } from 'wouter';
import { changeEndpoint } from '../../api/actions.ts';
import type { EndpointRow } from '../../api/types.ts';
import { Reference } from '../../ui/copy.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form } from '../../ui/form.tsx';
import { Facts, Panel } from '../../ui/page.tsx';
import { Provider } from '../../ui/provider.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { HeaderTable } from '../deliveries/attempts.tsx';
import { EndpointFields, settingsIn } from './fields.tsx';

const SIGNED = { v1: 'shared secret (v1)', v1a: 'key pair (v1a)', both: 'shared secret and key pair' } as const;

function Edit({ endpoint, onClose }: { readonly endpoint: EndpointRow; readonly onClose: () => void }) {
  const submit = async (form: FormData): Promise<void> => {
    await changeEndpoint(endpoint.id, settingsIn(form));
    onClose();
  };
  return (
    <Dialog title="Change the endpoint" onClose={onClose}>
      <Form submit="Save" onSubmit={submit}>
        <EndpointFields endpoint={endpoint} />
      </Form>
    </Dialog>
  );
}

function retries(retry: EndpointRow['retry']): string {
  if (retry === null) return "the provider's own";
  if ('delays' in retry) return retry.delays.join(', ');
  return `${retry.first}, each ${retry.factor} times longer up to ${retry.cap}, for ${retry.window}`;
}

const disabled = (after: string): string => (after === 'never' ? 'never' : `after ${after} of failure`);

/** How an endpoint is set up, and the way to change it. */
export function Settings({ endpoint }: { readonly endpoint: EndpointRow }) {
  const [editing, setEditing] = useState(false);
  const { signing, publicKey, headers } = endpoint;
  const own = Object.keys(headers).length > 0;
  return (
    <Panel
      title="Settings"
      tools={
        <button type="button" className="button small" onClick={() => setEditing(true)}>
          Change
        </button>
      }
    >
      <Facts
        rows={[
          ['URL', <Reference text={endpoint.url} />],
          ['Format', <Provider id={endpoint.provider} />],
          signing === null ? null : ['Signature', SIGNED[signing]],
          publicKey === null ? null : ['Public key', <Reference text={publicKey} />],
          ['Events', <code>{endpoint.events.join(', ')}</code>],
          ['Content', capital(endpoint.content)],
          ['Retries', retries(endpoint.retry)],
          ['Timeout', endpoint.timeout ?? "the provider's own"],
          ['At once', String(endpoint.maxInFlight)],
          ['Disabled', endpoint.disableAfter === null ? 'as the server is set' : disabled(endpoint.disableAfter)],
          ['In order', endpoint.ordered ? `per transaction, waits ${endpoint.orderedWait ?? '1h'} at the longest` : 'no'],
          ['Overtaken', endpoint.skipStale ? 'not sent' : 'sent all the same'],
          ['Endpoint', <Reference text={endpoint.id} />],
          ['Added', <Time at={endpoint.createdAt} />],
        ]}
      />
      {own && (
        <div className="pad">
          <HeaderTable headers={headers} />
        </div>
      )}
      <p className="pad">
        <Link href={`/deliveries?endpoint=${encodeURIComponent(endpoint.id)}`} className="link">
          Its deliveries
        </Link>
      </p>
      {editing && <Edit endpoint={endpoint} onClose={() => setEditing(false)} />}
    </Panel>
  );
}
