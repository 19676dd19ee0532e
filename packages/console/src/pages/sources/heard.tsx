import { flatten, useList } from '../../api/queries.ts';
import type { SourceRow } from '../../api/types.ts';
import { Icon } from '../../ui/icons.tsx';
import { Ago } from '../../ui/time.tsx';

/** Whether anything ever came, lit up by the stream itself. */
export function Heard({ source }: { readonly source: SourceRow }) {
  const list = useList('request', { source: source.id });
  const last = flatten(list.data)[0];
  if (!source.active) {
    return (
      <span className="chip mute">
        <Icon name="pause" size={12} />
        Paused
      </span>
    );
  }
  if (last === undefined) {
    return (
      <span className="chip wait pulse">
        <Icon name="signal" size={12} />
        Waiting for first event…
      </span>
    );
  }
  return (
    <span className={`chip ${last.verdict === 'rejected' ? 'bad' : 'good'}`}>
      <Icon name={last.verdict === 'rejected' ? 'ban' : 'check'} size={12} />
      {last.verdict === 'rejected' ? 'Last rejected' : 'Receiving'}, <Ago at={last.receivedAt} />
    </span>
  );
}
