import { useState } from 'react';
import type { Attempt, HeaderFields } from '../../api/types.ts';
import { Chip } from '../../ui/chip.tsx';
import { duration } from '../../ui/clock.ts';
import { Code } from '../../ui/code.tsx';
import { headerPairs } from '../../ui/headers.ts';
import { Icon } from '../../ui/icons.tsx';
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

interface Message {
  readonly headers: HeaderFields;
  readonly body: string | null;
  readonly encoding: string;
  readonly truncated?: boolean;
}

function Side({ title, message }: { readonly title: string; readonly message: Message | null }) {
  if (message === null) {
    return (
      <div className="exchange">
        <h4>{title}</h4>
        <p className="hint">None came.</p>
      </div>
    );
  }
  const marks = [message.encoding === 'base64' ? 'as base64' : '', message.truncated === true ? 'cut' : ''].filter((mark) => mark !== '');
  return (
    <div className="exchange">
      <h4>{title}</h4>
      <HeaderTable headers={message.headers} />
      {message.body ? <Code label={['Body', ...marks].join(', ')} text={pretty(message.body)} wrap /> : <p className="hint">No body.</p>}
    </div>
  );
}

export function AttemptView({ attempt, open: openAtFirst = false }: { readonly attempt: Attempt; readonly open?: boolean }) {
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
          <Side title="Request" message={attempt.request} />
          <Side title="Response" message={attempt.response} />
        </div>
      )}
    </li>
  );
}

export function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return <p className="hint pad">No attempts.</p>;
  return (
    <ol className="attempts">
      {attempts.toReversed().map((attempt, index) => (
        <AttemptView key={attempt.n} attempt={attempt} open={index === 0} />
      ))}
    </ol>
  );
}
