import { Link } from 'wouter';
import type { ProviderActivity } from '../../api/types.ts';
import { Ago } from '../../ui/time.tsx';
import { Provider } from '../../ui/provider.tsx';
import { percent } from './totals.ts';

const MANY_REJECTED = 0.05;

function Tile({ activity }: { readonly activity: ProviderActivity }) {
  const rejected = activity.requests === 0 ? null : activity.rejected / activity.requests;
  return (
    <Link href={`/transactions?provider=${encodeURIComponent(activity.provider)}`} className="tile">
      <span>
        <Provider id={activity.provider} />
        <span className="num">
          <Ago at={activity.lastAt} />
        </span>
      </span>
      <span>
        <span className="num">
          <b>{activity.requests.toLocaleString('en')}</b> received
        </span>
        <span className={rejected !== null && rejected > MANY_REJECTED ? 'num bad' : 'num'}>{percent(rejected)} rejected</span>
      </span>
    </Link>
  );
}

export function ProviderTiles({ providers }: { readonly providers: readonly ProviderActivity[] }) {
  if (providers.length === 0) return <p className="hint pad">No provider has sent anything in this window.</p>;
  return (
    <div className="tiles">
      {providers
        .toSorted((a, b) => a.provider.localeCompare(b.provider))
        .map((activity) => (
          <Tile key={activity.provider} activity={activity} />
        ))}
    </div>
  );
}
