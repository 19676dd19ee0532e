import { useState } from 'react';
import { useLocation } from 'wouter';
import { createEndpoint } from '../../api/actions.ts';
import { useProviders } from '../../api/queries.ts';
import type { EndpointWithSecret } from '../../api/types.ts';
import { Code } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, textOf } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';

const CONTENTS = [
  { value: 'event', label: 'The event', hint: "in the provider's format, signed its way" },
  { value: 'request', label: 'The request as it came', hint: 'the same bytes and signature headers' },
  { value: 'transaction', label: 'The transaction', hint: 'its state after the event, the same for every provider' },
] as const;

function Created({ endpoint, onClose }: { readonly endpoint: EndpointWithSecret; readonly onClose: () => void }) {
  const [, navigate] = useLocation();
  return (
    <Dialog title="Endpoint added" onClose={onClose}>
      <p>
        Your app checks the signature with this secret. It is shown <b>this once</b>: copy it now.
      </p>
      <Code label="Secret" text={endpoint.secret} wrap />
      <footer className="dialog-foot">
        <button type="button" className="button primary" onClick={() => navigate(`/endpoints/${endpoint.id}`)}>
          I have copied it
        </button>
      </footer>
    </Dialog>
  );
}

export function CreateEndpoint({ onClose }: { readonly onClose: () => void }) {
  const providers = useProviders().data ?? [];
  const [provider, setProvider] = useState('paybell');
  const [created, setCreated] = useState<EndpointWithSecret | null>(null);
  if (created !== null) return <Created endpoint={created} onClose={onClose} />;
  const types = providers.find(({ id }) => id === provider)?.events.map(({ type }) => type) ?? [];
  const submit = async (form: FormData): Promise<void> => {
    const events = textOf(form, 'events')
      .split(/[\s,]+/)
      .filter((event) => event !== '');
    setCreated(
      await createEndpoint({
        url: textOf(form, 'url'),
        provider,
        events: events.length === 0 ? ['*'] : events,
        content: textOf(form, 'content'),
      }),
    );
  };
  return (
    <Dialog title="Add an endpoint" onClose={onClose}>
      <Form submit="Add endpoint" onSubmit={submit}>
        <Field label="URL" hint="https; on this machine http://127.0.0.1 works where the operator allows it.">
          {(field) => (
            <input {...field} name="url" type="url" required placeholder="https://example.com/webhooks" spellCheck={false} autoFocus />
          )}
        </Field>
        <Field label="Format" hint="Whose envelope and signature your app expects.">
          {(field) => (
            <select {...field} name="provider" value={provider} onChange={(event) => setProvider(event.target.value)}>
              {!providers.some(({ id }) => id === provider) && <option value={provider}>{provider}</option>}
              {providers.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Events"
          hint={<>Apart by commas; * stands for any part. {types.length > 0 && <>For example {types.slice(0, 3).join(', ')}.</>}</>}
        >
          {(field) => <input {...field} name="events" defaultValue="*" spellCheck={false} />}
        </Field>
        <fieldset className="choices">
          <legend>Content</legend>
          {CONTENTS.map(({ value, label, hint }) => (
            <label key={value}>
              <input type="radio" name="content" value={value} defaultChecked={value === 'event'} />
              <span>
                {label}
                <small>{hint}</small>
              </span>
            </label>
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}
