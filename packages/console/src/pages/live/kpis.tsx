import { useState } from 'react';
import type { Stats } from '../../api/types.ts';
import { describeAsset } from '../../ui/asset.ts';
import { formatSum } from '../../ui/money.ts';
import { percent, totalsByCurrency, type CurrencyTotals, type Total } from './totals.ts';

function Small({
  name,
  total,
  tone,
  means,
}: {
  readonly name: string;
  readonly total: Total;
  readonly tone?: string;
  readonly means?: string;
}) {
  return (
    <div className={total.count > 0 && tone !== undefined ? tone : undefined}>
      <dt>{name}</dt>
      <dd title={`In ${total.count} transactions${means === undefined ? '' : `, ${means}`}`}>
        {total.count === 0 ? '—' : formatSum(total.sum)}
      </dd>
    </div>
  );
}

function Currency({ totals }: { readonly totals: CurrencyTotals }) {
  const asset = describeAsset(totals.currency);
  const received = formatSum(totals.received.sum);
  return (
    <article className="kpi" data-currency={totals.currency}>
      <header>
        <span className="code-name" title={asset.id}>
          {asset.name}
          {asset.network !== null && <small>{asset.network}</small>}
        </span>
        <span className="rate" title="Succeeded among the payments that ended">
          {percent(totals.successRate)}
          <i className="meter">
            <i style={{ width: `${(totals.successRate ?? 0) * 100}%` }} />
          </i>
        </span>
      </header>
      <p className={received.length > 11 ? 'figure long' : 'figure'} title={asset.id}>
        {received}
      </p>
      <p className="caption">
        received in {totals.received.count.toLocaleString('en')} {totals.received.count === 1 ? 'payment' : 'payments'}
      </p>
      <dl>
        <Small name="Pending" total={totals.pending} tone="wait" />
        <Small name="Failed" total={totals.failed} tone="bad" means="failed, canceled or expired within this window" />
        <Small name="Refunded" total={totals.refunded} />
        <Small name="Paid out" total={totals.paidOut} />
      </dl>
    </article>
  );
}

/** The server counts no further. */
const MOST_PENDING = 20_000;

function Deliveries({ stats }: { readonly stats: Stats }) {
  const { pending, succeeded, failed, failedTries } = stats.deliveries;
  const rate = succeeded + failed === 0 ? null : succeeded / (succeeded + failed);
  return (
    <article className="kpi deliveries">
      <header>
        <span className="code-name">Deliveries</span>
        <span className="rate" title="Acknowledged among the deliveries that ended">
          {percent(rate)}
          <i className="meter">
            <i style={{ width: `${(rate ?? 0) * 100}%` }} />
          </i>
        </span>
      </header>
      <p className="figure">{succeeded.toLocaleString('en')}</p>
      <p className="caption">acknowledged</p>
      <dl>
        <div className={pending > 0 ? 'wait' : undefined}>
          <dt>Pending</dt>
          <dd>{pending < MOST_PENDING ? pending.toLocaleString('en') : `${MOST_PENDING.toLocaleString('en')}+`}</dd>
        </div>
        <div className={failed > 0 ? 'bad' : undefined}>
          <dt>Failed</dt>
          <dd>{failed.toLocaleString('en')}</dd>
        </div>
        <div className={failedTries > 0 ? 'wait' : undefined}>
          <dt>Failed tries</dt>
          <dd>{failedTries.toLocaleString('en')}</dd>
        </div>
      </dl>
    </article>
  );
}

const MANY = 5;

/** One card per currency: amounts of different money are never added up. */
export function Kpis({ stats }: { readonly stats: Stats }) {
  const [all, setAll] = useState(false);
  const totals = totalsByCurrency(stats);
  const busiest = new Set(totals.toSorted((a, b) => b.ended - a.ended).slice(0, MANY));
  const shown = all ? totals : totals.filter((each) => busiest.has(each));
  if (totals.length === 0 && Object.values(stats.deliveries).every((count) => count === 0)) return null;
  return (
    <>
      <div className="kpis">
        {shown.map((each) => (
          <Currency key={each.currency} totals={each} />
        ))}
        <Deliveries stats={stats} />
      </div>
      {totals.length > MANY && (
        <button type="button" className="link" onClick={() => setAll(!all)}>
          {all ? 'Show the busiest only' : `Show all ${totals.length} currencies`}
        </button>
      )}
    </>
  );
}

export function KpiSkeleton() {
  return (
    <div className="kpis" role="status" aria-label="Loading">
      {[0, 1, 2, 3].map((each) => (
        <div key={each} className="kpi blank" />
      ))}
    </div>
  );
}
