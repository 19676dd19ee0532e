import { useState } from 'react';
import { beginResend, countResend, type ResendWish } from '../../api/actions.ts';
import { useEndpoints } from '../../api/queries.ts';
import type { ResendRow } from '../../api/types.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, textOf } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { shortUrl } from '../../ui/url.ts';
import { Progress } from './progress.tsx';

const SPANS = [
  { value: '1', label: 'The last hour' },
  { value: '24', label: 'The last 24 hours' },
  { value: '168', label: 'The last 7 days' },
  { value: '720', label: 'The last 30 days' },
  { value: '', label: 'A time that I choose' },
] as const;
const WHICH = [
  { value: 'failed', label: 'Those that failed', hint: 'and have not got through since' },
  { value: 'all', label: 'All', hint: 'that the endpoint selects now, also those that got through' },
] as const;
const HOUR_MS = 3_600_000;
const PER_SECOND = 200;

export interface ResendDialogProps {
  /** Chosen from the start. */
  readonly endpoint?: string;
  readonly onClose: () => void;
}

/** Counts first, then sends on a second press. */
export function ResendDialog({ endpoint, onClose }: ResendDialogProps) {
  const endpoints = useEndpoints().data ?? [];
  const [span, setSpan] = useState('24');
  const [counted, setCounted] = useState<{ readonly wish: ResendWish; readonly events: number; readonly deliveries: number } | null>(null);
  const [begun, setBegun] = useState<ResendRow | null>(null);
  if (begun !== null)
    return (
      <Dialog title="Sending again" onClose={onClose}>
        <Progress resend={begun} />
        <p className="hint">It goes on when you close this. New events are sent before it.</p>
      </Dialog>
    );
  const submit = async (form: FormData): Promise<void> => {
    if (counted !== null && counted.deliveries > 0) {
      const resend = await beginResend(counted.wish);
      if (resend === null) setCounted({ ...counted, events: 0, deliveries: 0 });
      else setBegun(resend);
      return;
    }
    const named = textOf(form, 'endpoint');
    const since = span === '' ? new Date(textOf(form, 'since')) : new Date(Date.now() - Number(span) * HOUR_MS);
    const wish: ResendWish = {
      since: since.toISOString(),
      perSecond: Number(textOf(form, 'perSecond')),
      ...(named === '' ? {} : { endpoint: named }),
      ...(textOf(form, 'which') === 'failed' ? { status: 'failed' } : {}),
    };
    setCounted({ wish, ...(await countResend(wish)) });
  };
  const things =
    counted === null ? '' : `${counted.deliveries.toLocaleString('en')} ${counted.deliveries === 1 ? 'delivery' : 'deliveries'}`;
  return (
    <Dialog title="Send many again" onClose={onClose}>
      <div onChange={() => setCounted(null)}>
        <Form submit={counted === null || counted.deliveries === 0 ? 'Count' : `Send ${things}`} onSubmit={submit}>
          <Field label="Endpoint">
            {(field) => (
              <select {...field} name="endpoint" defaultValue={endpoint ?? ''}>
                <option value="">Every endpoint</option>
                {endpoints.map((row) => (
                  <option key={row.id} value={row.id}>
                    {shortUrl(row.url)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Events of">
            {(field) => (
              <select {...field} value={span} onChange={(event) => setSpan(event.target.value)}>
                {SPANS.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {span === '' && (
            <Field label="Since" hint="In your time zone.">
              {(field) => <input {...field} name="since" type="datetime-local" required />}
            </Field>
          )}
          <fieldset className="choices">
            <legend>Which</legend>
            {WHICH.map(({ value, label, hint }) => (
              <label key={value}>
                <input type="radio" name="which" value={value} defaultChecked={value === 'failed'} />
                <span>
                  {label}
                  <small>{hint}</small>
                </span>
              </label>
            ))}
          </fieldset>
          <Field label="At most per second">
            {(field) => <input {...field} name="perSecond" type="number" min={1} max={10_000} defaultValue={PER_SECOND} required />}
          </Field>
          <p role="status" className="hint">
            {counted === null
              ? 'Counted first; nothing is sent yet.'
              : counted.deliveries === 0
                ? 'Nothing to send: no event matches.'
                : `${counted.events.toLocaleString('en')} ${counted.events === 1 ? 'event' : 'events'}, ${things}. Each keeps its id.`}
          </p>
        </Form>
      </div>
    </Dialog>
  );
}
