import { useState } from 'react';
import { revealSecrets, rotateSecret } from '../../api/actions.ts';
import type { EndpointRow, EndpointSecrets, Rotated } from '../../api/types.ts';
import { Code } from '../../ui/code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, textOf } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Panel } from '../../ui/page.tsx';
import { Time } from '../../ui/time.tsx';

const OVERLAPS = [
  { value: '1h', label: '1 hour' },
  { value: '24h', label: '24 hours' },
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
  { value: '0s', label: 'Not at all: the old one is known to others' },
] as const;

/** What the receiver checks with: a key pair's public half is no secret, and is said to be none. */
const nameOf = (text: string, publicKey: string | null): string =>
  text === publicKey || text.startsWith('whpk_') ? 'Public key' : 'Secret';

function Turned({ rotated, overlap, onClose }: { readonly rotated: Rotated; readonly overlap: boolean; readonly onClose: () => void }) {
  const { secret, publicKey, previousValidUntil } = rotated;
  return (
    <Dialog title="The secret was rotated" onClose={onClose}>
      <p>
        Give this to your app now.{' '}
        {overlap ? (
          <>
            Where the format takes several signatures the old one signs too, until <Time at={previousValidUntil} />.
          </>
        ) : (
          'The old one signs no more.'
        )}
      </p>
      <Code label={nameOf(secret, publicKey)} text={secret} wrap />
      {publicKey !== null && publicKey !== secret && <Code label="Public key" text={publicKey} wrap />}
      <footer className="dialog-foot">
        <button type="button" className="button primary" onClick={onClose}>
          I have copied it
        </button>
      </footer>
    </Dialog>
  );
}

interface RotateProps {
  readonly endpoint: EndpointRow;
  readonly onClose: () => void;
  readonly onRotated: () => void;
}

function Rotate({ endpoint, onClose, onRotated }: RotateProps) {
  const [done, setDone] = useState<{ readonly rotated: Rotated; readonly overlap: boolean } | null>(null);
  if (done !== null) return <Turned {...done} onClose={onClose} />;
  const submit = async (form: FormData): Promise<void> => {
    const [overlap, secret] = [textOf(form, 'overlap'), textOf(form, 'secret')];
    const rotated = await rotateSecret(endpoint.id, { overlap, ...(secret === '' ? {} : { secret }) });
    setDone({ rotated, overlap: overlap !== '0s' });
    onRotated();
  };
  return (
    <Dialog title="Rotate the secret" onClose={onClose}>
      <Form submit="Rotate" onSubmit={submit}>
        <Field
          label="The old one signs too for"
          hint="Both signatures are sent meanwhile, so that no webhook is refused while your app changes over."
        >
          {(field) => (
            <select {...field} name="overlap" defaultValue="24h">
              {OVERLAPS.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="New secret" hint="Empty: one is made. Where the provider signs with the merchant's API key, the new key.">
          {(field) => <input {...field} name="secret" autoComplete="off" spellCheck={false} />}
        </Field>
      </Form>
    </Dialog>
  );
}

function Valid({ shown }: { readonly shown: EndpointSecrets }) {
  const { secrets, publicKey, previousValidUntil } = shown;
  return (
    <>
      {secrets.map((text) => (
        <Code key={text} label={nameOf(text, publicKey)} text={text} wrap />
      ))}
      {previousValidUntil !== null && (
        <p className="hint">
          The current ones first; those before them end <Time at={previousValidUntil} />.
        </p>
      )}
    </>
  );
}

/** What an endpoint signs with: shown when asked for, and changed without a webhook being refused. */
export function Secrets({ endpoint }: { readonly endpoint: EndpointRow }) {
  const [shown, setShown] = useState<EndpointSecrets | null>(null);
  const [rotating, setRotating] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const reveal = async (): Promise<void> => {
    try {
      setShown(await revealSecrets(endpoint.id));
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : 'Not shown.');
    }
  };
  return (
    <Panel
      title="Signing secret"
      tools={
        <span className="tools">
          <button
            type="button"
            className="button small"
            aria-expanded={shown !== null}
            onClick={() => (shown === null ? void reveal() : setShown(null))}
          >
            {shown === null ? 'Reveal' : 'Hide'}
          </button>
          <button type="button" className="button small" onClick={() => setRotating(true)}>
            Rotate…
          </button>
        </span>
      }
    >
      <div className="pad secrets">
        {shown === null ? <p className="hint">Your app checks the signature of each webhook with it.</p> : <Valid shown={shown} />}
        {failure !== null && (
          <p role="alert" className="says bad">
            {failure}
          </p>
        )}
      </div>
      {rotating && (
        <Rotate endpoint={endpoint} onClose={() => setRotating(false)} onRotated={() => (shown === null ? undefined : void reveal())} />
      )}
    </Panel>
  );
}
