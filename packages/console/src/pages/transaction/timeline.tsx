import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { send, type Problem } from '../../api/client.ts';
import { resendEvent } from '../../api/actions.ts';
import type { EventRow, TimelineEntry } from '../../api/types.ts';
import { Action } from '../../ui/action.tsx';
import { Chip } from '../../ui/chip.tsx';
import { Code } from '../../ui/code.tsx';
import { Reference } from '../../ui/copy.tsx';
import { Icon } from '../../ui/icons.tsx';
import { pretty } from '../../ui/pretty.ts';
import { STATUS_LOOKS, TIMELINE_LOOKS, words } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';
import { Expired } from '../deliveries/attempts.tsx';

interface EventText {
  readonly request: string | null;
  readonly expiredAt: string | null;
  /** The answer as it was written: parsed and printed again, numbers would lose digits. */
  readonly text: string;
}

async function readEvent(id: string, signal: AbortSignal): Promise<EventText> {
  const text = await (await send(`/v1/events/${encodeURIComponent(id)}`, { signal })).text();
  const { request, expiredAt } = JSON.parse(text) as EventRow;
  return { request, expiredAt, text: pretty(text) };
}

function Payload({ id }: { readonly id: string }) {
  const { data, error } = useQuery<EventText, Problem>({ queryKey: ['event', id], queryFn: ({ signal }) => readEvent(id, signal) });
  if (error !== null) return <p className="says bad">{error.message}</p>;
  if (data === undefined) return <p className="hint">Loading…</p>;
  return (
    <div className="payload">
      <p>
        <Reference text={id} />
        {data.request !== null && (
          <Link href={`/requests/${data.request}`} className="link">
            Request as it came
          </Link>
        )}
        {data.expiredAt === null && (
          <Action icon="retry" run={() => resendEvent(id)}>
            Resend
          </Action>
        )}
      </p>
      {data.expiredAt !== null && <Expired what="Its data" at={data.expiredAt} />}
      <Code label="Event" text={data.text} />
    </div>
  );
}

function Entry({ entry }: { readonly entry: TimelineEntry }) {
  const [open, setOpen] = useState(false);
  const look = TIMELINE_LOOKS[entry.verdict];
  const moved = entry.from !== entry.to && (entry.verdict === 'applied' || entry.verdict === 'late');
  return (
    <li className={`entry ${look.tone}`}>
      <span className="entry-mark">
        <Icon name={look.icon} size={12} />
      </span>
      <div className="entry-body">
        <button type="button" className="entry-head" aria-expanded={open} onClick={() => setOpen(!open)}>
          <code>{entry.type}</code>
          <Chip of="timeline" value={entry.verdict} quiet />
          <Time at={entry.at} />
          <Icon name={open ? 'down' : 'chevron'} size={12} />
        </button>
        <p className="entry-move">
          {moved && entry.from !== null && <>{STATUS_LOOKS[entry.from].word} → </>}
          {moved ? <b>{STATUS_LOOKS[entry.to].word}</b> : <>Says {STATUS_LOOKS[entry.to].word.toLowerCase()}; status kept</>}
        </p>
        <p className="entry-why">
          {entry.why} <span className="rule">{words(entry.rule)}</span>
        </p>
        {open && <Payload id={entry.event} />}
      </div>
    </li>
  );
}

/** Every event of this transaction, what it did to it, and by which rule. */
export function Timeline({ entries }: { readonly entries: readonly TimelineEntry[] }) {
  return (
    <ol className="timeline">
      {entries.map((entry) => (
        <Entry key={entry.event} entry={entry} />
      ))}
    </ol>
  );
}
