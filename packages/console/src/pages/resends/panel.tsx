import { useState } from 'react';
import { useResends } from '../../api/queries.ts';
import { Icon } from '../../ui/icons.tsx';
import { Panel } from '../../ui/page.tsx';
import { ResendDialog } from './dialog.tsx';
import { Progress } from './progress.tsx';

const SHOWN = 3;

/** The latest resends that go to an endpoint, with a button for another. */
export function Resends({ endpoint }: { readonly endpoint: string }) {
  const [asking, setAsking] = useState(false);
  const rows = (useResends().data ?? []).filter((row) => row.endpoint === endpoint || row.endpoint === null).slice(0, SHOWN);
  return (
    <Panel
      title="Send again"
      tools={
        <button type="button" className="button small" onClick={() => setAsking(true)}>
          <Icon name="back" size={12} />
          Resend failed…
        </button>
      }
    >
      {rows.length === 0 && <p className="pad hint">After an outage: sends what failed since a time once more, behind new events.</p>}
      {rows.map((row) => (
        <Progress key={row.id} resend={row} />
      ))}
      {asking && <ResendDialog endpoint={endpoint} onClose={() => setAsking(false)} />}
    </Panel>
  );
}
