import type { Money as MoneyValue, TransactionDetail } from '../../api/types.ts';
import { Amount } from '../../ui/amount.tsx';
import { describeAsset } from '../../ui/asset.ts';
import { addUnits } from '../../ui/money.ts';
import { Facts, Panel } from '../../ui/page.tsx';

/** What is left of what came in; null where the currencies differ or nothing came. */
function net(received: MoneyValue | null, refunded: MoneyValue | null): MoneyValue | null {
  if (received === null || refunded === null || received.currency !== refunded.currency) return null;
  const negative = refunded.value.startsWith('-') ? refunded.value.slice(1) : `-${refunded.value}`;
  const sum = addUnits(addUnits({ value: 0n, exponent: 0 }, received.value, received.exponent), negative, refunded.exponent);
  return { value: sum.value.toString(), exponent: sum.exponent, currency: received.currency, text: '' };
}

export function Money({ transaction }: { readonly transaction: TransactionDetail }) {
  const { amount, amountReceived, amountRefunded } = transaction;
  const left = net(amountReceived, amountRefunded);
  const asset = describeAsset((amount ?? amountReceived)?.currency ?? '');
  return (
    <Panel title="Money" className="money">
      <Facts
        rows={[
          ['Requested', <Amount money={amount} />],
          ['Received', <Amount money={amountReceived} />],
          ['Refunded', <Amount money={amountRefunded} />],
          left === null ? null : ['Net', <Amount money={left} />],
          amount === null || amount.text === '' ? null : ['As written', <code>{amount.text}</code>],
          asset.network === null ? null : ['Network', <span title={asset.id}>{asset.network}</span>],
          transaction.refundState === 'none' ? null : ['Refund state', transaction.refundState],
          transaction.disputeState === 'none' ? null : ['Dispute', transaction.disputeState],
        ]}
      />
    </Panel>
  );
}
