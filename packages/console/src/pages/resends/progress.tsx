import { cancelResend } from '../../api/actions.ts';
import { useResend } from '../../api/queries.ts';
import type { ResendRow } from '../../api/types.ts';
import { Action } from '../../ui/action.tsx';
import { LookChip } from '../../ui/chip.tsx';
import { RESEND_LOOKS } from '../../ui/status.ts';
import { Time } from '../../ui/time.tsx';

const WHICH = { all: 'All', failed: 'Failed', missing: 'Never sent there,', pending: 'Pending', succeeded: 'Delivered' } as const;
const count = (n: number): string => n.toLocaleString('en');

/** How far a resend is, kept current, with a way to end it. */
export function Progress({ resend }: { readonly resend: ResendRow }) {
  const row = useResend(resend).data ?? resend;
  const { state, deliveries, made, succeeded, failed, pending } = row;
  const total = state === 'running' ? Math.max(deliveries, made) : made;
  return (
    <div className="resend" data-state={state}>
      <p>
        <LookChip look={RESEND_LOOKS[state]} />
        <span>
          {WHICH[row.status ?? 'all']} since <Time at={row.since} />
        </span>
      </p>
      <progress max={Math.max(1, total)} value={succeeded + failed} aria-label="Deliveries that have ended" />
      <p className="muted num">
        {count(made)} of {count(total)} made · {count(succeeded)} delivered · {count(failed)} failed · {count(pending)} on their way
      </p>
      {row.note !== null && <p className="says bad">{row.note}</p>}
      {(state === 'running' || (state === 'done' && pending > 0)) && (
        <Action icon="ban" run={() => cancelResend(row.id)}>
          Cancel
        </Action>
      )}
    </div>
  );
}
