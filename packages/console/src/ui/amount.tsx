import type { Money } from '../api/types.ts';
import { describeAsset } from './asset.ts';
import { formatMoney } from './money.ts';

/** Currency first and quiet, digits right and even: a column of them reads down the decimal point. */
export function Amount({ money, large = false }: { readonly money: Money | null | undefined; readonly large?: boolean }) {
  if (money === null || money === undefined) return <span className="amount none">—</span>;
  const text = formatMoney(money);
  const asset = describeAsset(money.currency);
  return (
    <span className={large ? 'amount large' : 'amount'} title={`${text.full} ${asset.id}`}>
      <span className="digits">{text.short}</span>
      <span className="currency">{asset.name}</span>
      {large && asset.network !== null && <span className="network">on {asset.network}</span>}
    </span>
  );
}
