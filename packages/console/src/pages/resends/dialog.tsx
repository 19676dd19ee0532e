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
  { value: 'missing', label: 'Those that it never got', hint: 'because it was switched off or is new; for one endpoint' },
  { value: 'all', label: 'All', hint: 'that the endpoint selects now, also those that got through' },
] as const;
const HOUR_MS = 3_600_000;
const PER_SECOND = 200;

export interface ResendDialogProps {
  /** Chosen from the start. */
  readonly endpoint?: string;
  /** Asks at once for what the endpoint never got since then. */
  readonly missingSince?: string;
  readonly onClose: () => void;
}

function sinceOf(span: string, { given, pause }: { readonly given: string; readonly pause: string | undefined }): Date {
  if (span === 'pause' && pause !== undefined) return new Date(pause);
  return span === '' ? new Date(given) : new Date(Date.now() - Number(span) * HOUR_MS);
}

/** Counts first, then sends on a second press. */
export function ResendDialog({ endpoint, missingSince, onClose }: ResendDialogProps) {
  const endpoints = useEndpoints().data ?? [];
  const [to, setTo] = useState(endpoint ?? '');
  const [span, setSpan] = useState(missingSince === undefined ? '24' : 'pause');
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
    const which = textOf(form, 'which');
    const since = sinceOf(span, { given: textOf(form, 'since'), pause: missingSince });
    const wish: ResendWish = {
      since: since.toISOString(),
      perSecond: Number(textOf(form, 'perSecond')),
      ...(to === '' ? {} : { endpoint: to }),
      ...(which === 'failed' || which === 'missing' ? { status: which } : {}),
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
              <select {...field} name="endpoint" value={to} onChange={(event) => setTo(event.target.value)}>
                <option value="">Every endpoint</option>
                {to !== '' && endpoints.every(({ id }) => id !== to) && <option value={to}>{to}</option>}
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
                {missingSince !== undefined && <option value="pause">The time since it was switched off</option>}
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
                <input
                  type="radio"
                  name="which"
                  value={value}
                  defaultChecked={value === (missingSince === undefined ? 'failed' : 'missing')}
                />
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
