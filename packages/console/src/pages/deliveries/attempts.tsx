import { useState } from 'react';
import type { Attempt, HeaderFields } from '../../api/types.ts';
import { Chip } from '../../ui/chip.tsx';
import { duration } from '../../ui/clock.ts';
import { Code } from '../../ui/code.tsx';
import { headerPairs } from '../../ui/headers.ts';
import { Icon } from '../../ui/icons.tsx';
import { capital } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { pretty } from '../../ui/pretty.ts';
import { explainCause } from './causes.ts';

export function HeaderTable({ headers }: { readonly headers: HeaderFields | null | undefined }) {
  const pairs = headerPairs(headers);
  if (pairs.length === 0) return <p className="hint">No headers.</p>;
  return (
    <dl className="headers">
      {pairs.map(([name, value], index) => (
        <div key={`${index} ${name}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Says why there is nothing to see: it was there, and its time was over. */
export function Expired({ what, at }: { readonly what: string; readonly at: string }) {
  return (
    <p className="hint" data-expired>
      <span>
        {what} expired (<Time at={at} />
        ): this server keeps content for a limited time.
      </span>
    </p>
  );
}

interface Message {
  readonly headers: HeaderFields;
  readonly body: string | null;
  readonly encoding: string;
  readonly truncated?: boolean;
}

interface SideProps {
  readonly title: string;
  readonly message: Message | null;
  readonly expiredAt: string | null;
  /** The body's own end, where it is kept for another time than the headers. */
  readonly bodyExpiredAt?: string | null;
}

function Side({ title, message, expiredAt, bodyExpiredAt = expiredAt }: SideProps) {
  if (message === null) {
    return (
      <div className="exchange">
        <h4>{title}</h4>
        {expiredAt === null ? <p className="hint">None came.</p> : <Expired what="Headers and body" at={expiredAt} />}
      </div>
    );
  }
  const gone = [expiredAt === null ? '' : 'headers', !message.body && bodyExpiredAt !== null ? 'body' : ''].filter((part) => part !== '');
  const at = expiredAt ?? bodyExpiredAt;
  const marks = [message.encoding === 'base64' ? 'as base64' : '', message.truncated === true ? 'cut' : ''].filter((mark) => mark !== '');
  return (
    <div className="exchange">
      <h4>{title}</h4>
      {expiredAt === null && <HeaderTable headers={message.headers} />}
      {message.body && <Code label={['Body', ...marks].join(', ')} text={pretty(message.body)} wrap />}
      {gone.length > 0 && at !== null && <Expired what={capital(gone.join(' and '))} at={at} />}
      {!message.body && bodyExpiredAt === null && <p className="hint">No body.</p>}
    </div>
  );
}

interface AttemptProps {
  readonly attempt: Attempt;
  readonly bodyExpiredAt?: string | null;
  readonly open?: boolean;
}

export function AttemptView({ attempt, bodyExpiredAt = null, open: openAtFirst = false }: AttemptProps) {
  const [open, setOpen] = useState(openAtFirst);
  return (
    <li className="attempt">
      <button type="button" className="attempt-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'down' : 'chevron'} size={12} />
        <span className="num">#{attempt.n}</span>
        <Chip of="outcome" value={attempt.outcome} />
        <span className="num">{attempt.statusCode === null ? '' : `HTTP ${attempt.statusCode}`}</span>
        <span className="num muted">{duration(attempt.durationMs)}</span>
        <Time at={attempt.startedAt} />
      </button>
      {attempt.outcome !== 'succeeded' && (
        <p className="cause">
          <code>{attempt.cause}</code> {explainCause(attempt.cause)}
        </p>
      )}
      {open && (
        <div className="exchanges">
          <Side title="Request" message={attempt.request} expiredAt={attempt.expiredAt} bodyExpiredAt={bodyExpiredAt} />
          <Side title="Response" message={attempt.response} expiredAt={attempt.expiredAt} />
        </div>
      )}
    </li>
  );
}

export function Attempts({ attempts, bodyExpiredAt }: { readonly attempts: readonly Attempt[]; readonly bodyExpiredAt: string | null }) {
  if (attempts.length === 0) return <p className="hint pad">No attempts.</p>;
  return (
    <ol className="attempts">
      {attempts.toReversed().map((attempt, index) => (
        <AttemptView key={attempt.n} attempt={attempt} bodyExpiredAt={bodyExpiredAt} open={index === 0} />
      ))}
    </ol>
  );
}
