import { useState } from 'react';
import { useProviders } from '../../api/queries.ts';
import type { EndpointRow } from '../../api/types.ts';
import { Field, textOf } from '../../ui/field.tsx';

const CONTENTS = [
  { value: 'event', label: 'The event', hint: "in the provider's format, signed its way" },
  { value: 'request', label: 'The request as it came', hint: 'the same bytes and signature headers' },
  { value: 'transaction', label: 'The transaction', hint: 'its state after the event, the same for every provider' },
] as const;

const SIGNINGS = [
  { value: 'v1', label: 'Shared secret (v1)' },
  { value: 'v1a', label: 'Key pair (v1a): your app checks with a public key' },
  { value: 'both', label: 'Both' },
] as const;

const IN_FLIGHT = 16;

interface CheckProps {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly checked?: boolean;
  readonly onChange?: (checked: boolean) => void;
}

function Check({ name, label, hint, checked = false, onChange }: CheckProps) {
  return (
    <label className="check">
      <input type="checkbox" name={name} defaultChecked={checked} onChange={(event) => onChange?.(event.target.checked)} />
      <span>
        {label}
        <small>{hint}</small>
      </span>
    </label>
  );
}

/** One header a line, as people write them. */
function linesOf(headers: EndpointRow['headers']): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** Throws a sentence for a line that is no header; what is in it the server judges. */
function headersIn(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error(`"${line.trim()}" is no header. Write one a line, as Name: value.`);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** The settings that a filled form asks for. */
export function settingsIn(form: FormData): Record<string, unknown> {
  const events = textOf(form, 'events')
    .split(/[\s,]+/)
    .filter((event) => event !== '');
  const wait = textOf(form, 'orderedWait');
  const signing = textOf(form, 'signing');
  return {
    url: textOf(form, 'url'),
    provider: textOf(form, 'provider'),
    events: events.length === 0 ? ['*'] : events,
    customEvents: form.has('customEvents'),
    content: textOf(form, 'content'),
    headers: headersIn(textOf(form, 'headers')),
    timeout: textOf(form, 'timeout') || null,
    maxInFlight: Number(textOf(form, 'maxInFlight')),
    disableAfter: textOf(form, 'disableAfter') || null,
    ordered: form.has('ordered'),
    orderedWait: wait === '' ? null : wait,
    skipStale: form.has('skipStale'),
    ...(signing === '' ? {} : { signing }),
    ...(form.has('ping') ? { ping: true } : {}),
  };
}

/** The format and what follows from it: how the endpoint signs and what it may ask for. */
function Format({ endpoint }: { readonly endpoint: EndpointRow | undefined }) {
  const providers = useProviders().data ?? [];
  const [provider, setProvider] = useState(endpoint?.provider ?? 'paybell');
  const chosen = providers.find(({ id }) => id === provider);
  const types = chosen?.events.map(({ type }) => type) ?? [];
  return (
    <>
      <Field label="Format" hint="Whose envelope and signature your app expects.">
        {(field) => (
          <select {...field} name="provider" value={provider} onChange={(event) => setProvider(event.target.value)}>
            {chosen === undefined && <option value={provider}>{provider}</option>}
            {providers.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {chosen?.keyPairs === true && (
        <Field label="Signature">
          {(field) => (
            <select {...field} name="signing" defaultValue={endpoint?.signing ?? 'v1'}>
              {SIGNINGS.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field
        label="Events"
        hint={
          <>Apart by commas; * at the end stands for the rest. {types.length > 0 && <>For example {types.slice(0, 3).join(', ')}.</>}</>
        }
      >
        {(field) => <input {...field} name="events" defaultValue={endpoint?.events.join(', ') ?? '*'} spellCheck={false} />}
      </Field>
      <Check
        name="customEvents"
        label="Names of my own"
        hint="take event names that no provider has, because my app publishes them"
        checked={endpoint?.customEvents ?? false}
      />
    </>
  );
}

/** What holds for events of one transaction. */
function Order({ endpoint }: { readonly endpoint: EndpointRow | undefined }) {
  const [ordered, setOrdered] = useState(endpoint?.ordered ?? false);
  return (
    <fieldset className="choices">
      <legend>Events of one transaction</legend>
      <Check
        name="ordered"
        label="In order"
        hint="one at a time; the next one waits until the one before is delivered or has failed"
        checked={ordered}
        onChange={setOrdered}
      />
      {ordered && (
        <Field label="Longest wait" hint="Then the next one goes all the same. Such as 10m, 2h, 1d.">
          {(field) => (
            <input {...field} name="orderedWait" defaultValue={endpoint?.orderedWait ?? ''} placeholder="1h" pattern="[0-9]+(s|m|h|d)" />
          )}
        </Field>
      )}
      <Check
        name="skipStale"
        label="Skip what was overtaken"
        hint="no pending after completed was delivered"
        checked={endpoint?.skipStale ?? false}
      />
    </fieldset>
  );
}

/** How it is called and when it is given up; what is left empty is as the provider and the server have it. */
function Limits({ endpoint }: { readonly endpoint: EndpointRow | undefined }) {
  return (
    <fieldset className="choices">
      <legend>Limits</legend>
      <Field label="Timeout" hint="Of one call, 1s to 60s. Empty: the provider's own.">
        {(field) => <input {...field} name="timeout" defaultValue={endpoint?.timeout ?? ''} placeholder="15s" pattern="[0-9]+(ms|s|m)" />}
      </Field>
      <Field label="Calls at once" hint="At most; how many it gets is found out.">
        {(field) => (
          <input {...field} name="maxInFlight" type="number" min={1} max={256} required defaultValue={endpoint?.maxInFlight ?? IN_FLIGHT} />
        )}
      </Field>
      <Field label="Disable after" hint="So long of nothing but failure, 1m to 366d, or never. Empty: as the server is set.">
        {(field) => (
          <input
            {...field}
            name="disableAfter"
            defaultValue={endpoint?.disableAfter ?? ''}
            placeholder="5d"
            pattern="never|[0-9]+(ms|s|m|h|d)"
          />
        )}
      </Field>
    </fieldset>
  );
}

/** The fields of an endpoint, new or as it is. */
export function EndpointFields({ endpoint }: { readonly endpoint?: EndpointRow }) {
  return (
    <>
      <Field label="URL" hint="https; on this machine http://127.0.0.1 works where the operator allows it.">
        {(field) => (
          <input
            {...field}
            name="url"
            type="url"
            required
            defaultValue={endpoint?.url}
            placeholder="https://example.com/webhooks"
            spellCheck={false}
            autoFocus
          />
        )}
      </Field>
      <Format endpoint={endpoint} />
      <fieldset className="choices">
        <legend>Content</legend>
        {CONTENTS.map(({ value, label, hint }) => (
          <label key={value}>
            <input type="radio" name="content" value={value} defaultChecked={value === (endpoint?.content ?? 'event')} />
            <span>
              {label}
              <small>{hint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        label="Headers of your own"
        hint={
          <>
            One a line, as <code>Authorization: Bearer …</code>. What looks like a secret is shown as [hidden]; left so, it stays as it is.
          </>
        }
      >
        {(field) => (
          <textarea
            {...field}
            name="headers"
            rows={3}
            spellCheck={false}
            defaultValue={linesOf(endpoint?.headers ?? {})}
            placeholder="X-Shop: nairobi"
          />
        )}
      </Field>
      <Order endpoint={endpoint} />
      <Limits endpoint={endpoint} />
      <Check
        name="ping"
        label="Send a test event first"
        hint={
          endpoint === undefined
            ? 'save only if it is answered with 2xx; an app that checks signatures does not know the new secret yet'
            : 'save only if it is answered with 2xx'
        }
      />
    </>
  );
}
