import { useState } from 'react';
import { useLocation } from 'wouter';
import { createEndpoint } from '../../api/actions.ts';
import type { EndpointWithSecret } from '../../api/types.ts';
import { Code } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form } from '../../ui/form.tsx';
import { EndpointFields, settingsIn } from './fields.tsx';

function Created({ endpoint, onClose }: { readonly endpoint: EndpointWithSecret; readonly onClose: () => void }) {
  const [, navigate] = useLocation();
  const { secret, publicKey, signing } = endpoint;
  return (
    <Dialog title="Endpoint added" onClose={onClose}>
      {signing === 'v1a' ? (
        <p>Your app checks the signature with this public key. It is no secret: the endpoint shows it at any time.</p>
      ) : (
        <p>
          Your app checks the signature with this secret. It is shown <b>this once</b>: copy it now.
        </p>
      )}
      {signing !== 'v1a' && <Code label="Secret" text={secret} wrap />}
      {publicKey !== null && <Code label="Public key" text={publicKey} wrap />}
      <footer className="dialog-foot">
        <button type="button" className="button primary" onClick={() => navigate(`/endpoints/${endpoint.id}`)}>
          I have copied it
        </button>
      </footer>
    </Dialog>
  );
}

export function CreateEndpoint({ onClose }: { readonly onClose: () => void }) {
  const [created, setCreated] = useState<EndpointWithSecret | null>(null);
  if (created !== null) return <Created endpoint={created} onClose={onClose} />;
  return (
    <Dialog title="Add an endpoint" onClose={onClose}>
      <Form submit="Add endpoint" onSubmit={async (form) => setCreated(await createEndpoint(settingsIn(form)))}>
        <EndpointFields />
      </Form>
    </Dialog>
  );
}
