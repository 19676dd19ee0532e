import { Link } from 'wouter';
import type { TransactionDetail } from '../../api/types.ts';
import { Amount } from '../../ui/amount.tsx';
import { Chip } from '../../ui/chip.tsx';
import { Panel } from '../../ui/page.tsx';
import { capital } from '../../ui/status.ts';

/** The payment of a refund, the refunds of a payment. */
export function Related({ transaction }: { readonly transaction: TransactionDetail }) {
  const children = transaction.children ?? [];
  if (transaction.parent === null && children.length === 0) return null;
  return (
    <Panel title="Linked">
      <ul className="linked">
        {transaction.parent !== null && (
          <li>
            <Link href={`/transactions/${transaction.parent}`}>
              <span>Belongs to</span>
              <code className="clip">{transaction.parent}</code>
            </Link>
          </li>
        )}
        {children.map((child) => (
          <li key={child.id}>
            <Link href={`/transactions/${child.id}`}>
              <Chip of="status" value={child.status} />
              <span>{capital(child.kind)}</span>
              <Amount money={child.amount ?? child.amountReceived} />
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
